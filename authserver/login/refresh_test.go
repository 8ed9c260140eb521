// SPDX-License-Identifier: Apache-2.0

package login

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

func TestRefreshReadsTheUserAgain(t *testing.T) {
	w := newWorld(t, "")
	first := w.login(t, "bob@acme.example")
	w.later(time.Hour)
	w.users()[0].Groups, w.users()[0].Username, w.base.Providers[0].Organization = []string{"ops"}, "robert", "acme-2"
	w.base.Tokens.AccessTokenLifetime, w.base.Tokens.RefreshTokenLifetime = config.Duration(time.Minute), config.Duration(300*time.Hour)
	second := w.refresh(t, first.RefreshToken)
	old, got := claims(t, first.AccessToken), claims(t, second.AccessToken)
	if got["sub"] != old["sub"] || got["jti"] == old["jti"] || second.RefreshToken == first.RefreshToken {
		t.Errorf("sub %v, jti %v; before: %v", got["sub"], got["jti"], old)
	}
	if !reflect.DeepEqual(got["groups"], []any{"ops"}) || got["preferred_username"] != "robert" || got["organization"] != "acme-2" {
		t.Errorf("claims are those of the login: %v", got)
	}
	if second.ExpiresIn != time.Minute || second.RefreshExpiresIn != 300*time.Hour || got["exp"] != float64(start.Add(time.Hour+time.Minute).Unix()) {
		t.Errorf("lifetimes are those of the login: %v", second)
	}
}

func TestRepeatGetsTheSameSuccessorAndReuseRevokes(t *testing.T) {
	w := newWorld(t, "")
	bystander := w.login(t, "bob@acme.example").RefreshToken
	first := w.login(t, "bob@acme.example").RefreshToken
	w.later(time.Hour)
	second := w.refresh(t, first).RefreshToken
	third := w.refresh(t, second).RefreshToken
	w.later(store.Grace - time.Millisecond)
	repeat := w.refresh(t, first)
	if repeat.RefreshToken != second || repeat.RefreshExpiresIn != 720*time.Hour-store.Grace+time.Millisecond {
		t.Errorf("the repeat got another successor, or %v", repeat.RefreshExpiresIn)
	}
	w.later(time.Millisecond)
	w.refused(t, "reuse after the grace", first)
	w.refused(t, "the family's current token after reuse", third)
	w.refresh(t, bystander)
	if !strings.Contains(w.log.String(), "refresh token reused") {
		t.Errorf("the log does not tell it: %s", w.log.String())
	}
}

func TestTwentyUsesAtOnceGetOneSuccessor(t *testing.T) {
	w := newWorld(t, t.TempDir())
	snap, token := w.snapshot(), w.login(t, "bob@acme.example").RefreshToken
	successors, access := sync.Map{}, sync.Map{}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // none waits for another for ever
	defer cancel()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			g, err := w.Refresh(ctx, snap, token)
			if err != nil {
				t.Errorf("Refresh: %v", err)
				return
			}
			successors.Store(g.RefreshToken, true)
			access.Store(g.AccessToken, true)
		})
	}
	wg.Wait()
	count := func(m *sync.Map) (n int) {
		m.Range(func(any, any) bool { n++; return true })
		return n
	}
	if count(&successors) != 1 || count(&access) != 20 {
		t.Errorf("%d successors and %d access tokens, want 1 and 20", count(&successors), count(&access))
	}
}

// TestChangesOfTheUserReachTheFamily goes through what may happen to a user; after it, the state before is restored.
func TestChangesOfTheUserReachTheFamily(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*world)
		back   bool // the family survives, once the change is undone
	}{
		"user removed":            {func(w *world) { w.base.Providers[0].Password.Users = w.users()[1:] }, false},
		"password changed":        {func(w *world) { w.users()[0].Hash = changed }, false},
		"lifetime shortened":      {func(w *world) { w.base.Tokens.RefreshTokenLifetime = config.Duration(time.Hour) }, false},
		"provider removed":        {func(w *world) { w.base.Providers = nil }, true},
		"provider replaced":       {func(w *world) { w.base.Providers[0].Object = "IdentityProvider/default/other" }, true},
		"external URL changed":    {func(w *world) { w.base.ExternalURL = "https://new.example" }, true},
		"provider without a user": {func(w *world) { w.base.Providers[0].Password.Users = nil }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "")
			token := w.login(t, "bob@acme.example").RefreshToken
			w.later(time.Hour)
			before := w.snapshot()
			tt.change(w)
			w.refused(t, "after the change", token)
			if _, err := w.Refresh(t.Context(), before, token); tt.back != (err == nil) || err != nil && !errors.Is(err, ErrInvalidGrant) {
				t.Errorf("with the change undone: %v, want usable %v", err, tt.back)
			}
		})
	}
}

