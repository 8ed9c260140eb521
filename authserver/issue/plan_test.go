// SPDX-License-Identifier: Apache-2.0

package issue

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// maker makes keys of one material with numbered key IDs, so that years can be planned in a second.
type maker struct {
	template map[string]config.SigningKey
	made     int
}

func newMaker(t *testing.T) *maker {
	return &maker{template: map[string]config.SigningKey{"ES256": generate(t, "ES256", now), "EdDSA": generate(t, "EdDSA", now)}}
}

func (m *maker) generate(algorithm string, activeFrom time.Time) (config.SigningKey, error) {
	k := m.template[algorithm]
	m.made++
	k.KeyID, k.ActiveFrom = fmt.Sprintf("key-%d", m.made), activeFrom
	return k, nil
}

var usual = Settings{Algorithm: "ES256", RotationInterval: 720 * time.Hour, AccessTokenLifetime: 15 * time.Minute}

func plan(t *testing.T, m *maker, keys []config.SigningKey, s Settings, at time.Time) Planned {
	t.Helper()
	p, err := Plan(keys, s, at, m.generate)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Plan(p.Keys, s, at, m.generate); err != nil || again.Changed {
		t.Fatalf("planning again at once changes something: %v\n%s", err, cmp.Diff(p.Keys, again.Keys))
	}
	if !p.Next.After(at) {
		t.Fatalf("the next plan is at %v, which is not after %v", p.Next, at)
	}
	return p
}

func TestFirstKeySignsAtOnce(t *testing.T) {
	p := plan(t, newMaker(t), nil, usual, now)
	if len(p.Keys) != 1 || !p.Keys[0].ActiveFrom.Equal(now) || !p.Keys[0].RetireAfter.IsZero() || !p.Changed {
		t.Errorf("got %+v", p)
	}
}

func TestOneRotationStepByStep(t *testing.T) {
	m := newMaker(t)
	first := plan(t, m, nil, usual, now)
	due := now.Add(usual.RotationInterval - PublishLead)
	if p := plan(t, m, first.Keys, usual, due.Add(-time.Second)); p.Changed || p.Next.After(due) {
		t.Errorf("a second before: changed %v, next %v, want nothing until %v", p.Changed, p.Next, due)
	}
	second := plan(t, m, first.Keys, usual, due)
	end := now.Add(usual.RotationInterval)
	retire := end.Add(usual.AccessTokenLifetime + RetireMargin)
	if len(second.Keys) != 2 || !second.Keys[1].ActiveFrom.Equal(end) || !second.Keys[0].RetireAfter.Equal(retire) {
		t.Fatalf("when due: %+v", second.Keys)
	}
	if p := plan(t, m, second.Keys, usual, retire); len(p.Keys) != 2 {
		t.Errorf("at its last second the old key is gone")
	}
	if p := plan(t, m, second.Keys, usual, retire.Add(time.Second)); len(p.Keys) != 1 || p.Keys[0].KeyID != "key-2" {
		t.Errorf("the old key is kept: %+v", p.Keys)
	}
}

func TestAlgorithmChangeIsPublishedFirst(t *testing.T) {
	m := newMaker(t)
	first := plan(t, m, nil, usual, now)
	changed := usual
	changed.Algorithm = "EdDSA"
	at := now.Add(time.Hour)
	p := plan(t, m, first.Keys, changed, at)
	if len(p.Keys) != 2 || p.Keys[1].Algorithm != "EdDSA" || !p.Keys[1].ActiveFrom.Equal(at.Add(PublishLead)) {
		t.Fatalf("got %+v", p.Keys)
	}
	// Changing back before it signs supersedes it, and it is left in place for replicas that are behind.
	p = plan(t, m, p.Keys, usual, at.Add(time.Minute))
	if len(p.Keys) != 3 || p.Keys[2].Algorithm != "ES256" || !p.Keys[2].ActiveFrom.After(p.Keys[1].ActiveFrom) {
		t.Fatalf("changed back: %+v", p.Keys)
	}
	// Changing again and again ends at the bound.
	for i := range 20 {
		s := []Settings{changed, usual}[i%2]
		p = plan(t, m, p.Keys, s, at.Add(time.Duration(2+i)*time.Minute))
	}
	if len(p.Keys) > MaxKeys {
		t.Errorf("%d keys", len(p.Keys))
	}
}

