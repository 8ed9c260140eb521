// SPDX-License-Identifier: Apache-2.0

package login

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"
)

func (w *world) attempt(t *testing.T, email, pass string, from netip.Addr) error {
	t.Helper()
	_, err := w.Login(t.Context(), w.snapshot(), Credentials{Email: email, Password: pass, Client: from})
	return err
}

func wait(err error) time.Duration {
	var locked *LockedError
	if !errors.As(err, &locked) {
		return 0
	}
	return locked.RetryAfter
}

func TestTenFailuresLockNameAndAddress(t *testing.T) {
	for _, email := range []string{"bob@acme.example", "unknown@acme.example"} {
		t.Run(email, func(t *testing.T) {
			w := newWorld(t, "")
			for i := range 10 {
				if err := w.attempt(t, email, "wrong", client); !errors.Is(err, ErrInvalidCredentials) {
					t.Fatalf("attempt %d: %v", i+1, err)
				}
			}
			if got := wait(w.attempt(t, email, correct, client)); got != time.Minute {
				t.Errorf("after ten failures: wait %v, want a minute", got)
			}
			if err := w.attempt(t, email, "wrong", netip.MustParseAddr("192.0.2.2")); !errors.Is(err, ErrInvalidCredentials) {
				t.Errorf("another address: %v", err)
			}
			if err := w.attempt(t, "eve@acme.example", correct, client); err != nil {
				t.Errorf("another name: %v", err)
			}
			w.later(time.Minute)
			if err := w.attempt(t, email, "wrong", client); !errors.Is(err, ErrInvalidCredentials) {
				t.Errorf("after the lock: %v", err)
			}
		})
	}
}

func counted(t *testing.T, m *MemoryLockout, a Attempt, now time.Time, ok bool) time.Duration {
	t.Helper()
	wait, err := m.Report(t.Context(), a, now, ok)
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

func checked(t *testing.T, m *MemoryLockout, a Attempt, now time.Time) time.Duration {
	t.Helper()
	wait, err := m.Check(t.Context(), a, now)
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

func TestLocksDoubleToAnHourAndAreForgotten(t *testing.T) {
	m, now := NewMemoryLockout(DefaultLockout), start
	a := NewAttempt("bob@acme.example", client)
	lock := func() time.Duration {
		for range 10 {
			counted(t, m, a, now, false)
		}
		d := checked(t, m, a, now)
		now = now.Add(d)
		return d
	}
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		if got := lock(); got != want*time.Minute {
			t.Errorf("lock of %v, want %v", got, want*time.Minute)
		}
		m.accounts.remove(a.Name) // the other bound has a test of its own
	}
	now = now.Add(time.Hour)
	if got := lock(); got != time.Minute {
		t.Errorf("after an hour without a lock: %v, want a minute", got)
	}
}

func TestOldFailuresAndSuccessesClear(t *testing.T) {
	m, a := NewMemoryLockout(DefaultLockout), NewAttempt("bob@acme.example", client)
	for range 9 {
		counted(t, m, a, start, false)
	}
	counted(t, m, a, start.Add(15*time.Minute), false) // a new window
	for range 8 {
		counted(t, m, a, start.Add(15*time.Minute), false)
	}
	if got := checked(t, m, a, start.Add(15*time.Minute)); got != 0 {
		t.Errorf("failures of two windows add up: %v", got)
	}
	counted(t, m, a, start.Add(15*time.Minute), true)
	for range 9 {
		counted(t, m, a, start.Add(16*time.Minute), false)
	}
	if got := checked(t, m, a, start.Add(16*time.Minute)); got != 0 {
		t.Errorf("a success does not clear: %v", got)
	}
}

func TestAnAccountIsLockedOverAllAddressesButTheUsersOwn(t *testing.T) {
	m := NewMemoryLockout(DefaultLockout)
	own := NewAttempt("bob@acme.example", client)
	counted(t, m, own, start, true)
	for i := range 100 {
		a := NewAttempt("bob@acme.example", netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}))
		if got := counted(t, m, a, start, false); got != 0 {
			t.Fatalf("failure %d: %v", i+1, got)
		}
	}
	if got := checked(t, m, NewAttempt("bob@acme.example", netip.MustParseAddr("203.0.113.1")), start); got != time.Minute {
		t.Errorf("a fresh address: %v, want a minute", got)
	}
	if got := checked(t, m, own, start); got != 0 {
		t.Errorf("the user's own address: %v", got)
	}
	if got := checked(t, m, NewAttempt("eve@acme.example", netip.MustParseAddr("203.0.113.1")), start); got != 0 {
		t.Errorf("another account: %v", got)
	}
	if m.isKnown(own, start.Add(30*24*time.Hour)) {
		t.Error("an address is known for more than 30 days")
	}
}

func TestNetworksAreIPv4AddressesAndIPv6Halves(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"2001:db8::1", "2001:db8::ffff:1", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
	} {
		a, b := NewAttempt("x", netip.MustParseAddr(tt.a)), NewAttempt("x", netip.MustParseAddr(tt.b))
		if (a == b) != tt.same {
			t.Errorf("%s and %s: same %v, want %v", tt.a, tt.b, a == b, tt.same)
		}
	}
	if NewAttempt("x", netip.Addr{}) != NewAttempt("x", netip.Addr{}) {
		t.Error("attempts without an address do not count as one")
	}
}

// TestGuessesSideBySideLearnNoMoreThanTen sends wrong and right passwords at once: after ten failures even the right one,
// already being computed, is answered as locked.
func TestGuessesSideBySideLearnNoMoreThanTen(t *testing.T) {
	w := newWorld(t, "")
	results := make([]error, 40)
	var wg sync.WaitGroup
	for worker := range 8 { // no more at a time, so that none waits too long for the verifier
		wg.Go(func() {
			for i := worker; i < len(results); i += 8 {
				results[i] = w.attempt(t, "bob@acme.example", "wrong", client)
			}
		})
	}
	wg.Wait()
	told := 0
	for _, err := range results {
		switch {
		case errors.Is(err, ErrInvalidCredentials):
			told++
		case wait(err) == 0:
			t.Errorf("got %v", err)
		}
	}
	if told != 10 {
		t.Errorf("%d guesses were answered, want 10", told)
	}
	// The same, step by step: Check let the attempt pass, then others locked the name.
	m, a := NewMemoryLockout(DefaultLockout), NewAttempt("bob@acme.example", client)
	for range 10 {
		counted(t, m, a, start, false)
	}
	if got := counted(t, m, a, start, true); got != time.Minute {
		t.Errorf("the right password during the lock: wait %v, want a minute", got)
	}
}

func TestTablesAreBounded(t *testing.T) {
	table := newTable[string, int](3)
	for i := range 5 {
		table.put(fmt.Sprint(i), i)
		table.put("0", i) // written again and again, it stays
	}
	if len(table.rows) != 3 || table.order.Len() != 3 {
		t.Errorf("%d rows, %d in order", len(table.rows), table.order.Len())
	}
	for key, want := range map[string]bool{"0": true, "1": false, "2": false, "3": true, "4": true} {
		if _, ok := table.get(key); ok != want {
			t.Errorf("row %s: %v, want %v", key, ok, want)
		}
	}
}
