// SPDX-License-Identifier: Apache-2.0

package login

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReadAccessToken(t *testing.T) {
	w := newWorld(t, "")
	g := w.login(t, "bob@acme.example")
	snap := w.snapshot()
	want := &Account{Subject: "5a98379d-35e3-5cd9-a8d6-e9bfd31f1237", Organization: "acme", Username: "bob", Email: "Bob@Acme.example", Name: "Bob B", Groups: []string{"dev"}}
	got, err := snap.ReadAccessToken(g.AccessToken, start)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	other := newWorld(t, "")
	w.base.Tokens.Audience = []string{"https://another.example"}
	audience := w.snapshot()
	w.base.Tokens.Audience = []string{"https://api.example"}
	w.base.ExternalURL = "https://new.example"
	issuer := w.snapshot()
	parts := strings.Split(g.AccessToken, ".")
	for name, tt := range map[string]struct {
		snap *Snapshot
		raw  string
		now  time.Time
	}{
		"expired":           {snap, g.AccessToken, start.Add(15*time.Minute + ownLeeway)},
		"another's keys":    {other.snapshot(), g.AccessToken, start},
		"another audience":  {audience, g.AccessToken, start},
		"another issuer":    {issuer, g.AccessToken, start},
		"a refresh token":   {snap, g.RefreshToken, start},
		"nothing":           {snap, "", start},
		"no signature":      {snap, parts[0] + "." + parts[1] + ".", start},
		"another's payload": {snap, parts[0] + "." + strings.Split(other.login(t, "eve@acme.example").AccessToken, ".")[1] + "." + parts[2], start},
	} {
		if a, err := tt.snap.ReadAccessToken(tt.raw, tt.now); !errors.Is(err, ErrInvalidToken) || a != nil {
			t.Errorf("%s: %v, %v", name, a, err)
		}
	}
}
