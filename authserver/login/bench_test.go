// SPDX-License-Identifier: Apache-2.0

package login

import (
	"crypto/rand"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/password"
)

// BenchmarkLogin compares a whole login with the hash alone.
func BenchmarkLogin(b *testing.B) {
	phc, err := password.Hash([]byte(correct), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	w := newWorld(b, b.TempDir())
	w.users()[0].Hash = phc
	snap := w.snapshot()
	b.Run("bare argon2id", func(b *testing.B) {
		for b.Loop() {
			if ok, err := w.Verifier.Verify(b.Context(), phc, []byte(correct)); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
	b.Run("login", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.Login(b.Context(), snap, Credentials{Email: "bob@acme.example", Password: correct, Client: client}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRefresh(b *testing.B) {
	for name, dir := range map[string]string{"file": b.TempDir(), "memory": ""} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, dir)
			snap, g := w.snapshot(), w.login(b, "bob@acme.example")
			for b.Loop() {
				var err error
				if g, err = w.Refresh(b.Context(), snap, g.RefreshToken); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
