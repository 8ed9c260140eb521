// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-auth/gatehouse/authserver"
	"github.com/gatehouse-auth/gatehouse/authserver/directory"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
)

// maxUsersAnswer bounds an answer of the users API, in bytes: store.MaxListed users with all of their groups are less.
const maxUsersAnswer = 64 << 20

// opsPeople is the directory of a running auth server.
type opsPeople struct {
	client *http.Client
	base   string // of the operations API
	token  logs.Secret
}

func newOpsPeople(address, tokenFile string) (*opsPeople, error) {
	base, err := opsAddress(address)
	if err != nil {
		return nil, err
	}
	if tokenFile == "" {
		return nil, errors.New("--ops needs --token-file: a file with the value of key token of Secret gatehouse-<server>-ops")
	}
	token, err := authserver.ReadOpsToken(tokenFile)
	if err != nil {
		return nil, unusable("--token-file: %w", err)
	}
	// A redirect would carry the token, and a password, to somebody that nobody named.
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &opsPeople{client: client, base: base, token: token}, nil
}

// Close has nothing to close.
func (*opsPeople) Close() error { return nil }

// List implements people.
func (o *opsPeople) List(ctx context.Context, q directory.Query) (page directory.Page, err error) {
	query := url.Values{"limit": {strconv.Itoa(q.Limit)}}
	for name, value := range map[string]string{"organization": q.Organization, "search": q.Search, "after": q.After} {
		if value != "" {
			query.Set(name, value)
		}
	}
	err = o.call(ctx, http.MethodGet, "/users?"+query.Encode(), nil, &page)
	return page, err
}

// Add implements people.
func (o *opsPeople) Add(ctx context.Context, n directory.NewUser) (e directory.Entry, err error) {
	body := map[string]any{"email": n.Email, "username": n.Username, "name": n.Name, "organization": n.Organization, "groups": n.Groups, "password": n.Password.Reveal()}
	err = o.call(ctx, http.MethodPost, "/users", body, &e)
	return e, err
}

// Show implements people.
func (o *opsPeople) Show(ctx context.Context, ref directory.Ref) (d directory.Details, err error) {
	err = o.call(ctx, http.MethodGet, pathOf(ref, ""), nil, &d)
	return d, err
}

// Edit implements people.
func (o *opsPeople) Edit(ctx context.Context, ref directory.Ref, c directory.Change) (e directory.Entry, err error) {
	body := map[string]any{}
	for name, value := range map[string]*string{"email": c.Email, "username": c.Username, "name": c.Name, "password": (*string)(c.Password)} {
		if value != nil {
			body[name] = *value
		}
	}
	if c.Groups != nil {
		body["groups"] = append([]string{}, *c.Groups...)
	}
	if c.Disabled != nil {
		body["disabled"] = *c.Disabled
	}
	err = o.call(ctx, http.MethodPatch, pathOf(ref, ""), body, &e)
	return e, err
}

// Delete implements people.
func (o *opsPeople) Delete(ctx context.Context, ref directory.Ref) (e directory.Entry, err error) {
	err = o.call(ctx, http.MethodDelete, pathOf(ref, ""), nil, &e)
	return e, err
}

// Unlock implements people.
func (o *opsPeople) Unlock(ctx context.Context, ref directory.Ref) (u directory.Unlocked, err error) {
	err = o.call(ctx, http.MethodPost, pathOf(ref, "/unlock"), nil, &u)
	return u, err
}

// pathOf is the path and query of one user. A name of dots alone would be taken for a folder.
func pathOf(ref directory.Ref, action string) string {
	segment := url.PathEscape(ref.Name)
	if strings.Trim(segment, ".") == "" {
		segment = strings.ReplaceAll(segment, ".", "%2E")
	}
	path := "/users/" + segment + action
	if ref.Organization != "" {
		path += "?" + url.Values{"organization": {ref.Organization}}.Encode()
	}
	return path
}

// call asks the server. No error holds a part of what was sent.
func (o *opsPeople) call(ctx context.Context, method, path string, body, answer any) error {
	text, err := o.send(ctx, method, path, body)
	if err != nil {
		return fmt.Errorf("asking %s: %w", o.base, err)
	}
	if json.Unmarshal(text, answer) != nil {
		return fmt.Errorf("asking %s: the answer is none about users: is this the operations address of an auth server?", o.base)
	}
	return nil
}

func (o *opsPeople) send(ctx context.Context, method, path string, body any) ([]byte, error) {
	var content io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encoding the request: %w", err)
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, o.base+path, content)
	if err != nil {
		return nil, errors.New("the address is no URL that can be asked")
	}
	request.Header.Set("Authorization", "Bearer "+o.token.Reveal())
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := o.client.Do(request)
	if err != nil {
		if cause, ok := errors.AsType[*url.Error](err); ok { // which repeats the address
			err = cause.Err
		}
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(response.Body, maxUsersAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the answer: %w", err)
	case response.StatusCode != http.StatusOK && response.StatusCode != http.StatusCreated:
		return nil, o.refusal(response.StatusCode, text)
	case len(text) > maxUsersAnswer:
		return nil, errors.New("the answer is too long")
	}
	return text, nil
}

// refusal says what an answer other than 200 means, in the server's words where it has some.
func (o *opsPeople) refusal(status int, body []byte) error {
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		return refusedQuestion(status)
	}
	var told struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	const most = 1 << 10
	if len(body) > maxReport || json.Unmarshal(body, &told) != nil || told.Error == "" || told.Description == "" ||
		len(told.Description) > most || !utf8.ValidString(told.Description) || strings.Contains(told.Description, o.token.Reveal()) {
		return fmt.Errorf("it answers %d, not as an auth server does: --ops is the operations address (port 9090), not the public one (8080)", status)
	}
	if status == http.StatusNotFound && strings.Contains(told.Description, "nothing at this path") {
		return fmt.Errorf("it knows no users (%d): --ops is the operations address (port 9090), not the public one (8080)", status)
	}
	return errors.New(oneLine(told.Description))
}
