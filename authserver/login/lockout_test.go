// SPDX-License-Identifier: Apache-2.0

package login

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
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
	for _, email := range []string{"bob@acme.example", "unknown@acme.example", "sue@acme.example", "gone@acme.example"} {
		t.Run(email, func(t *testing.T) {
			w := newWorld(t, "")
			w.put(t, sue())
			w.put(t, disabled())
			spellings := []string{email, " " + strings.ToUpper(email), strings.Replace(email, "@", "＠", 1)}
			for i := range 10 {
				if err := w.attempt(t, spellings[i%3], "wrong", client); !errors.Is(err, ErrInvalidCredentials) {
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

// lockoutLab is a StoreLockout with the settings of a test.
type lockoutLab struct {
	StoreLockout
	LockoutSettings
	t *testing.T
}

func newLockoutLab(t *testing.T) *lockoutLab {
	return &lockoutLab{StoreLockout{newWorld(t, "").Store}, DefaultLockout, t}
}

func (l *lockoutLab) report(a Attempt, now time.Time, ok bool) Verdict {
	l.t.Helper()
	v, err := l.Report(l.t.Context(), l.LockoutSettings, a, now, ok)
	if err != nil {
		l.t.Fatal(err)
	}
	return v
}

func (l *lockoutLab) fails(n int, a Attempt, now time.Time) (v Verdict) {
	l.t.Helper()
	for range n {
		v = l.report(a, now, false)
	}
	return v
}

func (l *lockoutLab) wait(a Attempt, now time.Time) time.Duration {
	l.t.Helper()
	wait, err := l.Check(l.t.Context(), l.LockoutSettings, a, now)
	if err != nil {
		l.t.Fatal(err)
	}
	return wait
}

func TestLocksDoubleToAnHourAndAreForgotten(t *testing.T) {
	l, now := newLockoutLab(t), start
	a := NewAttempt("bob@acme.example", client)
	l.report(a, now, true) // a known network: the other bounds have tests of their own
	lock := func() time.Duration {
		if v := l.fails(9, a, now); v.Locked != "" || v.Wait != 0 {
			t.Errorf("nine failures: %+v", v)
		}
		if v := l.fails(1, a, now); v.Locked != LockedPair || v.Wait != 0 {
			t.Errorf("the tenth failure: %+v", v)
		}
		d := l.wait(a, now)
		now = now.Add(d)
		return d
	}
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		if got := lock(); got != want*time.Minute {
			t.Errorf("lock of %v, want %v", got, want*time.Minute)
		}
	}
	now = now.Add(time.Hour)
	if got := lock(); got != time.Minute {
		t.Errorf("after an hour without a lock: %v, want a minute", got)
	}
}

func TestOldFailuresAndSuccessesClear(t *testing.T) {
	l, a := newLockoutLab(t), NewAttempt("bob@acme.example", client)
	l.fails(9, a, start)
	l.fails(9, a, start.Add(15*time.Minute)) // a new window
	if got := l.wait(a, start.Add(15*time.Minute)); got != 0 {
		t.Errorf("failures of two windows add up: %v", got)
	}
	for range 2 {
		l.report(a, start.Add(15*time.Minute), true)
		l.fails(9, a, start.Add(16*time.Minute))
		if got := l.wait(a, start.Add(16*time.Minute)); got != 0 {
			t.Errorf("a success does not clear: %v", got)
		}
	}
}

func TestAnAccountIsLockedOverAllAddressesButTheUsersOwn(t *testing.T) {
	l := newLockoutLab(t)
	own := NewAttempt("bob@acme.example", client)
	l.report(own, start, true)
	for i := range 100 {
		a := NewAttempt("bob@acme.example", netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}))
		if got := l.report(a, start, false); got.Wait != 0 || (got.Locked == LockedName) != (i == 99) {
			t.Fatalf("failure %d: %+v", i+1, got)
		}
	}
	fresh := netip.MustParseAddr("203.0.113.1")
	for name, tt := range map[string]struct {
		attempt Attempt
		want    time.Duration
	}{
		"a fresh address":        {NewAttempt("bob@acme.example", fresh), time.Minute},
		"the user's own address": {own, 0},
		"another account":        {NewAttempt("eve@acme.example", fresh), 0},
	} {
		if got := l.wait(tt.attempt, start); got != tt.want {
			t.Errorf("%s: wait %v, want %v", name, got, tt.want)
		}
	}
	if got := l.report(NewAttempt("bob@acme.example", fresh), start, true); got.Wait != time.Minute {
		t.Errorf("the right password from a fresh address: %+v", got)
	}
}

func TestAnAddressIsLockedOverAllNamesButThoseItKnows(t *testing.T) {
	l := newLockoutLab(t)
	network := func(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i+1)) }
	own := NewAttempt("bob@acme.example", network(500))
	l.report(own, start, true)
	for i := range 100 {
		a := NewAttempt(fmt.Sprintf("u%d@acme.example", i), network(i))
		if got := l.report(a, start, false); got.Wait != 0 || (got.Locked == LockedNetwork) != (i == 99) {
			t.Fatalf("failure %d: %+v", i+1, got)
		}
	}
	for name, tt := range map[string]struct {
		attempt Attempt
		want    time.Duration
	}{
		"another name from there":         {NewAttempt("eve@acme.example", network(600)), time.Minute},
		"who has logged in from there":    {own, 0},
		"the same name from elsewhere":    {NewAttempt("u1@acme.example", client), 0},
		"the neighbour's half of the /48": {NewAttempt("eve@acme.example", netip.MustParseAddr("2001:db8:0:1::1")), 0},
	} {
		if got := l.wait(tt.attempt, start); got != tt.want {
			t.Errorf("%s: wait %v, want %v", name, got, tt.want)
		}
	}
	// A name of one's own does not clear the count of the network.
	l.report(own, start.Add(time.Minute), true)
	l.fails(99, NewAttempt("bob@acme.example", network(1)), start.Add(time.Minute)) // known: not counted for the network
	if got := l.wait(NewAttempt("eve@acme.example", network(1)), start.Add(time.Minute)); got != 0 {
		t.Errorf("failures of a known name count for the network: %v", got)
	}
}

