// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

const directory = "72f988bf-86f1-41af-91ab-2d7cd011db47"

// TestChecks guards what a policy asks of registered claims, at their edges.
func TestChecks(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	audience := func(c *token.Claims) error { return CheckAudience(c, []string{"api", "web"}) }
	age := func(c *token.Claims) error { return CheckAge(c, time.Hour, 30*time.Second, now) }
	nonce := func(c *token.Claims) error { return CheckNonce(c, "n-1") }
	tid := func(c *token.Claims) error { return CheckDirectory(c, directory) }
	for _, row := range []struct {
		check   func(*token.Claims) error
		payload string
		want    token.Reason
	}{
		{audience, `{"aud":"api"}`, ""},
		{audience, `{"aud":["x","web"]}`, ""},
		{audience, `{"aud":"API"}`, ReasonAudience},
		{audience, `{"aud":"api "}`, ReasonAudience},
		{audience, `{"aud":[]}`, ReasonAudience},
		{audience, `{"aud":""}`, ReasonAudience},
		{audience, `{}`, ReasonAudience},
		{func(c *token.Claims) error { return CheckAudience(c, nil) }, `{"aud":"api"}`, ReasonAudience},

		{age, `{"iat":1000000}`, ""},
		{age, `{"iat":996400}`, ""}, // an hour
		{age, `{"iat":996370}`, ""}, // and the leeway
		{age, `{"iat":996369.9}`, ReasonTooOld},
		{age, `{"iat":996369}`, ReasonTooOld},
		{age, `{"iat":0}`, ReasonTooOld},
		{age, `{}`, ReasonTooOld},

		{nonce, `{"nonce":"n-1"}`, ""},
		{nonce, `{"nonce":"n-2"}`, ReasonNonce},
		{nonce, `{"nonce":""}`, ReasonNonce},
		{nonce, `{}`, ReasonNonce},
		{func(c *token.Claims) error { return CheckNonce(c, "") }, `{}`, ReasonNonce},

		{tid, `{"tid":"` + directory + `"}`, ""},
		{tid, `{"tid":"` + strings.ToUpper(directory) + `"}`, ReasonDirectory},
		{tid, `{"tid":"11111111-2222-3333-4444-555555555555"}`, ReasonDirectory},
		{tid, `{"tid":["` + directory + `"]}`, ReasonDirectory},
		{tid, `{"tid":""}`, ReasonDirectory},
		{tid, `{}`, ReasonDirectory},
		{func(c *token.Claims) error { return CheckDirectory(c, "") }, `{}`, ReasonDirectory},
	} {
		err := row.check(read(t, row.payload))
		e, refused := errors.AsType[*token.Error](err)
		if row.want == "" && err != nil || row.want != "" && (!refused || e.Reason != row.want || errors.Is(err, ErrForbidden)) {
			t.Errorf("%s: %v, want %q", row.payload, err, row.want)
		}
	}
}

// TestExample guards that an example is judged by every part of a policy that judges tokens, and by times only if it names
// one.
func TestExample(t *testing.T) {
	p := &config.Policy{
		TenantID:      "acme",
		Issuers:       []config.Issuer{{Issuer: "https://idp.example"}, {Issuer: "https://entra.example", Directory: directory}},
		Audiences:     []string{"api"},
		Leeway:        config.Duration(30 * time.Second),
		MaxTokenAge:   config.Duration(time.Hour),
		RequiredNonce: "n",
		Claims: config.ClaimRules{
			Username: config.Username{Source: claim("sub"), PrefixWithTenant: true},
			Rules:    []config.ClaimRule{{Expression: "claims.plan in ['gold', 'silver']"}},
		},
	}
	const good = `{"iss":"https://idp.example","aud":"api","nonce":"n","sub":"bob","plan":"gold","iat":1000000,"exp":1000600}`
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0) }
	for _, row := range []struct {
		name     string
		old, new string
		now      time.Time
		want     token.Reason
	}{
		{"good", "", "", at(1_000_100), ""},
		{"good, times not judged", "", "", time.Time{}, ""},
		{"no times, not judged", `,"iat":1000000,"exp":1000600`, "", time.Time{}, ""},
		{"no times", `,"iat":1000000,"exp":1000600`, "", at(1_000_100), token.ReasonExpMissing},
		{"expired", "", "", at(1_000_630), token.ReasonExpired},
		{"expired, not judged", `1000600`, `1000001`, time.Time{}, ""},
		{"too old", `1000600`, `9000600`, at(1_003_631), ReasonTooOld},
		{"wrong type", `"aud":"api"`, `"aud":1`, at(1_000_100), token.ReasonClaimType},
		{"wrong type of a time, not judged", `"exp":1000600`, `"exp":"1000600"`, time.Time{}, token.ReasonClaimType},
		{"twice", `"sub":"bob"`, `"sub":"bob","sub":"eve"`, at(1_000_100), token.ReasonDuplicateMember},
		{"issuer", `idp.example`, `evil.example`, at(1_000_100), ReasonIssuer},
		{"issuer with a slash", `idp.example`, `idp.example/`, at(1_000_100), ReasonIssuer},
		{"directory absent", `idp.example`, `entra.example`, at(1_000_100), ReasonDirectory},
		{"directory", `"iss":"https://idp.example"`, `"iss":"https://entra.example","tid":"` + directory + `"`, at(1_000_100), ""},
		{"audience", `"aud":"api"`, `"aud":"web"`, at(1_000_100), ReasonAudience},
		{"nonce", `"nonce":"n",`, ``, at(1_000_100), ReasonNonce},
		{"rule", `gold`, `bronze`, at(1_000_100), ReasonClaimRule},
		{"username", `"sub":"bob"`, `"sub":""`, at(1_000_100), ReasonUsername},
	} {
		if row.old != "" && strings.Count(good, row.old) != 1 {
			t.Fatalf("%s: %s does not occur once", row.name, row.old)
		}
		id, err := Example(p, []byte(strings.Replace(good, row.old, row.new, 1)), row.now)
		e, refused := errors.AsType[*token.Error](err)
		switch {
		case row.want == "" && (err != nil || id.User != "acme/bob"):
			t.Errorf("%s: %+v, %v", row.name, id, err)
		case row.want != "" && (!refused || e.Reason != row.want):
			t.Errorf("%s: %v, want %s", row.name, err, row.want)
		}
	}
	broken := *p
	broken.Claims.Rules = []config.ClaimRule{{Expression: "("}}
	if _, err := Example(&broken, []byte(good), at(1_000_100)); err == nil || !strings.HasPrefix(err.Error(), "claims.rules[0].expression") {
		t.Errorf("a policy that does not compile: %v", err)
	}
}

// TestExampleWithoutIssuers guards that examples of a policy that takes claims directly inside the encryption, and names no
// issuer, come out as its tokens do; those of any other policy without issuers do not pass.
func TestExampleWithoutIssuers(t *testing.T) {
	p := &config.Policy{
		TenantID:   "acme",
		Decryption: &config.Decryption{Direct: true},
		Claims:     config.ClaimRules{Username: config.Username{Source: claim("sub")}},
	}
	if id, err := Example(p, []byte(`{"sub":"bob"}`), time.Time{}); err != nil || id.User != "bob" {
		t.Errorf("%+v, %v", id, err)
	}
	for _, p.Decryption = range []*config.Decryption{nil, {}} {
		if _, err := Example(p, []byte(`{"sub":"bob"}`), time.Time{}); err == nil {
			t.Error("passes without issuers")
		}
	}
}
