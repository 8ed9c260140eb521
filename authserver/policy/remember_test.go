// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

func newDecisions() *Decisions { return NewDecisions(8<<20, 4<<20) }

// warm asks until the decision comes from memory: a token is remembered when it comes again.
func warm(t *testing.T, s *Set, f *Facts, at time.Time) Decision {
	t.Helper()
	for range 3 {
		if d := s.Decide(t.Context(), f, at); d.Status != http.StatusOK {
			t.Fatalf("%d %s (%s)", d.Status, d.Reason, d.Detail)
		} else if d.Cached {
			return d
		}
	}
	t.Fatal("the decision is not remembered")
	return Decision{}
}

// TestWhatIsRememberedIsTheSame guards that a decision from memory is the one that was made.
func TestWhatIsRememberedIsTheSame(t *testing.T) {
	raw := cast().acme.sign(t, nil, acmeClaims.with(obj{"groups": []string{"a", "b"}, "email": "bob@acme.example"}))
	p := acmePolicy(t, func(p *config.Policy) {
		p.Claims.Groups, p.Claims.Email = config.Source{Claims: []string{"groups"}}, config.Source{Claims: []string{"email"}}
	})
	s := setOf(t, Outbound{Decisions: newDecisions()}, p)
	first := ask(t, s, "acme", raw)
	got := warm(t, s, factsOf(t, "acme", raw), now)
	first.Cached = true
	if diff := cmp.Diff(first, got); diff != "" {
		t.Errorf("decided and remembered differ (-decided +remembered):\n%s", diff)
	}
	want := Identity{User: "bob", PreferredUsername: "bob", Email: "bob@acme.example", Groups: "a,b", Tenant: "acme", Headers: []claims.Header{{Name: "X-Acme-Plan", Value: "gold"}}}
	if diff := cmp.Diff(want, got.Identity); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if st := s.decisions.Stats(); st.Entries != 1 || st.Bytes < len("bobbob@acme.examplea,bbobacmeacmeES256gold") {
		t.Errorf("%+v", st)
	}
}

// TestNothingIsRememberedWithout guards the way to switch it off.
func TestNothingIsRememberedWithout(t *testing.T) {
	s := setOf(t, Outbound{}, acmePolicy(t, nil))
	raw := cast().acme.sign(t, nil, acmeClaims)
	for range 4 {
		if d := ask(t, s, "acme", raw); d.Status != http.StatusOK || d.Cached {
			t.Fatalf("%+v", d)
		}
	}
}

// TestRefusalsAreNotRemembered guards that only 200 is, whatever comes before or after it.
func TestRefusalsAreNotRemembered(t *testing.T) {
	s := setOf(t, Outbound{Decisions: newDecisions()}, acmePolicy(t, nil))
	raw := cast().mallory.sign(t, nil, acmeClaims)
	for range 4 {
		if d := ask(t, s, "acme", raw); d.Status != http.StatusUnauthorized || d.Cached {
			t.Fatalf("%+v", d)
		}
	}
	if st := s.decisions.Stats(); st.Entries != 0 {
		t.Errorf("%+v", st)
	}
}

