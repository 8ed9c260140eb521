// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// answer of the login and token endpoints.
type answer struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	Error        string `json:"error"`
}

const credentials = `{"email":"ada@example.com","password":"correct horse battery staple"}`

func login(ctx context.Context, s *stage) error {
	status, a, err := post(ctx, "/api/v1/login", "application/json", credentials)
	if err != nil {
		return err
	}
	if status != http.StatusOK || a.AccessToken == "" || a.RefreshToken == "" {
		return fmt.Errorf("status %d, error %q, want 200 and two tokens", status, a.Error)
	}
	s.access, s.refresh = a.AccessToken, a.RefreshToken
	return nil
}

func refresh(ctx context.Context, s *stage) error {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s.refresh}}.Encode()
	status, a, err := post(ctx, "/oauth2/token", "application/x-www-form-urlencoded", form)
	if err != nil {
		return err
	}
	if status != http.StatusOK || a.RefreshToken == s.refresh {
		return fmt.Errorf("status %d, error %q, want 200 and another refresh token", status, a.Error)
	}
	return expect(ctx, "", a.AccessToken, http.StatusOK, nil)
}

// refusals tries what must not pass.
func refusals(ctx context.Context, s *stage) error {
	status, a, err := post(ctx, "/api/v1/login", "application/json", strings.Replace(credentials, "correct", "wrong", 1))
	if err != nil {
		return err
	}
	if status != http.StatusUnauthorized || a.Error != "invalid_credentials" {
		return fmt.Errorf("login with a wrong password: status %d, error %q", status, a.Error)
	}
	for _, try := range []struct{ what, tenant, token string }{
		{"acme's token at globex", "globex", acmeToken("https://api.example")},
		{"ada's token at acme", "acme", s.access},
		{"a token for another audience", "acme", acmeToken("https://other.example")},
		{"a tenant that is not there", "nobody", s.access},
		{"no token", "acme", ""},
	} {
		if err := expect(ctx, try.tenant, try.token, http.StatusUnauthorized, nil); err != nil {
			return fmt.Errorf("%s: %w", try.what, err)
		}
	}
	return nil
}

// expect asks /verify and compares status and headers.
func expect(ctx context.Context, tenant, token string, status int, headers map[string]string) error {
	address := public + "/verify"
	if tenant != "" {
		address += "/" + tenant
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != status {
		return fmt.Errorf("status %d, want %d", response.StatusCode, status)
	}
	for name, want := range headers {
		if got := response.Header.Get(name); got != want {
			return fmt.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if status != http.StatusOK && response.Header.Get("X-Auth-Request-User") != "" {
		return fmt.Errorf("status %d tells a user", status)
	}
	return nil
}

// until tries again until f succeeds or ctx ends.
func until(ctx context.Context, f func() error) error {
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; last: %w", ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func post(ctx context.Context, path, kind, body string) (int, answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, public+path, strings.NewReader(body))
	if err != nil {
		return 0, answer{}, err
	}
	request.Header.Set("Content-Type", kind)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	var a answer
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		return 0, answer{}, fmt.Errorf("reading the answer of %s: %w", path, err)
	}
	return response.StatusCode, a, nil
}
