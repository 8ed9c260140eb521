// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/process"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/rig"
)

const (
	users  = 256
	phrase = "correct horse battery staple"
	// limit is the memory that a container has by default, in bytes.
	limit = 256 << 20
)

func email(i int) string { return fmt.Sprintf("user%d@example.com", i%users) }

// site renders one AuthServer with its users into a directory, as the operator does.
func (b *bench) site(ctx context.Context, dsn string) (dir string, err error) {
	if dir, err = os.MkdirTemp(b.scratch, "site-"); err != nil {
		return "", fmt.Errorf("making a directory: %w", err)
	}
	hash, err := password.Hash([]byte(phrase), rand.Reader)
	if err != nil {
		return "", err
	}
	var list strings.Builder
	for i := range users {
		fmt.Fprintf(&list, "- {email: %s, hash: \"%s\"}\n", email(i), hash)
	}
	store := "{type: Embedded}"
	if dsn != "" {
		store = "{type: PostgreSQL, postgreSQL: {dsnSecretRef: {name: users, key: dsn}}}"
	}
	manifests := `apiVersion: auth.gatehouse.dev/v1alpha1
kind: AuthServer
metadata: {name: default, namespace: default}
spec: {externalURL: "https://auth.example.com", store: ` + store + `}
---
apiVersion: auth.gatehouse.dev/v1alpha1
kind: IdentityProvider
metadata: {name: staff, namespace: default}
spec: {type: Password, password: {usersSecretRef: {name: users, key: users.yaml}}}
---
apiVersion: v1
kind: Secret
metadata: {name: users, namespace: default}
data: {users.yaml: ` + base64.StdEncoding.EncodeToString([]byte(list.String())) + `, dsn: "` + base64.StdEncoding.EncodeToString([]byte(dsn)) + `"}
`
	if err := rig.Render(ctx, b.bin, []byte(manifests), dir); err != nil {
		return "", err
	}
	return dir, b.signingKey(dir)
}

// signingKey adds the key that the operator would have made, where render made none.
func (b *bench) signingKey(dir string) error {
	path := filepath.Join(dir, config.FileKeys)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	key, err := issue.Generate("ES256", time.Now().Add(-time.Hour))
	if err != nil {
		return err
	}
	data, err := (&config.Keys{Version: config.Version, Keys: []config.SigningKey{key}}).Encode()
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

// server starts the deployed binary under the container's limit, with a store in a file of its own.
func (b *bench) server(ctx context.Context, dir string, s process.Settings) (*process.Process, error) {
	data, err := os.MkdirTemp(b.scratch, "data-")
	if err != nil {
		return nil, err
	}
	s.Env = append(s.Env, fmt.Sprintf("GOMEMLIMIT=%d", limit/10*9))
	return process.StartWith(ctx, s, filepath.Join(b.bin, "authserver"), "--config-dir", dir, "--data-dir", data,
		"--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--ext-authz-listen", "127.0.0.1:0")
}

// client keeps a connection for each of so many callers.
func client(connections int) *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConns: connections, MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}}
}

// grant is what logins and refreshes answer.
type grant struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
}

// login logs a user in and returns the answer's status.
func login(ctx context.Context, c *http.Client, address string, user int) (g grant, status int, err error) {
	body, err := json.Marshal(map[string]string{"email": email(user), "password": phrase})
	if err != nil {
		return g, 0, err
	}
	return post(ctx, c, "http://"+address+"/api/v1/login", "application/json", body)
}

// refresh uses a refresh token.
func refresh(ctx context.Context, c *http.Client, address, token string) (g grant, status int, err error) {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}.Encode()
	return post(ctx, c, "http://"+address+"/oauth2/token", "application/x-www-form-urlencoded", []byte(form))
}

func post(ctx context.Context, c *http.Client, target, mediaType string, body []byte) (g grant, status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return g, 0, err
	}
	req.Header.Set("Content-Type", mediaType)
	resp, err := c.Do(req)
	if err != nil {
		return g, 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	return g, resp.StatusCode, json.NewDecoder(resp.Body).Decode(&g)
}
