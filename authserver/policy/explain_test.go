// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
)

// declaredReasons are the values of all constants Reason… of a package.
func declaredReasons(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") || len(spec.Values) != 1 {
				return true
			}
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
				if found[spec.Names[0].Name], err = strconv.Unquote(literal.Value); err != nil {
					t.Fatal(err)
				}
			}
			return true
		})
	}
	if len(found) < 5 {
		t.Fatalf("%s declares only %v", dir, found)
	}
	return found
}

// TestEveryReasonHasOneCheck guards that whatever is told in logs is explained.
func TestEveryReasonHasOneCheck(t *testing.T) {
	rows := map[string][]string{}
	for _, c := range slices.Concat(checks[:], beforeTenant, afterTenant, afterToken) {
		for _, cause := range c.causes {
			rows[string(cause.reason)] = append(rows[string(cause.reason)], c.name)
			if cause.fix == "" {
				t.Errorf("%s has no fix", cause.reason)
			}
		}
		if c.title == "" {
			t.Errorf("%s has nothing to say when it holds", c.name)
		}
	}
	declared := map[string]bool{}
	for _, dir := range []string{"../token", "../claims", "."} {
		for name, value := range declaredReasons(t, dir) {
			declared[value] = true
			if len(rows[value]) != 1 {
				t.Errorf("%s (%s of %s) belongs to the checks %q, want one", value, name, dir, rows[value])
			}
		}
	}
	for value := range rows {
		if !declared[value] {
			t.Errorf("%s is a reason that nobody gives", value)
		}
	}
}

// scene is one request, put together from a good one and its faults.
type scene struct {
	policy config.Policy
	header obj
	claims obj
	signer *keyPair
	outer  obj // header of the encryption, if there is one
	nested func(signed string) string
	mangle []func(raw string) string
	facts  Facts
}

// fault breaks one check. Faults of one list are in the order of the checks.
type fault struct {
	check string
	apply func(*scene)
}

func mangle(f func(string) string) func(*scene) {
	return func(s *scene) { s.mangle = append(s.mangle, f) }
}

// last replaces the last segment.
func last(change func(string) string) func(string) string {
	return func(raw string) string {
		i := strings.LastIndexByte(raw, '.') + 1
		return raw[:i] + change(raw[i:])
	}
}

// requestFaults break what comes before the token's content, of any token.
func requestFaults() []fault {
	return []fault{
		{"headers", func(s *scene) { s.facts.Nonce = []string{"n-1", "n-1"} }},
		{"token", func(s *scene) { s.facts.Authorization = []string{"Bearer x"} }},
		{"tenant", func(s *scene) { s.facts.Route, s.facts.ByRoute = "none", true }},
		{"length", mangle(last(func(sig string) string { return sig + strings.Repeat("A", 16<<10) }))},
		{"characters", mangle(func(raw string) string { return raw + "!" })},
		{"segments", mangle(func(raw string) string { return raw + ".AAAA" })},
	}
}

// claimFaults break what comes after the signature, of any token.
func claimFaults() []fault {
	return []fault{
		{"audience", func(s *scene) { s.policy.Audiences = []string{"https://x.example"} }},
		{"age", func(s *scene) { s.policy.MaxTokenAge = config.Duration(time.Second) }},
		{"nonce", func(s *scene) { s.policy.RequiredNonce = "n-2" }},
		{"narrowing", func(s *scene) { s.facts.Issuer = []string{"https://x.example"} }},
		{"claim_rules", func(s *scene) { s.policy.Claims.Rules = []config.ClaimRule{{Claim: "plan", RequiredValue: "tin"}} }},
	}
}

// faultsOfSigned are those of a token that is signed only.
func faultsOfSigned() []fault {
	return slices.Concat(requestFaults(), []fault{
		{"encryption", func(s *scene) { s.policy.Decryption.Required = true }},
		{"encoding", mangle(last(func(sig string) string { return sig + "AAA" }))}, // 86 and 3 characters leave one over
		{"json", mangle(func(raw string) string {
			return b64(`{"alg":"ES256","alg":"ES256"}`) + raw[strings.IndexByte(raw, '.'):]
		})},
		{"header", func(s *scene) { s.header["kid"] = 7 }},
		{"algorithm", func(s *scene) { s.policy.Algorithms = []string{"ES384"} }},
		{"extensions", func(s *scene) { s.header["crit"] = []string{"x"} }},
		{"type", func(s *scene) { s.header["typ"] = "x" }},
		{"issuer", func(s *scene) { s.claims["iss"] = "https://x.example" }},
		{"key", func(s *scene) { s.header["kid"] = "k2" }},
		{"signature", func(s *scene) { s.signer = cast().mallory }},
		{"claims", func(s *scene) { s.claims["jti"] = 1 }},
		{"times", func(s *scene) { s.claims["exp"] = 1 }},
		{"directory", func(s *scene) { s.policy.Issuers[0].Directory = directoryA }},
	}, claimFaults(), []fault{{"identity", func(s *scene) { s.policy.Claims.Username.Claims = []string{"upn"} }}})
}