// TestTimeIsToldAgain guards that a decision from memory ends when the token does, and does not begin before it.
func TestTimeIsToldAgain(t *testing.T) {
	const leeway = 30 * time.Second
	cases := map[string]struct {
		claims      obj
		maxAge      time.Duration
		first, last time.Duration // from now: the first and the last second of it
	}{
		"exp":                   {obj{"iat": nil}, 0, -1e6 * time.Second, time.Hour + leeway - time.Second},
		"iat":                   {obj{}, 0, -time.Minute - leeway, time.Hour + leeway - time.Second},
		"nbf after iat":         {obj{"nbf": now.Add(-10 * time.Second).Unix()}, 0, -10*time.Second - leeway, time.Hour + leeway - time.Second},
		"nbf before iat":        {obj{"nbf": now.Add(-time.Hour).Unix()}, 0, -time.Minute - leeway, time.Hour + leeway - time.Second},
		"maxTokenAge":           {obj{}, 10 * time.Minute, -time.Minute - leeway, 9*time.Minute + leeway - time.Second},
		"maxTokenAge after exp": {obj{}, 10 * time.Hour, -time.Minute - leeway, time.Hour + leeway - time.Second},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := acmePolicy(t, func(p *config.Policy) { p.MaxTokenAge = config.Duration(c.maxAge) })
			s := setOf(t, Outbound{Decisions: newDecisions()}, p)
			f := factsOf(t, "acme", cast().acme.sign(t, nil, acmeClaims.with(c.claims)))
			warm(t, s, f, now)
			for _, at := range []time.Duration{c.first, c.last} {
				if d := s.Decide(t.Context(), f, now.Add(at)); d.Status != http.StatusOK || !d.Cached {
					t.Errorf("after %s: %d %s, from memory %v", at, d.Status, d.Reason, d.Cached)
				}
			}
			beyond := []time.Duration{c.last + 2*time.Second} // whole seconds: maxTokenAge includes its end, memory need not
			if c.first > -time.Hour {
				beyond = append(beyond, c.first-time.Second) // the clock was put back
			}
			for _, at := range slices.Backward(beyond) {
				if d := s.Decide(t.Context(), f, now.Add(at)); d.Status != http.StatusUnauthorized {
					t.Errorf("after %s: %d, from memory %v", at, d.Status, d.Cached)
				}
			}
			if st := s.decisions.Stats(); st.Entries != 0 {
				t.Errorf("an entry that has ended stays: %+v", st)
			}
		})
	}
}

// TestNarrowingIsPartOfWhatIsRemembered guards that a decision for one request is none for another that asks for more.
func TestNarrowingIsPartOfWhatIsRemembered(t *testing.T) {
	s := setOf(t, Outbound{Decisions: newDecisions()}, acmePolicy(t, nil))
	raw := cast().acme.sign(t, nil, acmeClaims)
	right := []string{"x-jwt-issuer: " + acmeIssuer, "x-jwt-client-id: https://api.example", "x-jwt-nonce: n-1"}
	for i := range 8 { // which of them are sent
		var headers []string
		for bit, h := range right {
			if i&(1<<bit) != 0 {
				headers = append(headers, h)
			}
		}
		if d := ask(t, s, "acme", raw, headers...); d.Status != http.StatusOK || d.Cached {
			t.Errorf("%q, for the first time: %d, from memory %v", headers, d.Status, d.Cached)
		}
		warm(t, s, factsOf(t, "acme", raw, headers...), now)
	}
	for _, wrong := range []string{"x-jwt-issuer: n-1", "x-jwt-client-id: " + acmeIssuer, "x-jwt-nonce: https://api.example"} {
		if d := ask(t, s, "acme", raw, wrong); d.Status != http.StatusUnauthorized {
			t.Errorf("%s: %d, from memory %v", wrong, d.Status, d.Cached)
		}
	}
}

// TestTheKeyTellsTextsApart guards that no two requests give the same bytes to hash.
func TestTheKeyTellsTextsApart(t *testing.T) {
	s := setOf(t, Outbound{Decisions: newDecisions()}, acmePolicy(t, nil))
	seen := map[[32]byte]string{}
	for _, j := range []judgement{
		{named: "a", raw: "b"}, {named: "c", raw: "ab"}, {named: "ab"}, {raw: "ab"}, {named: "b", raw: "a"},
		{raw: "ab", narrow: narrowing{hasIssuer: true}}, {raw: "a", narrow: narrowing{issuer: "b", hasIssuer: true}},
		{raw: "a", narrow: narrowing{clientID: "b", hasClientID: true}}, {raw: "a", narrow: narrowing{nonce: "b", hasNonce: true}},
		{raw: "a", narrow: narrowing{issuer: "b", hasIssuer: true, hasNonce: true}},
		{raw: "a", narrow: narrowing{issuer: "c", hasIssuer: true}}, {raw: "a", narrow: narrowing{clientID: "c", hasClientID: true}}, {raw: "a", narrow: narrowing{nonce: "c", hasNonce: true}},
		{named: "c", raw: "b"}, {named: "a", raw: "c"},
		{raw: "ab", asked: &Policy{number: 1}}, {raw: "ab", asked: &Policy{number: 2}},
	} {
		key := s.keyOf(&j)
		if other, ok := seen[key]; ok {
			t.Errorf("%+v has the key of %s", j, other)
		}
		seen[key] = j.named + "|" + j.raw
	}
	o := ownOf(t)
	o.Audience = []string{"x"}
	other, err := NewSet(o, s.shards...)
	if err != nil {
		t.Fatal(err)
	}
	if j := (judgement{raw: "ab"}); other.keyOf(&j) == s.keyOf(&j) {
		t.Error("sets with other own tokens have the same key")
	}
}

