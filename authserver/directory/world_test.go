// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Users of the Secret.
const (
	secretEmail = "Sue@Acme.example"
	secretName  = "sue"
)

// subject is what stands for the subject of a user of the Secret.
func subject(email string) string { return uuid.NewSHA1(uuid.NameSpaceURL, []byte(email)).String() }

// lines collects a log, from several goroutines.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// take returns the events since the last time, each as "event key=value …" of what tests look at.
func (l *lines) take(t testing.TB) []string {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var told []string
	for line := range strings.Lines(l.b.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if m["user"] == "" || m["organization"] == "" {
			t.Errorf("an event without its user: %s", line)
		}
		text, _ := m["event"].(string)
		if from, ok := m["from"].(string); ok {
			text += " " + from + ">" + m["to"].(string)
		}
		if fields, ok := m["fields"].([]any); ok {
			for _, f := range fields {
				text += " " + f.(string)
			}
		}
		told = append(told, text)
	}
	l.b.Reset()
	return told
}

// world is a directory on a real store, with the configuration that tests change.
type world struct {
	*Directory
	store store.Store
	now   time.Time
	log   lines
	base  config.Base
}

func newWorld(t testing.TB) *world {
	t.Helper()
	s, err := store.OpenSQLite(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return newWorldOn(s)
}

func newWorldOn(s store.Store) *world {
	provider := func(name, organization string) config.Provider {
		return config.Provider{
			Object: "IdentityProvider/default/" + name, Name: name, Type: config.ProviderOIDC, Organization: organization,
			UserSync: config.SyncAlways, Linking: config.LinkingNone,
			Mappings: &config.ProviderMappings{
				Username: config.Source{Claims: []string{"preferred_username"}}, Email: config.Source{Claims: []string{"email"}},
				Name: config.Source{Claims: []string{"name"}}, Phone: config.Source{Claims: []string{"phone"}},
			},
		}
	}
	w := &world{store: s, now: start, base: config.Base{
		Store: config.Store{Type: config.StoreEmbedded, Persistent: true},
		Providers: []config.Provider{
			{
				Object: "IdentityProvider/default/staff", Name: "staff", Type: config.ProviderPassword, Organization: "acme",
				Password: &config.Password{MinLength: 10, Users: []config.User{{Email: secretEmail, Username: secretName, Name: "Sue S", Groups: []string{"boss"}}}},
			},
			provider("sso", "acme"), provider("hub", "acme"), provider("lab", "acme"), provider("far", "globex"),
		},
	}}
	w.Directory = &Directory{
		Store: s, Now: func() time.Time { return w.now }, Random: rand.Reader, Log: slog.New(slog.NewJSONHandler(&w.log, nil)),
	}
	return w
}

func (w *world) snapshot() *Snapshot { return NewSnapshot(&w.base, subject) }

func (w *world) provider(name string) *config.Provider {
	for i := range w.base.Providers {
		if w.base.Providers[i].Name == name {
			return &w.base.Providers[i]
		}
	}
	return nil
}

// linking makes providers link.
func (w *world) linking(names ...string) {
	for _, name := range names {
		w.provider(name).Linking = config.LinkingVerifiedEmail
	}
}

// comes is a login that has to succeed.
func (w *world) comes(t testing.TB, provider string, in Login) (store.User, Outcome) {
	t.Helper()
	u, o, err := w.Provision(t.Context(), w.snapshot(), w.provider(provider), in)
	if err != nil {
		t.Fatalf("%s at %s: %v", in.Subject, provider, err)
	}
	return u, o
}

// bob is a login of somebody at a provider.
func bob(subject string, changes ...func(*Login)) Login {
	in := Login{
		Issuer: "https://idp.example", Subject: subject, Username: "bob", Email: "Bob@Acme.example", EmailVerified: true,
		Name: "Bob B", Phone: "+1 555", Comment: "likes doors", Groups: []string{"dev"},
	}
	for _, change := range changes {
		change(&in)
	}
	return in
}

// add makes an administrator's user.
func (w *world) add(t testing.TB, email string) Entry {
	t.Helper()
	e, err := w.Add(t.Context(), w.snapshot(), NewUser{Email: email, Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// conflicts tells whether err is a *ConflictError with the words.
func conflicts(err error, words string) bool {
	var c *ConflictError
	return errors.As(err, &c) && strings.Contains(c.Problem, words)
}

// invalid tells whether err is an *InvalidError of the field with the words.
func invalid(err error, field, words string) bool {
	var i *InvalidError
	return errors.As(err, &i) && i.Field == field && strings.Contains(i.Problem, words)
}