// faultsOfOwn are those of one of the server's own tokens.
func faultsOfOwn() []fault {
	return slices.Concat(requestFaults()[:2], requestFaults()[3:], []fault{
		{"encoding", mangle(last(func(sig string) string { return sig + "AAA" }))},
		{"json", mangle(func(raw string) string {
			return b64(`{"alg":"ES256","alg":"ES256"}`) + raw[strings.IndexByte(raw, '.'):]
		})},
		{"header", func(s *scene) { s.header["kid"] = 7 }},
		{"extensions", func(s *scene) { s.header["crit"] = []string{"x"} }},
		{"type", func(s *scene) { s.header["typ"] = "jwt" }},
		{"key", func(s *scene) { s.header["kid"] = "k2" }},
		{"signature", func(s *scene) { s.signer = &keyPair{"own", cast().mallory.method, cast().mallory.private} }},
		{"claims", func(s *scene) { s.claims["jti"] = 1 }},
		{"organization", func(s *scene) { s.facts.Route, s.facts.ByRoute = "globex", true }},
		{"own_tokens", func(s *scene) { s.policy.AcceptIssuedTokens = false }},
		{"times", func(s *scene) { s.claims["exp"] = 1 }},
	}, claimFaults(), []fault{{"identity", func(s *scene) { s.claims["preferred_username"] = "" }}})
}

// faultsOfEncrypted are those of the encryption and of what is inside.
func faultsOfEncrypted() []fault {
	return []fault{
		{"encryption", func(s *scene) { s.policy.Decryption = nil }},
		{"encoding", mangle(last(func(tag string) string { return tag + "AAA" }))}, // 22 and 3 characters leave one over
		{"header", func(s *scene) { s.outer["kid"] = 7 }},
		{"algorithm", func(s *scene) { s.policy.Decryption.KeyAlgorithms = []string{"A256KW"} }},
		{"content_algorithm", func(s *scene) { s.policy.Decryption.ContentAlgorithms = []string{"A256GCM"} }},
		{"extensions", func(s *scene) { s.outer["zip"] = "DEF" }},
		{"content_type", func(s *scene) { s.outer["cty"] = "x" }},
		{"decryption", mangle(last(func(tag string) string { return "AAAA" + tag[4:] }))},
		{"nested", func(s *scene) { s.nested = func(signed string) string { return signed + ".AAAA.AAAA" } }},
		{"type", func(s *scene) { s.header["typ"] = "x" }},
		{"issuer", func(s *scene) { s.claims["iss"] = "https://x.example" }},
		{"key", func(s *scene) { s.header["kid"] = "k2" }},
		{"signature", func(s *scene) { s.signer = cast().mallory }},
		{"times", func(s *scene) { s.claims["exp"] = 1 }},
	}
}

// play applies the faults, the later ones first so that where two meet in one place the earlier one stays, and explains.
func play(t *testing.T, base func(*scene), faults ...fault) (*Report, string) {
	t.Helper()
	s := &scene{header: obj{}, claims: acmeClaims.with(nil), signer: cast().acme, policy: acmePolicy(t, nil)}
	s.policy.Decryption = decryption(t, nil)
	base(s)
	for _, f := range slices.Backward(faults) {
		f.apply(s)
	}
	raw := s.signer.sign(t, s.header, s.claims)
	if s.nested != nil {
		raw = s.nested(raw)
	}
	if s.outer != nil {
		raw = seal(t, s.outer, raw)
	}
	for _, f := range s.mangle {
		raw = f(raw)
	}
	s.facts.Token = []string{raw}
	if !s.facts.ByRoute || s.facts.Route == "none" {
		s.facts.TenantID = []string{"acme"}
	}
	globex := acmePolicy(t, func(p *config.Policy) { p.TenantID, p.AcceptIssuedTokens = "globex", true })
	return setOf(t, Outbound{}, s.policy, globex).Explain(t.Context(), &s.facts, now), raw
}

