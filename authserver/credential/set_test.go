// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
	"github.com/gatehouse-auth/gatehouse/test/tokenendpoint"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const secret = "a-secret-that-signs-assertions-of-tests"

// clock is a time that a test changes.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// lab is what sets are made with.
type lab struct {
	options Options
	clock   clock
	reach   outbound.Profile
	ended   chan Attempt
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{clock: clock{at: now}, reach: outbound.Profile{AllowedCIDRs: "127.0.0.0/8"}, ended: make(chan Attempt, 100)}
	l.options = Options{
		Clients: outbound.NewClients(outbound.Options{}), Now: l.clock.now, Random: rand.Reader, Jitter: func() float64 { return 0.5 },
		Ended: func(_ *Credential, a Attempt) { l.ended <- a },
	}
	return l
}

func (l *lab) endpoint(t *testing.T) *tokenendpoint.Endpoint {
	t.Helper()
	return tokenendpoint.Start(t, tokenendpoint.Options{Algorithm: "HS256", Key: []byte(secret), Issuer: "gatehouse", Subject: "robot", Now: l.clock.now})
}

// of is a credential that asks the endpoint, "" for one whose JWT is the token.
func of(name, endpoint string) policy.Credential {
	c := &config.Credential{
		Object: "IdentityProvider/default/" + name, Name: name, Algorithm: "HS256", Issuer: "gatehouse", Subject: "robot", Audience: "https://api.example",
		Key:      json.RawMessage(`{"kty":"oct","k":"` + base64.RawURLEncoding.EncodeToString([]byte(secret)) + `"}`),
		Lifetime: config.Duration(time.Hour), TokenEndpoint: endpoint, AllowedCallers: "tenant == 'acme'",
	}
	if endpoint != "" {
		c.Audience, c.GrantType = endpoint, tokenendpoint.Grant
	}
	return policy.Credential{Credential: c}
}

func changed(from policy.Credential, change func(*config.Credential)) policy.Credential {
	c := *from.Credential
	change(&c)
	return policy.Credential{Credential: &c, CABundle: from.CABundle}
}

