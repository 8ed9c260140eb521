// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/directory"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

const newPassword = "a quiet orchard"

// usersLab is the users API over a real store, without the token that the operations listener asks for.
type usersLab struct {
	usersHandler
	base  config.Base
	snap  *directory.Snapshot
	store *store.SQLite
	logs  bytes.Buffer
	table routes
	// forgotten are the users whose sessions were.
	forgotten []string
}

func newUsersLab(t *testing.T) *usersLab {
	t.Helper()
	s, err := store.OpenSQLite(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	l := &usersLab{store: s, table: routes{}, base: config.Base{
		Store: config.Store{Type: config.StoreEmbedded, Persistent: true},
		Providers: []config.Provider{{
			Object: "IdentityProvider/default/staff", Name: "staff", Type: config.ProviderPassword, Organization: "acme",
			Password: &config.Password{MinLength: 12, Users: []config.User{{Email: "sue@acme.example", Username: "sue"}}},
		}},
	}}
	l.log = logs.New(&l.logs, slog.LevelInfo)
	l.directory = &directory.Directory{Store: s, Now: func() time.Time { return now }, Random: rand.Reader, Log: l.log}
	l.forget = func(user string) { l.forgotten = append(l.forgotten, user) }
	l.snapshot = func() *directory.Snapshot { return l.snap }
	l.reload()
	l.add(l.table, func(h http.HandlerFunc) http.HandlerFunc { return h })
	return l
}

func (l *usersLab) reload() {
	l.snap = directory.NewSnapshot(&l.base, func(string) string { return "11111111-1111-5111-8111-111111111111" })
}

// ask sends a request. A body is JSON.
func (l *usersLab) ask(method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	l.table.serve(w, r, usersKey(r, rawPath(r)))
	return w
}

func (l *usersLab) bob(t *testing.T) (id string) {
	t.Helper()
	w := l.ask("POST", "/users", `{"email":"bob@acme.example","username":"bob/b","password":"`+newPassword+`"}`)
	var e directory.Entry
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return e.ID
}

// TestUsersAPI guards each endpoint's status and members, in the order of a user's life.
func TestUsersAPI(t *testing.T) {
	l := newUsersLab(t)
	id := l.bob(t)
	const times = `"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z"`
	entry := func(more, disabled string) string {
		return `"id":"` + id + `","organization":"acme","username":"bob/b","email":"bob@acme.example","email_verified":false,` + more +
			`"phone":"","comment":"","groups":[],"source":"administrator","disabled":` + disabled + `,` + times
	}
	const sue = `"id":"11111111-1111-5111-8111-111111111111","organization":"acme","username":"sue","email":"sue@acme.example","email_verified":false,"name":"",` +
		`"phone":"","comment":"","groups":[],"source":"secret","provider":"default/staff","disabled":false`
	plain, named := entry(`"name":"",`, "false"), entry(`"name":"Bob",`, "true")
	for _, c := range []struct {
		method, target, body string
		status               int
		want                 string
	}{
		{"GET", "/users/" + id, "", 200, `{` + plain + `,"identities":[],"sessions":[]}`},
		{"GET", "/users/bob%2Fb", "", 200, `{` + plain + `,"identities":[],"sessions":[]}`},
		{"GET", "/users/bob@acme.example?organization=acme", "", 200, `{` + plain + `,"identities":[],"sessions":[]}`},
		{"GET", "/users?search=bob", "", 200, `{"users":[{` + plain + `}]}`},
		{"GET", "/users?search=sue&limit=1", "", 200, `{"users":[{` + sue + `}]}`},
		{"GET", "/users/sue%40acme.example", "", 200, `{` + sue + `,"identities":[],"sessions":[]}`},
		{"GET", "/users?organization=globex", "", 200, `{"users":[]}`},
		{"PATCH", "/users/" + id, `{"name":"Bob","disabled":true}`, 200, `{` + named + `}`},
		{"POST", "/users/" + id + "/unlock", "", 200, `{` + named + `,"counters":0}`},
		{"PATCH", "/users/" + id, `{"password":"another orchard"}`, 200, `{` + named + `}`},
		{"DELETE", "/users/" + id, "", 200, `{` + named + `}`},
		{"DELETE", "/users/" + id, "", 404, ""},
		{"GET", "/users/" + id, "", 404, ""},
		{"POST", "/users/" + id + "/unlock", "", 404, ""},
	} {
		w := l.ask(c.method, c.target, c.body)
		if w.Code != c.status || c.want != "" && w.Body.String() != c.want+"\n" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: %d %v\n got %s\nwant %s", c.method, c.target, w.Code, w.Header(), w.Body, c.want)
		}
	}
	for _, event := range []string{"created", "changed", "disabled", "unlocked", "password", "deleted"} {
		if !strings.Contains(l.logs.String(), `"event":"user.`+event+`","user":"`+id+`"`) {
			t.Errorf("nothing tells user.%s:\n%s", event, &l.logs)
		}
	}
	if !strings.Contains(l.logs.String(), `"client":"192.0.2.1"`) {
		t.Errorf("nothing tells who asked:\n%s", &l.logs)
	}
	if strings.Contains(l.logs.String(), "orchard") {
		t.Error("a password is in the log")
	}
}

