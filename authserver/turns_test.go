// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestTurns guards how many callbacks are under way at a provider that does not answer: of one network, of all, and how long
// others wait; and that no other provider notices, and nothing is remembered of those who have gone.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns()
		ctx, hangUp := context.WithCancel(t.Context())
		var hanging []func()
		outcomes := make(chan error, 3000)
		for n := range 3000 { // 8 of each network, until the provider has 64
			go func() {
				done, err := turns.take(ctx, "hanging", network(n/100))
				if err == nil {
					<-ctx.Done()
					done()
				}
				outcomes <- err
			}()
		}
		synctest.Wait()
		if q := turns.providers["hanging"]; q.present != turnsPresent || len(q.running) != turnsRunning || len(outcomes) != 3000-turnsPresent {
			t.Fatalf("%d present, %d running, %d refused", q.present, len(q.running), len(outcomes))
		}
		for n := range turnsOfNetwork {
			done, err := turns.take(t.Context(), "other", network(n))
			if err != nil {
				t.Fatalf("another provider: %v", err)
			}
			hanging = append(hanging, done)
		}
		start := time.Now()
		time.Sleep(turnPatience)
		synctest.Wait()
		if q := turns.providers["hanging"]; q.present != turnsRunning || time.Since(start) != turnPatience {
			t.Errorf("%d present once their patience has ended", q.present)
		}
		hangUp()
		synctest.Wait()
		for _, done := range hanging {
			done()
		}
		counts := map[error]int{}
		for range 3000 {
			counts[<-outcomes]++
		}
		if counts[nil] != turnsRunning || counts[errCrowded]+counts[errCrowdedNetwork] != 3000-turnsRunning || len(turns.providers) != 0 {
			t.Errorf("%v; providers %v", counts, turns.providers)
		}
	})
}

// TestTurnsOfOneNetwork guards that one network cannot take them all, and that a turn that ends is free again.
func TestTurnsOfOneNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns()
		var ends []func()
		for range turnsOfNetwork {
			done, err := turns.take(t.Context(), "p", network(1))
			if err != nil {
				t.Fatal(err)
			}
			ends = append(ends, done)
		}
		if _, err := turns.take(t.Context(), "p", network(1)); !errors.Is(err, errCrowdedNetwork) {
			t.Errorf("one more of the network: %v", err)
		}
		if done, err := turns.take(t.Context(), "p", network(2)); err != nil {
			t.Errorf("another network: %v", err)
		} else {
			done()
		}
		ends[0]()
		if done, err := turns.take(t.Context(), "p", network(1)); err != nil {
			t.Errorf("after one has ended: %v", err)
		} else {
			done()
		}
		for _, done := range ends[1:] {
			done()
		}
		if len(turns.providers) != 0 {
			t.Errorf("left: %v", turns.providers)
		}
	})
}