func token(t *testing.T, s *Set, name string) string {
	t.Helper()
	got, err := s.Get(name).TokenWithin(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return got.Value
}

// TestWhatIsKept guards whose token outlives a change of configuration: that of a credential of which nothing changed, the way to its endpoint included, and no other.
func TestWhatIsKept(t *testing.T) {
	l := newLab(t)
	e := l.endpoint(t)
	api := of("api", e.URL())
	first := NewSet(nil, []policy.Credential{api}, l.reach, &l.options)
	value := token(t, first, "api")
	other := of("other", e.URL())
	same := changed(api, func(*config.Credential) {}) // read anew
	for name, row := range map[string]struct {
		list  []policy.Credential
		reach outbound.Profile
		kept  bool
	}{
		"nothing":                 {[]policy.Credential{api}, l.reach, true},
		"another came":            {[]policy.Credential{other, api}, l.reach, true},
		"its file was read again": {[]policy.Credential{same}, l.reach, true},
		"its key":                 {[]policy.Credential{changed(api, func(c *config.Credential) { c.KeyID = "k2" })}, l.reach, false},
		"a claim":                 {[]policy.Credential{changed(api, func(c *config.Credential) { c.Claims = map[string]json.RawMessage{"a": []byte("1")} })}, l.reach, false},
		"its callers":             {[]policy.Credential{changed(api, func(c *config.Credential) { c.AllowedCallers = "" })}, l.reach, false},
		"what may be dialled":     {[]policy.Credential{api}, outbound.Profile{AllowedCIDRs: "127.0.0.0/8,10.0.0.0/8"}, false},
		"its object":              {[]policy.Credential{changed(api, func(c *config.Credential) { c.Object = "IdentityProvider/other/api" })}, l.reach, false},
	} {
		before := e.Requests()
		s := NewSet(first, row.list, row.reach, &l.options)
		if e.Requests() != before {
			t.Errorf("%s: making a set asked the endpoint", name)
		}
		if kept := s.Get("api") == first.Get("api"); kept != row.kept {
			t.Errorf("%s changed: kept %v", name, kept)
		}
		if row.kept && token(t, s, "api") != value {
			t.Errorf("%s changed: the token went", name)
		}
	}
	if NewSet(first, first.list, l.reach, &l.options) != first {
		t.Error("nothing changed, and the set is another")
	}
	gone := NewSet(first, nil, l.reach, &l.options)
	if gone.Len() != 0 || gone.Get("api") != nil || token(t, first, "api") != value {
		t.Error("a credential that was removed is there, or whoever holds it still lost the token")
	}
	var none *Set
	if none.Get("api") != nil || none.Len() != 0 || none.Callers("api") != nil {
		t.Error("no set holds something")
	}
}

// TestCallersOfASet guards that a name that is not there has callers like one that admits nobody.
func TestCallersOfASet(t *testing.T) {
	l := newLab(t)
	s := NewSet(nil, []policy.Credential{of("api", ""), changed(of("closed", ""), func(c *config.Credential) { c.AllowedCallers = "" })}, l.reach, &l.options)
	if s.Callers("api") == nil || s.Callers("closed") == nil || s.Callers("nothing") == nil || s.Callers("") == nil {
		t.Error("a name has no callers to judge by: it would take less work than another")
	}
}

// TestBroken guards that a credential that cannot be used is there, says why without saying what, and has no token.
func TestBroken(t *testing.T) {
	l := newLab(t)
	s := NewSet(nil, []policy.Credential{
		changed(of("key", ""), func(c *config.Credential) { c.Key = json.RawMessage(`{"kty":"oct","k":"aHVzaA"}`) }),
		changed(of("callers", ""), func(c *config.Credential) { c.AllowedCallers = "hush(" }),
		of("fine", ""),
	}, outbound.Profile{}, &l.options)
	bundle := of("bundle", "https://idp.example/token")
	bundle.CABundle = outbound.NewBundle("hush")
	s2 := NewSet(s, []policy.Credential{bundle}, outbound.Profile{}, &l.options)
	for name, want := range map[string]string{"key": "keySecretRef: ", "callers": "allowedCallers: ", "bundle": "CA bundle"} {
		c := s.Get(name)
		if c == nil {
			c = s2.Get(name)
		}
		st := c.Status(now)
		if st.Ready || !st.Fetched || st.Serving || st.Reason != assertion.ReasonInvalidSource || !strings.HasPrefix(st.Message, want) || st.Since != now || strings.Contains(st.Message, "hush") {
			t.Errorf("%s: %+v", name, st)
		}
		var failure *assertion.Error
		if _, err := c.TokenWithin(t.Context(), time.Minute); !errors.As(err, &failure) || failure.Reason != assertion.ReasonInvalidSource {
			t.Errorf("%s: %v", name, err)
		}
	}
	if token(t, s, "fine") == "" {
		t.Error("another has no token either")
	}
}

// TestAttempts guards what is told of each attempt, and that it is told when the outcome turns.
func TestAttempts(t *testing.T) {
	l := newLab(t)
	e := l.endpoint(t)
	c := NewSet(nil, []policy.Credential{of("api", e.URL())}, l.reach, &l.options).Get("api")
	if st := c.Status(now); st.Fetched || st.Reason != "NotYetFetched" {
		t.Errorf("%+v", st)
	}
	at := now
	step := func(name string, behaviour tokenendpoint.Behaviour, past time.Duration, turned, failed, serving bool, reason string) {
		t.Helper()
		e.Misbehave(behaviour)
		at = at.Add(past)
		l.clock.set(at)
		_, _ = c.TokenWithin(t.Context(), time.Minute)
		a := <-l.ended
		if a.Turned != turned || (a.Failure != nil) != failed {
			t.Errorf("%s: %+v", name, a)
		}
		if st := c.Status(at); st.Reason != reason || st.Ready == failed || st.Serving != serving || (st.Message == "") == failed {
			t.Errorf("%s: %+v", name, st)
		}
	}
	refused := tokenendpoint.Answer(400, `{"error":"invalid_grant"}`)
	step("a first failure", refused, 0, true, true, false, "RequestRefused")
	step("another like it", refused, 2*time.Minute, false, true, false, "RequestRefused")
	step("one of another kind", tokenendpoint.Answer(500, ""), 2*time.Minute, true, true, false, "BadStatus")
	step("it is well again", nil, 2*time.Minute, true, false, true, "Ready")
	step("renewed", nil, 55*time.Minute, false, false, true, "Ready")
	step("it fails with a token at hand", refused, 55*time.Minute, true, true, true, "RequestRefused")
	if st := c.Status(at); !strings.Contains(st.Message, "the token at hand serves until 2026-01-02T05:05:05Z") {
		t.Errorf("%+v", st)
	}
	if _, err := c.TokenWithin(t.Context(), time.Minute); err != nil {
		t.Errorf("the token at hand does not serve: %v", err)
	}
}

// TestAFirstSuccessIsNoTurn guards that servers that start well say nothing.
func TestAFirstSuccessIsNoTurn(t *testing.T) {
	l := newLab(t)
	c := NewSet(nil, []policy.Credential{of("api", "")}, l.reach, &l.options).Get("api")
	if _, err := c.TokenWithin(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if a := <-l.ended; a.Turned || a.Failure != nil || !a.ValidUntil.Equal(now.Add(time.Hour)) {
		t.Errorf("%+v", a)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.TokenWithin(ctx, time.Minute); err != nil {
		t.Errorf("a token at hand waits for somebody: %v", err)
	}
}