func TestRefreshTokensEnd(t *testing.T) {
	w := newWorld(t, "")
	token := w.login(t, "bob@acme.example").RefreshToken
	for range 3 { // use prolongs
		w.later(720*time.Hour - time.Millisecond)
		token = w.refresh(t, token).RefreshToken
	}
	w.later(720 * time.Hour)
	w.refused(t, "at its end", token)
	for name, bad := range map[string]string{
		"empty": "", "an access token": w.login(t, "bob@acme.example").AccessToken, "never issued": strings.Repeat("A", 64), "padded": token + "=",
	} {
		w.refused(t, name, bad)
	}
}

func TestATokenIsNotUsedUpByAFault(t *testing.T) {
	w := newWorld(t, "")
	token := w.login(t, "bob@acme.example").RefreshToken
	keys := w.signer
	w.signer, _ = issue.NewSigner(nil)
	if _, err := w.Refresh(t.Context(), w.snapshot(), token); !errors.Is(err, issue.ErrNoKey) {
		t.Fatalf("without keys: %v", err)
	}
	w.signer = keys
	w.later(time.Hour)
	w.refresh(t, token)
}

// TestACopyOfTheDatabaseYieldsNoToken reads the database's files right after a rotation, when a sealed successor is in them.
func TestACopyOfTheDatabaseYieldsNoToken(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, dir)
	used := w.login(t, "bob@acme.example").RefreshToken
	current := w.refresh(t, used).RefreshToken
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var database []byte
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		database = append(database, content...)
	}
	if !bytes.Contains(database, []byte("bob@acme.example")) {
		t.Fatal("the family is not in the files that were read")
	}
	for name, token := range map[string]string{"used": used, "current": current} {
		raw, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			t.Fatal(err)
		}
		for part, secret := range map[string][]byte{"text": []byte(token), "bytes": raw, "family": raw[:16], "secret": raw[16:]} {
			if bytes.Contains(database, secret) {
				t.Errorf("the %s token's %s is in the database", name, part)
			}
		}
	}
	if bytes.Contains(database, []byte(hash)) {
		t.Error("the password hash is in the database")
	}
}

func TestNothingSecretIsLogged(t *testing.T) {
	w := newWorld(t, "")
	first := w.login(t, "bob@acme.example")
	second := w.refresh(t, first.RefreshToken)
	w.later(time.Hour)
	w.refused(t, "reuse", first.RefreshToken)
	third := w.login(t, "eve@acme.example")
	w.base.Providers[0].Password.Users = w.users()[:1]
	w.refused(t, "removed user", third.RefreshToken)
	w.put(t, disabled())
	for range 10 {
		for _, email := range []string{"bob@acme.example", "gone@acme.example", "hunter2"} {
			if err := w.attempt(t, email, "guessed", client); !errors.Is(err, ErrInvalidCredentials) {
				t.Fatal(err)
			}
		}
	}
	events := map[string]int{}
	for line := range strings.Lines(w.log.String()) {
		var e struct{ Event, Client, User, Unknown string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Event != "login.revoked" && (e.Client != "192.0.2.1/32" || (e.User == "") == (e.Unknown == "")) {
			t.Errorf("not by whom and from where: %s", line)
		}
		events[e.Event]++
	}
	if diff := cmp.Diff(map[string]int{"login.succeeded": 2, "login.revoked": 2, "login.failed": 30, "login.locked": 3}, events); diff != "" {
		t.Fatalf("events (-want +got):\n%s", diff)
	}
	for _, secret := range []string{first.RefreshToken, second.RefreshToken, third.RefreshToken, first.AccessToken, correct, hash, "acme.example", "hunter2", "guessed"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}