func TestAnAddressIsKnownForThirtyDays(t *testing.T) {
	for after, want := range map[time.Duration]time.Duration{30*24*time.Hour - time.Second: 0, 30 * 24 * time.Hour: time.Minute} {
		l, own := newLockoutLab(t), NewAttempt("bob@acme.example", client)
		l.report(own, start, true)
		now := start.Add(after)
		for i := range 100 {
			l.report(NewAttempt("bob@acme.example", netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})), now, false)
		}
		if got := l.wait(own, now); got != want {
			t.Errorf("after %v: wait %v, want %v", after, got, want)
		}
	}
}

func TestSettingsOfTheLockout(t *testing.T) {
	if got := lockoutOf(config.Lockout{}); got != DefaultLockout {
		t.Errorf("without settings: %+v", got)
	}
	got := lockoutOf(config.Lockout{MaxFailures: 3, Window: config.Duration(time.Hour), Duration: config.Duration(2 * time.Hour)})
	if want := (LockoutSettings{MaxFailures: 3, Window: time.Hour, Duration: 2 * time.Hour, MaxDuration: 2 * time.Hour}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	w := newWorld(t, "")
	w.base.Login.Lockout = config.Lockout{MaxFailures: 2, Duration: config.Duration(30 * time.Second)}
	for range 2 {
		if err := w.attempt(t, "bob@acme.example", "wrong", client); !errors.Is(err, ErrInvalidCredentials) {
			t.Fatal(err)
		}
	}
	if got := wait(w.attempt(t, "bob@acme.example", correct, client)); got != 30*time.Second {
		t.Errorf("wait %v, want 30s", got)
	}
}

// TestReplicasShareLockouts guards that guesses spread over two servers of one store count together, and that forgetting a
// name's counters unlocks it on both.
func TestReplicasShareLockouts(t *testing.T) {
	one := newWorld(t, "")
	two := &Service{Store: one.Store, Verifier: password.NewVerifier(8), Random: rand.Reader, Now: one.Now, Log: one.Log}
	two.Verifier.Wait = 5 * time.Minute
	credentials := Credentials{Email: "bob@acme.example", Password: "wrong", Client: client}
	for i := range 10 {
		s := []*Service{one.Service, two}[i%2]
		if _, err := s.Authenticate(t.Context(), one.snapshot(), credentials); !errors.Is(err, ErrInvalidCredentials) {
			t.Fatalf("attempt %d: %v", i+1, err)
		}
	}
	credentials.Password = correct
	for i, s := range []*Service{one.Service, two} {
		if _, err := s.Authenticate(t.Context(), one.snapshot(), credentials); wait(err) != time.Minute {
			t.Errorf("service %d after ten failures: %v", i+1, err)
		}
	}
	if n, err := one.Store.ForgetCounters(t.Context(), NewAttempt("bob@acme.example", client).Name); n == 0 || err != nil {
		t.Fatal(n, err)
	}
	if _, err := two.Authenticate(t.Context(), one.snapshot(), credentials); err != nil {
		t.Errorf("after unlocking: %v", err)
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
	l, a := newLockoutLab(t), NewAttempt("bob@acme.example", client)
	l.fails(10, a, start)
	if got := l.report(a, start, true); got.Wait != time.Minute {
		t.Errorf("the right password during the lock: %+v, want a minute", got)
	}
}
