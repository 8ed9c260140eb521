// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
)

// TestSourceCondition: a condition says which source, what is wrong and what to do.
func TestSourceCondition(t *testing.T) {
	plain := keys.Source{URL: "https://idp.example/keys?secret=1"}
	discovered := keys.Source{URL: "https://idp.internal/meta", Discovery: true, Issuer: "https://idp.example"}
	ready := keys.Status{Fetched: true, Ready: true, Serving: true, Reason: keys.ReasonReady, Message: "2 keys", Keys: 2, Algorithms: []string{"ES256", "ES384"}}
	with := func(change func(*keys.Status)) keys.Status {
		s := ready
		change(&s)
		return s
	}
	failed := keys.Status{Fetched: true, Reason: keys.ReasonBadStatus, Message: "idp.example answered with status 500, expected 200"}
	for _, tt := range []struct {
		name       string
		src        keys.Source
		status     keys.Status
		algorithms string
		want       condition
	}{
		{"not yet", plain, keys.Status{Reason: keys.ReasonNotYetFetched}, "RS256", condition{Status: "Unknown", Reason: "NotYetFetched"}},
		{"ready", plain, ready, "RS256 ES256", condition{Status: "True", Reason: "Ready", Message: "2 keys"}},
		{"no algorithm fits", plain, ready, "RS256 PS256", condition{Status: "False", Reason: "NoUsableKey",
			Message: "idp.example: no key fits spec.algorithms (RS256, PS256): the keys there are for ES256, ES384; add one of these, or publish a key that fits. 2 keys"}},
		{"keys with problems", plain, with(func(s *keys.Status) {
			s.Problems, s.Message = 1, "2 keys, 1 problem: keys[0] (kid a): RSA key has 1024 bits: use 2048 to 4096"
		}), "ES256",
			condition{Status: "True", Reason: "Ready", Message: "idp.example: 2 keys, 1 problem: keys[0] (kid a): RSA key has 1024 bits: use 2048 to 4096"}},
		{"no key", plain, keys.Status{Fetched: true, Reason: keys.ReasonNoUsableKey, Message: "no key that can verify a token"}, "ES256",
			condition{Status: "False", Reason: "NoUsableKey", Message: "idp.example: no key that can verify a token"}},
		{"failed", plain, failed, "ES256", condition{Status: "False", Reason: "BadStatus", Message: "idp.example answered with status 500, expected 200"}},
		{"discovered and failed", discovered, failed, "ES256", condition{Status: "False", Reason: "BadStatus", Message: `issuer "https://idp.example": idp.example answered with status 500, expected 200`}},
		{"discovered and another's", discovered, keys.Status{Fetched: true, Reason: keys.ReasonIssuerMismatch, Message: "the metadata…"}, "ES256", condition{Status: "False", Reason: "IssuerMismatch", Message: "the metadata…"}},
	} {
		if got := sourceCondition(tt.src, tt.status, strings.Fields(tt.algorithms)); got.Status != tt.want.Status || got.Reason != tt.want.Reason || got.Message != tt.want.Message {
			t.Errorf("%s:\ngot  %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

// TestKeyProblemsAreTold: what is wrong with a key of a fetched set stands in the condition, with the key and the reason.
func TestKeyProblemsAreTold(t *testing.T) {
	c := cast()
	small := (&party{"RS256", "", must(rsa.GenerateKey(rand.Reader, 2048))}).jwk(t)
	changed := func(key json.RawMessage, changes obj) obj {
		var o obj
		if err := json.Unmarshal(key, &o); err != nil {
			t.Fatal(err)
		}
		return o.with(changes)
	}
	acme, initech := c.acme.jwk(t), c.initech.jwk(t)
	for name, tt := range map[string]struct {
		keys   []obj
		status string
		want   []string
	}{
		"duplicate kid":       {[]obj{changed(acme, nil), changed(small, obj{"kid": "k1"})}, "True", []string{`(kid "k1")`, "also fits keys[0] and is refused: give each key a kid of its own"}},
		"for encryption":      {[]obj{changed(acme, obj{"use": "enc"}), changed(acme, obj{"kid": "k2"})}, "True", []string{`keys[0] (kid "k1")`, "use"}},
		"only for encryption": {[]obj{changed(acme, obj{"use": "enc"})}, "False", []string{`no key that can verify a token, 1 problem: keys[0] (kid "k1")`}},
		"too short":           {[]obj{changed(acme, obj{"n": strings.Repeat("x", 171)})}, "False", []string{"bits", "2048 to 4096"}},
		"wrong curve":         {[]obj{changed(initech, obj{"crv": "secp256k1", "alg": nil})}, "False", []string{"keys[0]", "kty or crv is not supported: use RSA, EC (P-256, P-384, P-521)"}},
		"a secret":            {[]obj{{"kty": "oct", "k": strings.Repeat("A", 64)}, changed(acme, nil)}, "True", []string{"keys[0]", "a symmetric key in a public document is no secret"}},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKeyServer(t, httptest.NewServer)
			body := must(json.Marshal(obj{"keys": tt.keys}))
			k.set(func(w http.ResponseWriter) { _, _ = w.Write(body) })
			l := newLab(t, render(t, baseOf(loopback), 1, remote("acme", k.URL, "", "RS256")))
			l.status(t, "acme", c.acme.sign(t, nil, acmeClaims))
			got := l.upstream(t, "acme")
			if got.Status != tt.status || !strings.HasPrefix(got.Message, "127.0.0.1:") {
				t.Errorf("got %+v", got)
			}
			for _, part := range tt.want {
				if !strings.Contains(got.Message, part) {
					t.Errorf("got %q, without %q", got.Message, part)
				}
			}
		})
	}
}

// TestFirstOfSeveralFailures: a policy with a source that fails is not ready, and how many fail is told.
func TestFirstOfSeveralFailures(t *testing.T) {
	c := cast()
	good, bad := newKeyServer(t, httptest.NewServer), newKeyServer(t, httptest.NewServer)
	good.publish(t, c.acme)
	bad.fail()
	l := newLab(t, render(t, baseOf(loopback), 1, policyOf("acme", func(p *config.Policy) {
		p.Issuers = []config.Issuer{{Issuer: "https://a", JWKSURI: good.URL}, {Issuer: "https://b", JWKSURI: bad.URL}, {Issuer: "https://c", JWKSURI: bad.URL + "/2"}}
	})))
	for _, step := range []struct{ issuer, status, message string }{
		{"https://a", "Unknown", ""},
		{"https://b", "False", "status 500, expected 200"},
		{"https://c", "False", "status 500, expected 200 (the first of 2 sources that fail)"},
	} {
		l.status(t, "acme", c.acme.sign(t, nil, obj{"iss": step.issuer, "sub": "bob", "exp": now.Add(time.Hour).Unix()}))
		if got := l.upstream(t, "acme"); got.Status != step.status || !strings.HasSuffix(got.Message, step.message) {
			t.Errorf("after a token of %s: %+v", step.issuer, got)
		}
	}
}

// TestKeysFetched: /configz says when the keys that serve were fetched, and goes on to say it while later fetches fail.
func TestKeysFetched(t *testing.T) {
	since := time.Unix(1_800_000_000, 0)
	sources := map[string]keys.Status{
		"https://a": {Serving: true, Age: time.Minute}, "https://b": {Serving: true, Age: time.Hour, Failures: 3}, "https://c": {Age: 0},
	}
	for _, tt := range []struct {
		urls []string
		want time.Time
	}{
		{nil, time.Time{}}, {[]string{"https://c"}, time.Time{}}, {[]string{"https://a", "https://c"}, since.Add(-time.Minute)}, {[]string{"https://a", "https://b"}, since.Add(-time.Hour)},
	} {
		p := policyOf("acme", func(p *config.Policy) {
			p.Issuers = []config.Issuer{inline(t, "https://inline", cast().acme)}
			for _, url := range tt.urls {
				p.Issuers = append(p.Issuers, config.Issuer{Issuer: url, JWKSURI: url})
			}
		})
		l := newLab(t, render(t, baseOf(loopback), 1, p))
		for compiled := range l.snapshot.Load().policies.Policies() {
			got := keysFetched(compiled, func(src keys.Source) keys.Status { return sources[src.URL] }, since)
			if !got.Equal(tt.want) {
				t.Errorf("%v: %v, want %v", tt.urls, got, tt.want)
			}
		}
	}
	k, c := newKeyServer(t, httptest.NewServer), cast()
	k.publish(t, c.acme)
	l := newLab(t, render(t, baseOf(loopback), 1, remote("acme", k.URL, "", "RS256")))
	if got := l.upstream(t, "acme"); !got.Fetched.IsZero() {
		t.Errorf("before the first fetch: %+v", got)
	}
	l.status(t, "acme", c.acme.sign(t, nil, acmeClaims))
	if got := l.upstream(t, "acme"); got.Fetched.IsZero() || got.Fetched.After(l.now()) {
		t.Errorf("after it: %+v", got)
	}
}