func failedCheck(r *Report) string {
	i := slices.IndexFunc(r.Checks, func(c Check) bool { return c.Outcome == OutcomeFailed })
	if i < 0 {
		return ""
	}
	return r.Checks[i].Name
}

// TestTheOrderOfTheChecks guards that the table has the order in which the code decides: of any two faults the one of the
// earlier check is told.
func TestTheOrderOfTheChecks(t *testing.T) {
	at := func(name string) int {
		i := slices.IndexFunc(checks[:], func(c check) bool { return c.name == name })
		if i < 0 {
			t.Fatalf("no check is called %s", name)
		}
		return i
	}
	for name, kind := range map[string]struct {
		base   func(*scene)
		faults []fault
	}{
		"signed": {func(*scene) {}, faultsOfSigned()},
		"own": {func(s *scene) {
			s.signer, s.header, s.claims = cast().own, ownHeader.with(nil), ownClaims.with(nil)
			s.policy.AcceptIssuedTokens = true
		}, faultsOfOwn()},
		"encrypted": {func(s *scene) { s.outer = obj{} }, faultsOfEncrypted()},
	} {
		t.Run(name, func(t *testing.T) {
			if r, _ := play(t, kind.base); r.Status != http.StatusOK {
				t.Fatalf("without a fault: %s", marshal(t, r))
			}
			for i, a := range kind.faults {
				if i > 0 && at(a.check) <= at(kind.faults[i-1].check) {
					t.Fatalf("%s is not after %s", a.check, kind.faults[i-1].check)
				}
				for j := range kind.faults[i:] {
					faults := []fault{a, kind.faults[i+j]}[:min(j+1, 2)] // at first the one alone
					r, raw := play(t, kind.base, faults...)
					if got := failedCheck(r); got != a.check {
						t.Errorf("faults of %s and %s: %s fails with %s", a.check, kind.faults[i+j].check, got, r.Reason)
					}
					checkReport(t, r, raw)
				}
			}
		})
	}
}

// checkReport guards what holds of every report of a refusal.
func checkReport(t *testing.T, r *Report, raw string) {
	t.Helper()
	if r.Status == http.StatusOK || r.Reason == "" || r.Fix == "" || r.Headers != nil {
		t.Errorf("status %d, reason %q, fix %q, headers %v", r.Status, r.Reason, r.Fix, r.Headers)
	}
	failed := false
	for _, c := range r.Checks {
		switch {
		case c.Outcome == OutcomeFailed && failed:
			t.Errorf("%s fails too", c.Name)
		case c.Outcome == OutcomeFailed:
			failed = true
		case failed && c.Outcome != OutcomeNotReached:
			t.Errorf("%s is %s after a failure", c.Name, c.Outcome)
		case c.Outcome == OutcomePassed && c.Detail == "":
			t.Errorf("%s says nothing", c.Name)
		}
	}
	checkSilence(t, r, raw)
}

// checkSilence guards that a report holds nothing of the token but what the table shows.
func checkSilence(t *testing.T, r *Report, raw string) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for segment := range strings.SplitSeq(raw, ".") {
		if len(segment) >= 8 && strings.Contains(string(text), segment) {
			t.Errorf("the report holds a segment of the token: %s", text)
		}
	}
	if strings.Contains(string(text), "hush") {
		t.Errorf("the report holds a claim that nobody asked for: %s", text)
	}
}