// TestAMarkIsNoProof guards that a decision found by the mark of a request is one for that request: marks may be alike.
func TestAMarkIsNoProof(t *testing.T) {
	s := setOf(t, Outbound{Decisions: newDecisions()}, acmePolicy(t, nil))
	bob, ann := cast().acme.sign(t, nil, acmeClaims), cast().acme.sign(t, nil, acmeClaims.with(obj{"sub": "ann"}))
	warm(t, s, factsOf(t, "acme", bob), now)
	r, ok := s.decisions.cache.Get(s.decisions.markOf(&judgement{raw: bob, named: "acme"}))
	if !ok {
		t.Fatal("nothing is remembered at the mark")
	}
	for range 2 {
		s.decisions.cache.Add(1, s.decisions.markOf(&judgement{raw: ann, named: "acme"}), r, 100)
	}
	if d := ask(t, s, "acme", ann); d.Identity.User != "ann" || d.Cached {
		t.Errorf("%s, from memory %v", d.Identity.User, d.Cached)
	}
	if d := ask(t, s, "acme", ann); d.Identity.User != "ann" || !d.Cached { // it took the other's place
		t.Errorf("%s, from memory %v", d.Identity.User, d.Cached)
	}
}

// TestAChangeForgets guards that nothing is answered by a policy, key set or own key that is no more.
func TestAChangeForgets(t *testing.T) {
	const url = "https://idp.acme.example/keys"
	remote := func(p *config.Policy) { p.Issuers = []config.Issuer{{Issuer: acmeIssuer, JWKSURI: url}} }
	raw := cast().acme.sign(t, nil, acmeClaims)

	t.Run("policy", func(t *testing.T) {
		o := Outbound{Decisions: newDecisions()}
		first := shard(t, nil, o, acmePolicy(t, nil))
		before, _ := NewSet(ownOf(t), first)
		warm(t, before, factsOf(t, "acme", raw), now)
		changed, _ := NewSet(ownOf(t), shard(t, first, o, acmePolicy(t, func(p *config.Policy) { p.Audiences = []string{"x"} })))
		if d := ask(t, changed, "acme", raw); d.Status != http.StatusUnauthorized {
			t.Errorf("the changed policy: %d, from memory %v", d.Status, d.Cached)
		}
		back, _ := NewSet(ownOf(t), shard(t, changed.shardForTest(), o, acmePolicy(t, nil)))
		if d := ask(t, back, "acme", raw); d.Status != http.StatusOK || d.Cached {
			t.Errorf("the policy is made anew: %d, from memory %v", d.Status, d.Cached)
		}
	})
	t.Run("another policy changes", func(t *testing.T) {
		o := Outbound{Decisions: newDecisions()}
		other := symmetric(t, "globex", secret, "")
		first := shard(t, nil, o, acmePolicy(t, nil), other)
		before, _ := NewSet(ownOf(t), first)
		warm(t, before, factsOf(t, "acme", raw), now)
		other.Audiences = []string{"x"}
		after, _ := NewSet(ownOf(t), shard(t, first, o, acmePolicy(t, nil), other))
		if d := ask(t, after, "acme", raw); !d.Cached {
			t.Errorf("what did not change is forgotten: %+v", d)
		}
	})
	t.Run("key set", func(t *testing.T) {
		source := &published{}
		key := cast().acme.public(t, nil)
		source.publish(url, jwk.NewSet(key))
		s := setOf(t, Outbound{Keys: source, Decisions: newDecisions()}, acmePolicy(t, remote))
		f := factsOf(t, "acme", raw)
		warm(t, s, f, now)
		source.publish(url, jwk.NewSet(key)) // another set, though it holds the same
		if d := s.Decide(t.Context(), f, now); d.Status != http.StatusOK || d.Cached {
			t.Errorf("another key set: %d, from memory %v", d.Status, d.Cached)
		}
		warm(t, s, f, now)
		source.publish(url, jwk.NewSet(cast().mallory.public(t, nil)))
		if d := s.Decide(t.Context(), f, now); d.Status != http.StatusUnauthorized {
			t.Errorf("the key is withdrawn: %d, from memory %v", d.Status, d.Cached)
		}
		source.publish(url, nil)
		if d := s.Decide(t.Context(), f, now); d.Status != http.StatusServiceUnavailable {
			t.Errorf("no keys are at hand: %d, from memory %v", d.Status, d.Cached)
		}
	})
	t.Run("own keys, issuer or audience", func(t *testing.T) {
		own := cast().own.sign(t, ownHeader, ownClaims.with(obj{"organization": "staff"}))
		part := shard(t, nil, Outbound{Decisions: newDecisions()}, acmePolicy(t, nil))
		set, _ := NewSet(ownOf(t), part)
		warm(t, set, factsOf(t, "", own), now)
		again, _ := NewSet(ownOf(t), part)
		if d := ask(t, again, "", own); !d.Cached {
			t.Errorf("the same keys: %+v", d)
		}
		for name, change := range map[string]func(*Own){
			"keys":     func(o *Own) { o.Keys = jwk.NewSet(newES256("own").public(t, nil)) },
			"no keys":  func(o *Own) { o.Keys = nil },
			"issuer":   func(o *Own) { o.Issuer = "https://other.example" },
			"audience": func(o *Own) { o.Audience = []string{"x"} },
		} {
			o := ownOf(t)
			change(&o)
			changed, _ := NewSet(o, part)
			if d := ask(t, changed, "", own); d.Status == http.StatusOK {
				t.Errorf("other %s: %d, from memory %v", name, d.Status, d.Cached)
			}
		}
	})
	t.Run("the policy of an own token's organization", func(t *testing.T) {
		o := Outbound{Decisions: newDecisions()}
		own := cast().own.sign(t, ownHeader, ownClaims)
		accepting := acmePolicy(t, func(p *config.Policy) { p.AcceptIssuedTokens = true })
		first := shard(t, nil, o, accepting)
		set, _ := NewSet(ownOf(t), first)
		warm(t, set, factsOf(t, "", own), now)
		refusing, _ := NewSet(ownOf(t), shard(t, first, o, acmePolicy(t, nil)))
		if d := ask(t, refusing, "", own); d.Reason != ReasonOwnNotAccepted {
			t.Errorf("it does not accept any more: %+v", d)
		}
		none, _ := NewSet(ownOf(t), shard(t, first, o))
		if d := ask(t, none, "", own); d.Status != http.StatusOK || d.Cached {
			t.Errorf("there is no policy any more: %d, from memory %v", d.Status, d.Cached)
		}
		warm(t, none, factsOf(t, "", own), now)
		if d := ask(t, refusing, "", own); d.Reason != ReasonOwnNotAccepted {
			t.Errorf("remembered without a policy: %+v", d)
		}
	})
}

