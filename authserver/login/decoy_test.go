// SPDX-License-Identifier: Apache-2.0

package login

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
)

// Hashes of three costs. The first cost has two.
var (
	quick = []string{hash, changed}
	slow  = "$2b$12$abcdefghijklmnopqrstuubAvJmxpQuyV3jn7x.SUSPxe.DearCPe"
	third = "$scrypt$ln=14,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$0LupyHkzAIgDr9UDsriAAf87vMbCbcaUfDvFOAHk0D0"
)

// listOf is so many users of quick, slow and third hashes, in that order.
func listOf(counts ...int) []config.User {
	var users []config.User
	for i, n := range counts {
		for range n {
			phc := []string{quick[n%2], slow, third}[i]
			users = append(users, config.User{Email: fmt.Sprintf("u%d@acme.example", len(users)), Hash: phc})
		}
	}
	return users
}

func reversed(users []config.User) []config.User {
	slices.Reverse(users)
	return users
}

// unknown are the costs of names that no list holds.
func (w *world) unknown(t testing.TB, key DecoyKey, users []config.User) []string {
	t.Helper()
	w.base.Providers[0].Password.Users = users
	d := NewSnapshot(&w.base, w.signer, key).directory
	costs := make([]string, 2000)
	for i := range costs {
		phc := d.decoys.hash(fmt.Sprintf("unknown%d@acme.example", i))
		if phc == "" {
			continue // the verifier's default
		}
		var err error
		if costs[i], err = password.Cost(phc); err != nil {
			t.Fatal(err)
		}
	}
	return costs
}

// moved counts the names whose cost differs, and of these the ones that now cost what phc does.
func moved(t testing.TB, before, after []string, phc string) (all, to int) {
	t.Helper()
	cost, err := password.Cost(phc)
	if err != nil {
		t.Fatal(err)
	}
	for i := range before {
		if before[i] != after[i] {
			all++
			if after[i] == cost {
				to++
			}
		}
	}
	return all, to
}

// TestChangesOfTheListMoveNoUnknownName guards against telling unknown names by watching what they cost while users come, go
// and change passwords.
func TestChangesOfTheListMoveNoUnknownName(t *testing.T) {
	w, key := newWorld(t, ""), DecoyKey{1}
	for _, row := range []struct {
		name          string
		before, after []config.User
	}{
		{"a user of a known cost comes", listOf(2, 1), listOf(3, 1)},
		{"and in a long list", listOf(100, 20, 9), listOf(101, 20, 9)},
		{"a user goes", listOf(7, 3), listOf(6, 3)},
		{"hundreds come", listOf(64, 8), listOf(511, 63)},
		{"a password changes", listOf(2, 1), append([]config.User{{Email: "u0@acme.example", Hash: quick[1]}}, listOf(2, 1)[1:]...)},
		{"the order changes", listOf(2, 1, 1), reversed(listOf(2, 1, 1))},
	} {
		t.Run(row.name, func(t *testing.T) {
			if all, _ := moved(t, w.unknown(t, key, row.before), w.unknown(t, key, row.after), hash); all > 0 {
				t.Errorf("%d names cost something else", all)
			}
		})
	}
}

// TestUnknownNamesMoveAsFewAsMayBe guards what remains: where a cost appears, vanishes or changes its weight, the names that
// move are those it gains or loses, and no others.
func TestUnknownNamesMoveAsFewAsMayBe(t *testing.T) {
	w, key := newWorld(t, ""), DecoyKey{1}
	for _, row := range []struct {
		name          string
		before, after []config.User
		gains         bool // the cost of slow does; else it loses
		part          float64
	}{
		{"a cost appears", listOf(2, 0, 2), listOf(2, 2, 2), true, 1. / 3},
		{"a cost vanishes", listOf(2, 2, 2), listOf(2, 0, 2), false, 1. / 3},
		{"a cost passes eight users", listOf(7, 7), listOf(7, 8), true, 8./9 - 1./2},
		{"a cost falls below 64 users", listOf(8, 64), listOf(8, 63), false, 8./9 - 1./2},
	} {
		t.Run(row.name, func(t *testing.T) {
			before, after := w.unknown(t, key, row.before), w.unknown(t, key, row.after)
			if !row.gains {
				before, after = after, before
			}
			all, to := moved(t, before, after, slow)
			if all != to {
				t.Errorf("%d names moved between other costs", all-to)
			}
			if part := float64(all) / float64(len(before)); math.Abs(part-row.part) > .05 {
				t.Errorf("%.3f of the names moved, want about %.3f", part, row.part)
			}
		})
	}
}

// TestUnknownNamesAreSpreadAsUsersAre guards that one attempt tells little: a cost that few users have is that of few unknown
// names too.
func TestUnknownNamesAreSpreadAsUsersAre(t *testing.T) {
	w, key := newWorld(t, ""), DecoyKey{1}
	for _, row := range []struct {
		users []config.User
		part  float64 // of slow
	}{
		{listOf(1, 1), 1. / 2}, {listOf(7, 1), 1. / 2}, {listOf(8, 1), 1. / 9}, {listOf(600, 2), 1. / 513}, {listOf(0, 3), 1}, {listOf(3), 0},
	} {
		_, n := moved(t, make([]string, 2000), w.unknown(t, key, row.users), slow)
		if part := float64(n) / 2000; math.Abs(part-row.part) > .05 {
			t.Errorf("%d users: %.3f of unknown names cost what the slow one does, want about %.3f", len(row.users), part, row.part)
		}
	}
	for _, cost := range w.unknown(t, key, nil) {
		if cost != "" {
			t.Fatal("an empty list must leave the work to the verifier's default")
		}
	}
}

// TestDecoysAreChosenByASecret guards that replicas and restarts agree, and that nobody else can say what a name costs.
func TestDecoysAreChosenByASecret(t *testing.T) {
	w, users := newWorld(t, ""), listOf(2, 2)
	keys := make([]DecoyKey, 3)
	for i, secret := range []string{"operations token", "operations token", "another token"} {
		var err error
		if keys[i], err = NewDecoyKey([]byte(secret)); err != nil {
			t.Fatal(err)
		}
	}
	first := w.unknown(t, keys[0], users)
	if all, _ := moved(t, first, w.unknown(t, keys[1], users), slow); all > 0 {
		t.Errorf("two servers of one secret disagree on %d names", all)
	}
	if all, _ := moved(t, first, w.unknown(t, keys[2], users), slow); all < 800 || all > 1200 {
		t.Errorf("another secret moves %d of 2000 names, want about half", all)
	}
	// A known name costs what its own hash does, whatever would be chosen for it.
	w.base.Providers[0].Password.Users = users
	for i, u := range users {
		who, err := w.find(t.Context(), NewSnapshot(&w.base, w.signer, keys[0]).directory, u.Email)
		if err != nil || who.account == nil || who.hash != u.Hash {
			t.Errorf("user %d: %v, %q, %v", i, who.account, who.hash, err)
		}
	}
}