// TestReportOfAnAcceptedToken guards what a report says, by an example.
func TestReportOfAnAcceptedToken(t *testing.T) {
	p := acmePolicy(t, func(p *config.Policy) {
		p.Audiences = []string{"https://api.example"}
		p.Claims.Rules = []config.ClaimRule{{Claim: "plan", RequiredValue: "gold"}}
	})
	globex := acmePolicy(t, func(p *config.Policy) { p.TenantID, p.Claims.Headers[0].Name = "globex", "X-Zone" })
	raw := cast().acme.sign(t, nil, acmeClaims.with(obj{"private": "hush"}))
	s := setOf(t, Outbound{Decisions: newDecisions()}, p, globex)
	r := s.Explain(t.Context(), factsOf(t, "acme", raw, "x-jwt-nonce: n-1"), now)
	checkSilence(t, r, raw)
	if s.decisions.Stats().Misses != 0 {
		t.Error("explaining asked what was remembered")
	}
	got := map[string]string{}
	for _, c := range r.Checks {
		if c.Outcome == OutcomePassed {
			got[c.Name] = c.Detail
		} else {
			got[c.Name] = string(c.Outcome)
		}
	}
	want := map[string]string{
		"configuration": "the server has a configuration", "headers": "no header that decides is there twice or empty",
		"token": "the request carries one token", "tenant": "TenantJWTPolicy/default/acme",
		"length":   strconv.Itoa(len(raw)) + " of at most 16384 bytes",
		"segments": "3: signed", "encryption": "skipped", "characters": "only A-Z, a-z, 0-9, '-', '_' and '.'",
		"encoding": "each segment is base64url without padding", "json": "each part is one JSON object within the bounds",
		"header": "alg, typ and kid are strings", "algorithm": `alg "ES256", allowed ES256`, "content_algorithm": "skipped",
		"extensions": "neither crit, b64 nor zip is there", "content_type": "skipped", "decryption": "skipped", "nested": "skipped",
		"type": `typ "JWT", allowed absent, jwt`, "issuer": `iss "https://idp.acme.example", entry 1 of 1`,
		"key": `EC key for kid "k1", of the policy's own keys`, "signature": "it verifies",
		"claims": "the registered claims have their types, and exp is there", "organization": "skipped", "own_tokens": "skipped",
		"times":     "iat 2026-01-02T03:03:05Z, exp 2026-01-02T04:04:05Z, now 2026-01-02T03:04:05Z, leeway 30s",
		"directory": "skipped", "audience": `aud ["https://api.example"], one of spec.audiences ["https://api.example"]`,
		"age": "skipped", "nonce": "skipped", "narrowing": "sent: x-jwt-nonce", "claim_rules": "1 rule", "identity": "username from the claim sub",
		"upstream_credential": "skipped",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	headers := map[string]string{"X-Auth-Request-User": "bob", "X-Auth-Request-Preferred-Username": "bob", "X-Auth-Request-Email": "",
		"X-Auth-Request-Groups": "", "X-Auth-Tenant": "acme", "X-Acme-Plan": "gold", "X-Zone": ""}
	if diff := cmp.Diff(headers, r.Headers); diff != "" || r.Status != http.StatusOK || r.Tenant != "acme" || r.Policy != "TenantJWTPolicy/default/acme" || r.Fix != "" {
		t.Errorf("%+v\n%s", r, diff)
	}
}

// TestDetailsOfFailures guards that the first failure can be acted on: it shows what was compared.
func TestDetailsOfFailures(t *testing.T) {
	acme := cast().acme
	long := strings.Repeat("é", 200)
	unreachable := acmePolicy(t, func(p *config.Policy) {
		p.TenantID, p.Issuers = "far", []config.Issuer{{Issuer: acmeIssuer, JWKSURI: "https://idp.acme.example/keys?code=hush"}}
	})
	strict := acmePolicy(t, func(p *config.Policy) {
		p.TenantID, p.Audiences = "strict", []string{"a", "b"}
		p.Claims.Rules = []config.ClaimRule{{Claim: "plan", RequiredValue: "gold"}, {Expression: "claims.plan == 'tin'", Message: "plan must be tin"}}
	})
	sealed := acmePolicy(t, func(p *config.Policy) { p.TenantID, p.Decryption = "sealed", decryption(t, nil) })
	away := answer{err: fmt.Errorf("%w: idp.acme.example is out of reach", keys.ErrUnavailable)}
	s := setOf(t, Outbound{Keys: away}, acmePolicy(t, nil), unreachable, strict, sealed)
	for name, c := range map[string]struct {
		tenant, raw  string
		check, fix   string
		status       int
		details      []string
		notInReports string
	}{
		"algorithm":         {"acme", newES256("x").sign(t, obj{"alg": "HS256"}, acmeClaims), "algorithm", "spec.algorithms", 401, []string{`alg "HS256"`, "allowed ES256"}, ""},
		"issuer":            {"acme", acme.sign(t, nil, acmeClaims.with(obj{"iss": long})), "issuer", "spec.issuers", 401, []string{`iss "éé`, "(cut after 100 of 400 bytes)"}, long},
		"times":             {"acme", acme.sign(t, nil, acmeClaims.with(obj{"exp": now.Add(-time.Minute).Unix()})), "times", "spec.leeway", 401, []string{"exp is 2026-01-02T03:03:05Z", "now 2026-01-02T03:04:05Z", "leeway 30s"}, ""},
		"audience":          {"strict", acme.sign(t, nil, acmeClaims), "audience", "spec.audiences", 401, []string{`aud ["https://api.example"]`, `spec.audiences ["a" "b"]`}, ""},
		"claim rule":        {"strict", acme.sign(t, nil, acmeClaims.with(obj{"aud": "a"})), "claim_rules", "spec.claimValidationRules", 403, []string{"claimValidationRules[1]", "plan must be tin"}, ""},
		"keys":              {"far", acme.sign(t, nil, acmeClaims), "key", "idp.acme.example is out of reach; once that is put right", 503, []string{`kid "k1"`, "idp.acme.example"}, "hush"},
		"key":               {"acme", acme.sign(t, obj{"kid": "k\n2"}, acmeClaims), "key", "kid", 401, []string{`kid "k\n2"`}, ""},
		"tenant":            {"nobody", acme.sign(t, nil, acmeClaims), "tenant", "spec.tenantID", 401, []string{`"nobody"`}, ""},
		"no key to open it": {"sealed", seal(t, obj{"kid": "x"}, acme.sign(t, nil, acmeClaims)), "key", "spec.decryption.keys", 401, []string{"decryption key", `encryption: kid "x"`, "keys in spec.decryption.keys: 1"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.Explain(t.Context(), factsOf(t, c.tenant, c.raw), now)
			checkReport(t, r, c.raw)
			i := slices.IndexFunc(r.Checks, func(c Check) bool { return c.Outcome == OutcomeFailed })
			if i < 0 || r.Checks[i].Name != c.check || r.Status != c.status || !strings.Contains(r.Fix, c.fix) {
				t.Fatalf("want %s to fail with %d and the fix %s: %s", c.check, c.status, c.fix, marshal(t, r))
			}
			for _, part := range c.details {
				if !strings.Contains(r.Checks[i].Detail, part) {
					t.Errorf("%q lacks %q", r.Checks[i].Detail, part)
				}
			}
			if c.notInReports != "" && strings.Contains(marshal(t, r), c.notInReports) {
				t.Errorf("the report holds %q", c.notInReports)
			}
			if open := slices.IndexFunc(r.Checks, func(c Check) bool { return c.Name == "decryption" }); c.tenant == "sealed" && r.Checks[open].Outcome != OutcomeNotReached {
				t.Errorf("without a key, decryption is %s", r.Checks[open].Outcome)
			}
		})
	}
}

// TestReportsOfAServerWithout guards the two ends: no configuration, and no policy but own tokens.
func TestReportsOfAServerWithout(t *testing.T) {
	r := NotConfiguredReport()
	if failedCheck(r) != "configuration" || r.Status != http.StatusServiceUnavailable || r.Fix == "" {
		t.Errorf("%+v", r)
	}
	raw := cast().own.sign(t, ownHeader, ownClaims)
	r = setOf(t, Outbound{}).Explain(t.Context(), factsOf(t, "", raw), now)
	checkSilence(t, r, raw)
	if r.Status != http.StatusOK || r.Tenant != "acme" || r.Policy != "" || r.Headers["X-Auth-Request-User"] != "eve" {
		t.Errorf("%+v", r)
	}
	for _, f := range []*Facts{{}, factsOf(t, "", ""), factsOf(t, "", "x"), factsOf(t, "acme", "a.b.c")} {
		if r := setOf(t, Outbound{}).Explain(t.Context(), f, now); r.Status != http.StatusUnauthorized || failedCheck(r) == "" {
			t.Errorf("%+v: %+v", f, r)
		}
	}
	r = setOf(t, Outbound{Keys: &published{}}, acmePolicy(t, func(p *config.Policy) { p.Default = true })).Explain(t.Context(), factsOf(t, "", cast().acme.sign(t, nil, acmeClaims)), now)
	if r.Status != http.StatusOK || !strings.Contains(marshal(t, r), "the default policy applies") {
		t.Errorf("%+v", r)
	}
}