// shardForTest is a shard with the set's policies, as if it were one file.
func (s *Set) shardForTest() *Shard {
	return s.shards[0]
}

// TestTwoTenantsAndOneToken guards that what one policy accepted is nothing to another, though they are alike.
func TestTwoTenantsAndOneToken(t *testing.T) {
	twin := acmePolicy(t, func(p *config.Policy) {
		p.TenantID, p.Object, p.Claims.Username.PrefixWithTenant = "twin", "TenantJWTPolicy/default/twin", true
	})
	s := setOf(t, Outbound{Decisions: newDecisions()}, acmePolicy(t, func(p *config.Policy) { p.Default = true }), twin)
	raw := cast().acme.sign(t, nil, acmeClaims)
	for range 3 {
		for tenant, user := range map[string]string{"acme": "bob", "twin": "twin/bob", "": "bob"} {
			if d := ask(t, s, tenant, raw); d.Identity.User != user || (tenant != "" && d.Tenant != tenant) {
				t.Errorf("%q: %s for %s, want %s", tenant, d.Identity.User, d.Tenant, user)
			}
		}
	}
	if d := ask(t, s, "twin", raw); !d.Cached || d.Policy != "TenantJWTPolicy/default/twin" {
		t.Errorf("%+v", d)
	}
}

