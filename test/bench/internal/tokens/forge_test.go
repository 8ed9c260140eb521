// SPDX-License-Identifier: Apache-2.0

package tokens

import (
	"errors"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// TestForge guards that forged tokens are refused for their signature and for nothing before it.
func TestForge(t *testing.T) {
	for _, algorithm := range []string{"RS256", "ES256"} {
		for _, unknown := range []bool{false, true} {
			m, err := NewMinter(algorithm, time.Now(), time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			good, err := m.Mint(1)
			if err != nil {
				t.Fatal(err)
			}
			list, err := m.Forge(200, unknown)
			if err != nil {
				t.Fatal(err)
			}
			kids := map[any]bool{}
			for _, token := range list {
				if len(token.Raw) != len(good[0].Raw) {
					t.Errorf("%d characters, want %d as of good ones", len(token.Raw), len(good[0].Raw))
				}
				parsed, err := jwt.Parse(token.Raw, func(*jwt.Token) (any, error) { return m.PublicKey(), nil }, jwt.WithStrictDecoding())
				if !errors.Is(err, jwt.ErrTokenSignatureInvalid) {
					t.Fatalf("error %v, want an invalid signature", err)
				}
				kids[parsed.Header["kid"]] = true
			}
			if want := map[bool]int{false: 1, true: len(list)}[unknown]; len(kids) != want || kids[KeyID] == unknown {
				t.Errorf("%s, unknown key %t: %d key IDs, want %d", algorithm, unknown, len(kids), want)
			}
		}
	}
}

// TestNewMinters guards that every one of many quick keys signs for itself alone.
func TestNewMinters(t *testing.T) {
	list, err := NewMinters(50, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range list {
		token, err := m.Mint(1)
		if err != nil {
			t.Fatal(err)
		}
		for j, other := range list {
			_, err := jwt.Parse(token[0].Raw, func(*jwt.Token) (any, error) { return other.PublicKey(), nil })
			if (err == nil) != (i == j) {
				t.Errorf("token of %d with key of %d: %v", i, j, err)
			}
		}
	}
}

func BenchmarkNewMinters(b *testing.B) {
	for b.Loop() {
		if _, err := NewMinters(100, time.Now(), time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}