func TestUnreadableKeysAreReplaced(t *testing.T) {
	m := newMaker(t)
	first := plan(t, m, nil, usual, now)
	broken := slices.Clone(first.Keys)
	broken[0].PrivateKey = "broken"
	p := plan(t, m, broken, usual, now.Add(time.Hour))
	if len(p.Keys) != 1 || p.Keys[0].KeyID != "key-2" || !p.Keys[0].ActiveFrom.Equal(now.Add(time.Hour)) || !p.Changed {
		t.Errorf("got %+v", p)
	}
	failed := errors.New("no randomness")
	if _, err := Plan(nil, usual, now, func(string, time.Time) (config.SigningKey, error) { return config.SigningKey{}, failed }); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
}

func TestNoRotationWithoutAnInterval(t *testing.T) {
	m := newMaker(t)
	s := usual
	s.RotationInterval = 0
	first := plan(t, m, nil, s, now)
	if p := plan(t, m, first.Keys, s, now.AddDate(10, 0, 0)); p.Changed {
		t.Errorf("changed to %+v", p.Keys)
	}
}

// TestNoTokenEverMeetsAVerifierWithoutItsKey plans three weeks minute by minute, with changes of every setting, and checks
// each minute's token: its key was in the JWKS long enough before for a cached copy and a replica that is behind, and stays there until the token has expired.
func TestNoTokenEverMeetsAVerifierWithoutItsKey(t *testing.T) {
	const minutes, behind = 21 * 24 * 60, 5 // replicas may be 5 minutes behind, caches CacheFor
	m := newMaker(t)
	published := map[string][2]int{} // key ID → first and last minute
	needed := map[string][2]int{}    // key ID → first signature, last expiry
	var keys []config.SigningKey
	var history [][]config.SigningKey
	for minute := range minutes {
		at := now.Add(time.Duration(minute) * time.Minute)
		s := settingsAt(minute)
		p, err := Plan(keys, s, at, m.generate)
		if err != nil {
			t.Fatal(err)
		}
		keys = p.Keys
		history = append(history, keys)
		for _, k := range keys {
			if _, ok := published[k.KeyID]; !ok {
				published[k.KeyID] = [2]int{minute, minute}
			}
			published[k.KeyID] = [2]int{published[k.KeyID][0], minute}
		}
		for _, list := range [][]config.SigningKey{keys, history[max(0, minute-behind)]} {
			kid := activeAt(list, at)
			span, ok := needed[kid]
			if !ok {
				span[0] = minute
			}
			needed[kid] = [2]int{span[0], max(span[1], minute+int(s.AccessTokenLifetime.Minutes()))}
		}
	}
	if len(needed) < 20 {
		t.Fatalf("only %d keys signed: the simulation rotates too little", len(needed))
	}
	for kid, span := range needed {
		if first := published[kid][0]; kid != "key-1" && span[0]-first < int(CacheFor.Minutes())+behind {
			t.Errorf("%s signed in minute %d, published in minute %d", kid, span[0], first)
		}
		if last := published[kid][1]; last < min(span[1]+behind, minutes-1) {
			t.Errorf("%s was dropped after minute %d, its last token expires in minute %d", kid, last, span[1])
		}
	}
	if n := len(keys); n > MaxKeys {
		t.Errorf("%d keys are left", n)
	}
}

func settingsAt(minute int) Settings {
	s := Settings{Algorithm: "ES256", RotationInterval: 12 * time.Hour, AccessTokenLifetime: 15 * time.Minute}
	day := minute / (24 * 60)
	if day%5 == 3 {
		s.AccessTokenLifetime = 10 * time.Hour // raised for a day, then lowered again
	}
	if day%4 == 2 {
		s.Algorithm = "EdDSA"
	}
	if day == 17 {
		s.RotationInterval = time.Minute
	}
	return s
}

// activeAt repeats the rule of Signer.at.
func activeAt(keys []config.SigningKey, at time.Time) string {
	id := keys[0].KeyID
	for _, k := range keys {
		if !k.ActiveFrom.After(at) {
			id = k.KeyID
		}
	}
	return id
}
