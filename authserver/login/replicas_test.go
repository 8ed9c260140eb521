// SPDX-License-Identifier: Apache-2.0

package login

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
	"github.com/gatehouse-auth/gatehouse/test/postgres"
)

// newReplicas are two services with connections of their own to one PostgreSQL database.
func newReplicas(t *testing.T) (w *world, services [2]*Service) {
	t.Helper()
	dsn := postgres.Start(t)
	for i := range services {
		s, err := store.OpenPostgreSQL(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		if i == 0 {
			w = newWorldOver(t, s)
		}
		services[i] = &Service{Store: s, Verifier: password.NewVerifier(8), Random: rand.Reader, Now: w.Now, Log: w.Log}
		services[i].Verifier.Wait = 5 * time.Minute
	}
	return w, services
}

// TestReplicasOverPostgreSQL guards what two servers of one database share, with everything sent to both at once.
func TestReplicasOverPostgreSQL(t *testing.T) {
	w, services := newReplicas(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	side := func(f func(i int, s *Service)) {
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() { f(i, services[i%2]) })
		}
		wg.Wait()
	}
	w.base.Login.RedirectURIs = []string{redirectURI}
	w.put(t, sue())
	snap := w.snapshot()

	t.Run("refresh families", func(t *testing.T) {
		g := w.login(t, "sue@acme.example")
		successors := [20]string{}
		side(func(i int, s *Service) {
			next, err := s.Refresh(ctx, snap, g.RefreshToken)
			if err != nil {
				t.Errorf("refresh %d: %v", i, err)
				return
			}
			successors[i] = next.RefreshToken
		})
		for i, token := range successors {
			if token != successors[0] || token == "" {
				t.Errorf("successor %d differs", i)
			}
		}
		w.refresh(t, successors[0])
	})
	t.Run("codes", func(t *testing.T) {
		a, err := w.Authenticate(ctx, snap, Credentials{Email: "sue@acme.example", Password: correct, Client: client})
		if err != nil {
			t.Fatal(err)
		}
		x := Exchange{RedirectURI: redirectURI, Verifier: verifier}
		if x.Code, err = w.NewCode(ctx, snap, a, Handoff{RedirectURI: redirectURI, Challenge: challengeOf(verifier), Method: ChallengeMethod}); err != nil {
			t.Fatal(err)
		}
		var granted atomic.Int64
		side(func(i int, s *Service) {
			g, err := s.ExchangeCode(ctx, snap, x)
			if err == nil && g != nil {
				granted.Add(1)
			} else if !errors.Is(err, ErrInvalidGrant) {
				t.Errorf("exchange %d: %v", i, err)
			}
		})
		if granted.Load() > 1 {
			t.Errorf("one code was exchanged %d times", granted.Load())
		}
	})
	t.Run("lockouts", func(t *testing.T) {
		var told, locked atomic.Int64
		side(func(i int, s *Service) {
			_, err := s.Authenticate(ctx, snap, Credentials{Email: "bob@acme.example", Password: "wrong", Client: client})
			switch {
			case errors.Is(err, ErrInvalidCredentials):
				told.Add(1)
			case wait(err) == time.Minute:
				locked.Add(1)
			default:
				t.Errorf("guess %d: %v", i, err)
			}
		})
		if told.Load() != 10 || locked.Load() != 10 {
			t.Errorf("%d guesses were answered and %d locked out, want 10 and 10", told.Load(), locked.Load())
		}
	})
}