// TestUsersAPIRefuses guards that a mistake changes nothing, is told by its field, and without what was sent.
func TestUsersAPIRefuses(t *testing.T) {
	l := newUsersLab(t)
	id := l.bob(t)
	for _, c := range []struct {
		method, target, body string
		status               int
		code, want           string
	}{
		{"POST", "/users", `{"email":"eve@acme.example"}`, 400, "invalid_request", "password is required"},
		{"POST", "/users", `{"password":"` + newPassword + `"}`, 400, "invalid_request", "email is required"},
		{"POST", "/users", `{"email":"eve@acme.example","password":"short"}`, 400, "invalid_request", "password: it has to have at least 12 characters"},
		{"POST", "/users", `{"email":"eve@acme.example","password":"` + newPassword + `","admin":true}`, 400, "invalid_request", `unknown member "admin": use email,`},
		{"POST", "/users", `{"email":"eve@acme.example","password":"` + newPassword + `","disabled":true}`, 400, "invalid_request", `unknown member "disabled"`},
		{"POST", "/users", `{"email":"eve@acme.example","Password":"` + newPassword + `"}`, 400, "invalid_request", `unknown member "Password"`},
		{"POST", "/users", `{"email":"eve@acme.example","password":"` + newPassword + `","password":"` + newPassword + `"}`, 400, "invalid_request", "no member twice"},
		{"POST", "/users", `{"email":"eve@acme.example","password":["` + newPassword + `"]}`, 400, "invalid_request", `"password" has another type`},
		{"POST", "/users", `{"email":"eve@acme.example","password":"` + newPassword + `","groups":["a",7]}`, 400, "invalid_request", `"groups" has another type`},
		{"POST", "/users", `{"email":"eve@acme.example","password":"` + newPassword + `"} {}`, 400, "invalid_request", "one JSON object"},
		{"POST", "/users", `"` + newPassword + `"`, 400, "invalid_request", ""},
		{"POST", "/users", `{"email":"` + strings.Repeat("e", maxBody) + `"}`, 413, "invalid_request", "64 KiB"},
		{"POST", "/users", "", 415, "invalid_request", "application/json"},
		{"POST", "/users?organization=globex", `{"email":"eve@acme.example","password":"` + newPassword + `"}`, 400, "invalid_request", `unknown query parameter "organization": there is none`},
		{"POST", "/users", `{"email":"BOB@acme.example","username":"x","password":"` + newPassword + `"}`, 409, "conflict", "email: another user logs in with this address"},
		{"POST", "/users", `{"email":"eve@acme.example","username":"BOB/b","password":"` + newPassword + `"}`, 409, "conflict", "username: another user of the organization has it"},
		{"POST", "/users", `{"email":"sue@acme.example","username":"x","password":"` + newPassword + `"}`, 409, "conflict", "of the Secret of IdentityProvider default/staff"},
		{"GET", "/users?limit=0", "", 400, "invalid_request", "limit: it has to be a number from 1 to 500"},
		{"GET", "/users?limit=501", "", 400, "invalid_request", "limit: it has to be 1 to 500"},
		{"GET", "/users?limit=x", "", 400, "invalid_request", "limit"},
		{"GET", "/users?serach=bob", "", 400, "invalid_request", `unknown query parameter "serach": there is organization, search, after, limit`},
		{"GET", "/users?search=a&search=b", "", 400, "invalid_request", "search is there more than once"},
		{"GET", "/users?search=%zz", "", 400, "invalid_request", "the query cannot be read"},
		{"GET", "/users/mallory", "", 404, "not_found", "no user has this ID"},
		{"GET", "/users/bob%2Fb?organization=globex", "", 404, "not_found", ""},
		{"PATCH", "/users/" + id, `{}`, 400, "invalid_request", "there is nothing to change"},
		{"PATCH", "/users/" + id, `{"disabled":null}`, 400, "invalid_request", "there is nothing to change"},
		{"PATCH", "/users/" + id, `{"disabled":"true"}`, 400, "invalid_request", `"disabled" has another type`},
		{"PATCH", "/users/" + id, `{"organization":"globex"}`, 400, "invalid_request", `unknown member "organization"`},
		{"PATCH", "/users/" + id, `{"password":"short"}`, 400, "invalid_request", "password: "},
		{"PATCH", "/users/sue", `{"disabled":true}`, 409, "conflict", "change the Secret that spec.password.usersSecretRef of IdentityProvider default/staff names"},
		{"DELETE", "/users/sue", "", 409, "conflict", "change the Secret"},
		{"PUT", "/users/" + id, "", 405, "invalid_request", "use DELETE, GET, HEAD, PATCH"},
		{"DELETE", "/users", "", 405, "invalid_request", "use GET, HEAD, POST"},
		{"GET", "/users/" + id + "/unlock", "", 405, "invalid_request", "use POST"},
		{"GET", "/users/", "", 404, "not_found", "nothing at this path"},
		{"GET", "/users/" + id + "/", "", 404, "not_found", "nothing at this path"},
		{"POST", "/users/" + id + "/unlock/now", "", 404, "not_found", "nothing at this path"},
		{"GET", "/usersx", "", 404, "not_found", "nothing at this path"},
	} {
		w := l.ask(c.method, c.target, c.body)
		var got errorBody
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != c.status || got.Error != c.code || !strings.Contains(got.Description, c.want) {
			t.Errorf("%s %s %.80s: %d %s, want %d %s %q", c.method, c.target, c.body, w.Code, w.Body, c.status, c.code, c.want)
		}
		if strings.Contains(w.Body.String()+l.logs.String(), "orchard") {
			t.Errorf("%s %s %.80s: the password is told", c.method, c.target, c.body)
		}
	}
	if w := l.ask("GET", "/users", ""); strings.Count(w.Body.String(), `"id"`) != 2 {
		t.Errorf("a refused request left a user: %s", w.Body)
	}
}