// TestAnOwnTokenIsRememberedForItsOrganization guards that one whose organization has no policy is nothing to another tenant
// without a policy.
func TestAnOwnTokenIsRememberedForItsOrganization(t *testing.T) {
	s := setOf(t, Outbound{Decisions: newDecisions()})
	own := cast().own.sign(t, ownHeader, ownClaims)
	warm(t, s, factsOf(t, "", own), now)
	warm(t, s, factsOf(t, "acme", own), now)
	if d := ask(t, s, "globex", own); d.Reason != ReasonOrganizationDiffers {
		t.Errorf("%d %s, from memory %v", d.Status, d.Reason, d.Cached)
	}
}

// TestSharesOfOneMemory guards that no set counts the policies of two memories, which number them alike.
func TestSharesOfOneMemory(t *testing.T) {
	a := shard(t, nil, Outbound{Decisions: newDecisions()}, acmePolicy(t, nil))
	half := func(n int) *Shard {
		return shardOf(t, nil, Outbound{Decisions: newDecisions()}, &config.Tenants{Count: 2, Shard: n})
	}
	if _, err := NewSet(ownOf(t), half(0), half(1)); err == nil || !strings.Contains(err.Error(), "Decisions") {
		t.Error("two memories were accepted")
	}
	if moved := a.For(Outbound{}); moved == a || moved.outbound.Decisions != nil || moved.tenants["acme"].number != 0 {
		t.Error("a shard kept its memory")
	}
}

// TestAHitDoesNotAllocate guards what remembering is for.
func TestAHitDoesNotAllocate(t *testing.T) {
	s := setOf(t, Outbound{Decisions: newDecisions()}, acmePolicy(t, nil))
	f := factsOf(t, "acme", cast().acme.sign(t, nil, acmeClaims), "x-jwt-nonce: n-1")
	warm(t, s, f, now)
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		if !s.Decide(ctx, f, now).Cached {
			t.Fatal("not from memory")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestRememberingFromSeveralGoroutines is for the race detector.
func TestRememberingFromSeveralGoroutines(t *testing.T) {
	const url = "https://idp.acme.example/keys"
	source := &published{}
	key := cast().acme.public(t, nil)
	source.publish(url, jwk.NewSet(key))
	remote := acmePolicy(t, func(p *config.Policy) { p.Issuers = []config.Issuer{{Issuer: acmeIssuer, JWKSURI: url}} })
	s := setOf(t, Outbound{Keys: source, Decisions: newDecisions()}, remote, symmetric(t, "b", secret, ""))
	var facts []*Facts
	for i := range 8 {
		facts = append(facts, factsOf(t, "acme", cast().acme.sign(t, nil, acmeClaims.with(obj{"jti": string(rune('a' + i))}))))
	}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 200 {
				if worker == 0 && i%20 == 0 {
					source.publish(url, jwk.NewSet(key))
				}
				if d := s.Decide(t.Context(), facts[(i+worker)%len(facts)], now); d.Status != http.StatusOK || d.Identity.User != "bob" {
					t.Errorf("%d %s", d.Status, d.Reason)
				}
			}
		})
	}
	group.Wait()
}

// BenchmarkHit is a token that came before.
func BenchmarkHit(b *testing.B) {
	s := setOf(b, Outbound{Decisions: newDecisions()}, acmePolicy(b, nil))
	f := factsOf(b, "acme", cast().acme.sign(b, nil, acmeClaims.with(obj{"scope": "0123456789012345678901234567890123456789012345678901234567890123456789"})))
	ctx := b.Context()
	for range 2 {
		s.Decide(ctx, f, now)
	}
	b.ReportAllocs()
	for b.Loop() {
		if !s.Decide(ctx, f, now).Cached {
			b.Fatal("not from memory")
		}
	}
}