// faulty is a store that cannot do it.
type faulty struct {
	directory.Store
	err error
}

func (f faulty) ListUsers(context.Context, store.UserQuery) ([]store.User, error) { return nil, f.err }

// TestUsersAPIFaults guards what a caller is told when it is not their mistake, and whether to come again.
func TestUsersAPIFaults(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*usersLab)
		method string
		status int
		code   string
		want   string
		retry  bool
		logged bool
	}{
		"no configuration yet": {func(l *usersLab) { l.snapshot = func() *directory.Snapshot { return nil } }, "GET", 503, "temporarily_unavailable", "no configuration", true, false},
		"no store":             {func(l *usersLab) { l.base.Store = config.Store{Type: config.StoreNone} }, "GET", 501, "no_store", "spec.store.type of the AuthServer is None", false, false},
		"no store to add to":   {func(l *usersLab) { l.base.Store = config.Store{Type: config.StoreNone} }, "POST", 501, "no_store", "None", false, false},
		"a store that forgets": {func(l *usersLab) { l.base.Store.Persistent = false }, "POST", 409, "conflict", "spec.store.embedded.persistentVolumeClaim", false, false},
		"a store that is away": {func(l *usersLab) {
			l.directory.Store = faulty{l.store, fmt.Errorf("listing: %w", store.ErrUnavailable)}
		}, "GET", 503, "temporarily_unavailable", "the store cannot be reached", true, false},
		"a store that fails": {func(l *usersLab) { l.directory.Store = faulty{l.store, errors.New("disk I/O error")} }, "GET", 500, "server_error", "see the server's log", false, true},
		"no slot to hash in": {func(l *usersLab) {
			l.directory.Hash = func(context.Context, []byte) (string, error) { return "", password.ErrBusy }
		}, "POST", 503, "temporarily_unavailable", "passwords", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := newUsersLab(t)
			c.change(l)
			l.reload()
			l.table = routes{}
			l.add(l.table, func(h http.HandlerFunc) http.HandlerFunc { return h })
			body := ""
			if c.method == "POST" {
				body = `{"email":"eve@acme.example","password":"` + newPassword + `"}`
			}
			w := l.ask(c.method, "/users", body)
			var got errorBody
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != c.status || got.Error != c.code || !strings.Contains(got.Description, c.want) {
				t.Errorf("%d %s, want %d %s %q", w.Code, w.Body, c.status, c.code, c.want)
			}
			if retry := w.Header().Get("Retry-After") != ""; retry != c.retry {
				t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
			}
			if logged := strings.Contains(l.logs.String(), "disk I/O error"); logged != c.logged || strings.Contains(w.Body.String(), "disk") {
				t.Errorf("logged: %s; told: %s", &l.logs, w.Body)
			}
		})
	}
}

// TestUsersAPINeedsTheToken guards who may ask, and that the whole server serves the API: a user who is added can log in, and is out when disabled.
func TestUsersAPINeedsTheToken(t *testing.T) {
	l := newLab(t, render(t, baseOf(func(b *config.Base) {
		b.Store.Persistent = true
		b.Providers = []config.Provider{{Object: "IdentityProvider/default/staff", Name: "staff", DisplayName: "staff", Type: config.ProviderPassword, Organization: "acme", Password: &config.Password{}}}
	}), 1))
	l.opsAuth.set(opsToken)
	ask := func(token, method, target, body string) int {
		t.Helper()
		r := httptest.NewRequest(method, target, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		l.opsHandler.ServeHTTP(w, r)
		return w.Code
	}
	in := func() int {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, "/api/v1/login", strings.NewReader(`{"email":"bob@acme.example","password":"`+newPassword+`"}`))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		l.publicHandler.ServeHTTP(w, r)
		return w.Code
	}
	const bob = `{"email":"bob@acme.example","password":"` + newPassword + `"}`
	for _, e := range (&usersHandler{}).endpoints() {
		if code := ask("guessed", e.method, strings.ReplaceAll(e.path, "{user}", "bob@acme.example"), bob); code != 401 {
			t.Errorf("%s %s with another token: %d", e.method, e.path, code)
		}
	}
	for i, step := range []struct{ got, want int }{
		{in(), 401}, {ask(opsToken, "POST", "/users", bob), 201}, {in(), 200}, {ask(opsToken, "PATCH", "/users/bob@acme.example", `{"disabled":true}`), 200}, {in(), 401},
		{ask(opsToken, "PATCH", "/users/bob@acme.example", `{"disabled":false}`), 200}, {in(), 200}, {ask(opsToken, "DELETE", "/users/bob@acme.example", ""), 200}, {in(), 401},
	} {
		if step.got != step.want {
			t.Errorf("step %d: %d, want %d", i, step.got, step.want)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/users", strings.NewReader(bob)) // not on the public listener
	w := httptest.NewRecorder()
	r.Header.Set("Authorization", "Bearer "+opsToken)
	if l.publicHandler.ServeHTTP(w, r); w.Code != 404 {
		t.Errorf("the public listener answers %d", w.Code)
	}
}

// TestUsersKey guards that a user's name is one segment, read once.
func TestUsersKey(t *testing.T) {
	for path, want := range map[string][2]string{
		"/users": {"/users", ""}, "/users/a": {pathUser, "a"}, "/users/a%2Fb": {pathUser, "a/b"}, "/users/a%252Fb": {pathUser, "a%2Fb"}, "/users/a+b": {pathUser, "a+b"},
		"/users/..": {pathUser, ".."}, "/users/a/unlock": {pathUserUnlock, "a"}, "/users/unlock": {pathUser, "unlock"}, "/users//unlock": {"/users//unlock", ""},
		"/users/{user}": {pathUser, "{user}"}, "/users/{user}/unlock/": {"/users/{user}/unlock/", ""}, "/metrics": {"/metrics", ""}, "/users/%zz": {"/users/%zz", ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if diff := cmp.Diff(want, [2]string{usersKey(r, path), r.PathValue("user")}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}
