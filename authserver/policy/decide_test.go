// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// verdict is one decision of a table. reason "" expects 200.
type verdict struct {
	policy  func(*config.Policy)
	raw     string
	headers []string
	tenant  string // acme by default; - names none
	status  int    // 401 by default where there is a reason
	reason  token.Reason
	user    string // bob by default
}

func checkVerdicts(t *testing.T, cases map[string]verdict) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			tenant, status, user := c.tenant, c.status, c.user
			switch tenant {
			case "":
				tenant = "acme"
			case "-":
				tenant = ""
			}
			if user == "" {
				user = "bob"
			}
			switch {
			case status == 0 && c.reason == "":
				status = http.StatusOK
			case status == 0:
				status = http.StatusUnauthorized
			}
			d := ask(t, setOf(t, Outbound{}, acmePolicy(t, c.policy)), tenant, c.raw, c.headers...)
			if d.Status != status || d.Reason != c.reason {
				t.Fatalf("%d %s (%s), want %d %s", d.Status, d.Reason, d.Detail, status, c.reason)
			}
			if status == http.StatusOK && (d.Identity.User != user || d.Tenant != "acme" || d.Policy != "TenantJWTPolicy/default/acme") {
				t.Errorf("%+v, want user %s", d, user)
			}
			if status != http.StatusOK && d.Identity.User != "" {
				t.Errorf("a refusal names %q", d.Identity.User)
			}
		})
	}
}

// TestWhatAPolicyAsksOfClaims guards maxTokenAge, requiredNonce, claim rules and their statuses.
func TestWhatAPolicyAsksOfClaims(t *testing.T) {
	acme := cast().acme
	good := acme.sign(t, nil, acmeClaims)
	hour := func(p *config.Policy) { p.MaxTokenAge = config.Duration(time.Hour) }
	nonce := func(p *config.Policy) { p.RequiredNonce = "n-1" }
	gold := func(p *config.Policy) {
		p.Claims.Rules = []config.ClaimRule{{Expression: "claims.plan in ['gold', 'silver']", Message: "plan must be gold or silver"}}
	}
	at := func(d time.Duration) string { return acme.sign(t, nil, acmeClaims.with(obj{"iat": now.Add(d).Unix()})) }
	checkVerdicts(t, map[string]verdict{
		"nothing more":                    {raw: good},
		"young enough":                    {policy: hour, raw: at(-time.Hour)},
		"young enough with the leeway":    {policy: hour, raw: at(-time.Hour - 30*time.Second)},
		"too old":                         {policy: hour, raw: at(-time.Hour - 31*time.Second), reason: claims.ReasonTooOld},
		"no iat":                          {policy: hour, raw: acme.sign(t, nil, acmeClaims.with(obj{"iat": nil})), reason: claims.ReasonTooOld},
		"the nonce":                       {policy: nonce, raw: good},
		"the nonce, sent too":             {policy: nonce, raw: good, headers: []string{"x-jwt-nonce: n-1"}},
		"another nonce":                   {policy: nonce, raw: acme.sign(t, nil, acmeClaims.with(obj{"nonce": "n-2"})), reason: claims.ReasonNonce},
		"no nonce":                        {policy: nonce, raw: acme.sign(t, nil, acmeClaims.with(obj{"nonce": nil})), reason: claims.ReasonNonce},
		"a header replaces no nonce":      {policy: nonce, raw: acme.sign(t, nil, acmeClaims.with(obj{"nonce": "n-2"})), headers: []string{"x-jwt-nonce: n-2"}, reason: claims.ReasonNonce},
		"a header that is not the nonce":  {policy: nonce, raw: good, headers: []string{"x-jwt-nonce: n-2"}, reason: ReasonNarrowNonce},
		"a rule holds":                    {policy: gold, raw: good},
		"a rule does not hold":            {policy: gold, raw: acme.sign(t, nil, acmeClaims.with(obj{"plan": "tin"})), status: 403, reason: claims.ReasonClaimRule},
		"a rule cannot be evaluated":      {policy: gold, raw: acme.sign(t, nil, acmeClaims.with(obj{"plan": nil})), status: 403, reason: claims.ReasonClaimRule},
		"rules come after narrowing":      {policy: gold, raw: acme.sign(t, nil, acmeClaims.with(obj{"plan": "tin"})), headers: []string{"x-jwt-nonce: x"}, reason: ReasonNarrowNonce},
		"rules come before the username":  {policy: gold, raw: acme.sign(t, nil, acmeClaims.with(obj{"plan": "tin", "sub": nil})), status: 403, reason: claims.ReasonClaimRule},
		"no username":                     {raw: acme.sign(t, nil, acmeClaims.with(obj{"sub": nil})), reason: claims.ReasonUsername},
		"another's signature, 403 or not": {policy: gold, raw: cast().mallory.sign(t, nil, acmeClaims.with(obj{"plan": "tin"})), reason: token.ReasonSignature},
	})
}

// TestEncryptedTokens guards what a policy with decryption lets in, and that nothing encrypted is an own token.
func TestEncryptedTokens(t *testing.T) {
	acme := cast().acme
	signed := acme.sign(t, nil, acmeClaims)
	inside := func(header obj, claims obj) string {
		plain := obj{"cty": nil}
		maps.Copy(plain, header)
		return seal(t, plain, marshal(t, claims))
	}
	nested := func(p *config.Policy) { p.Decryption = decryption(t, nil) }
	required := func(p *config.Policy) { p.Decryption = decryption(t, func(d *config.Decryption) { d.Required = true }) }
	direct := func(p *config.Policy) { p.Decryption = decryption(t, func(d *config.Decryption) { d.Direct = true }) }
	alone := func(p *config.Policy) {
		direct(p)
		p.Issuers, p.Claims.Rules = nil, []config.ClaimRule{{Claim: "plan", RequiredValue: "gold"}}
	}
	both := func(p *config.Policy) {
		direct(p)
		p.AcceptIssuedTokens = true
	}
	own := cast().own.sign(t, ownHeader, ownClaims)
	checkVerdicts(t, map[string]verdict{
		"no decryption":                               {raw: seal(t, nil, signed), reason: token.ReasonEncrypted},
		"nested":                                      {policy: nested, raw: seal(t, nil, signed)},
		"signed only":                                 {policy: nested, raw: signed},
		"signed only where it must not":               {policy: required, raw: signed, reason: token.ReasonJWERequired},
		"required and there":                          {policy: required, raw: seal(t, nil, signed)},
		"nested, another's signature":                 {policy: nested, raw: seal(t, nil, cast().mallory.sign(t, nil, acmeClaims)), reason: token.ReasonSignature},
		"nested, another issuer":                      {policy: nested, raw: seal(t, nil, acme.sign(t, nil, acmeClaims.with(obj{"iss": "https://x.example"}))), reason: claims.ReasonIssuer},
		"encryption is no signature":                  {policy: nested, raw: inside(nil, acmeClaims), reason: token.ReasonNestedRequired},
		"another key ID":                              {policy: nested, raw: seal(t, obj{"kid": "x"}, signed), reason: token.ReasonUnknownKey},
		"direct":                                      {policy: direct, raw: inside(nil, acmeClaims)},
		"direct, another issuer":                      {policy: direct, raw: inside(nil, acmeClaims.with(obj{"iss": "https://x.example"})), reason: claims.ReasonIssuer},
		"direct, no issuer":                           {policy: direct, raw: inside(nil, acmeClaims.with(obj{"iss": nil})), reason: claims.ReasonIssuer},
		"direct, expired":                             {policy: direct, raw: inside(nil, acmeClaims.with(obj{"exp": 1})), reason: token.ReasonExpired},
		"direct, narrowed":                            {policy: direct, raw: inside(nil, acmeClaims), headers: []string{"x-jwt-nonce: n-2"}, reason: ReasonNarrowNonce},
		"direct, and the policy names nobody":         {policy: alone, raw: inside(nil, acmeClaims.with(obj{"iss": "https://x.example"}))},
		"direct and rules":                            {policy: alone, raw: inside(nil, acmeClaims.with(obj{"plan": "tin"})), status: 403, reason: claims.ReasonClaimRule},
		"signed, and the policy names nobody":         {policy: alone, raw: signed, reason: claims.ReasonIssuer},
		"nested, and the policy names nobody":         {policy: alone, raw: seal(t, nil, signed), reason: claims.ReasonIssuer},
		"the own issuer, direct":                      {policy: both, raw: inside(obj{"typ": "at+jwt"}, ownClaims), reason: token.ReasonType},
		"the own issuer, direct, as JWT":              {policy: both, raw: inside(nil, ownClaims), reason: claims.ReasonIssuer},
		"the own issuer, and nobody named":            {policy: alone, raw: inside(nil, ownClaims), reason: claims.ReasonIssuer},
		"the own issuer, signed by acme":              {policy: both, raw: seal(t, nil, acme.sign(t, nil, ownClaims)), reason: claims.ReasonIssuer},
		"an own token, nested":                        {policy: both, raw: seal(t, nil, own), reason: token.ReasonType},
		"an own token, nested, its type taken":        {policy: func(p *config.Policy) { both(p); p.TokenTypes = []string{"at+jwt"} }, raw: seal(t, nil, own), reason: claims.ReasonIssuer},
		"an own token, nested, for no tenant":         {policy: func(p *config.Policy) { both(p); p.Default, p.TokenTypes = true, []string{"at+jwt"} }, tenant: "-", raw: seal(t, nil, own), reason: claims.ReasonIssuer},
		"an own token as it is":                       {policy: both, raw: own, user: "eve"},
		"an own token where others must be encrypted": {policy: func(p *config.Policy) { required(p); p.AcceptIssuedTokens = true }, raw: own, user: "eve"},
	})
}

// TestOwnTokensUnderAPolicy guards which of a policy's rules apply to own tokens (DESIGN §4, Own tokens).
func TestOwnTokensUnderAPolicy(t *testing.T) {
	with := func(change func(*config.Policy)) func(*config.Policy) {
		return func(p *config.Policy) {
			p.AcceptIssuedTokens = true
			if change != nil {
				change(p)
			}
		}
	}
	own := func(change obj) string { return cast().own.sign(t, ownHeader, ownClaims.with(change)) }
	rule := func(p *config.Policy) { p.Claims.Rules = []config.ClaimRule{{Claim: "plan", RequiredValue: "own"}} }
	checkVerdicts(t, map[string]verdict{
		"accepted":                {policy: with(nil), raw: own(nil), user: "eve"},
		"not accepted":            {raw: own(nil), reason: ReasonOwnNotAccepted},
		"another algorithm list":  {policy: with(func(p *config.Policy) { p.Algorithms, p.TokenTypes = []string{"RS256"}, []string{"jwt"} }), raw: own(nil), user: "eve"},
		"prefix":                  {policy: with(func(p *config.Policy) { p.Claims.Username.PrefixWithTenant = true }), raw: own(nil), user: "acme/eve"},
		"a rule holds":            {policy: with(rule), raw: own(nil), user: "eve"},
		"a rule does not":         {policy: with(rule), raw: own(obj{"plan": "x"}), status: 403, reason: claims.ReasonClaimRule},
		"too old":                 {policy: with(func(p *config.Policy) { p.MaxTokenAge = config.Duration(time.Second) }), raw: own(nil), reason: claims.ReasonTooOld},
		"no nonce":                {policy: with(func(p *config.Policy) { p.RequiredNonce = "n" }), raw: own(nil), reason: claims.ReasonNonce},
		"the nonce":               {policy: with(func(p *config.Policy) { p.RequiredNonce = "n" }), raw: own(obj{"nonce": "n"}), user: "eve"},
		"leeway":                  {policy: with(func(p *config.Policy) { p.Leeway = 0 }), raw: own(obj{"exp": now.Unix()}), reason: token.ReasonExpired},
		"audiences":               {policy: with(func(p *config.Policy) { p.Audiences = []string{"x"} }), raw: own(nil), reason: claims.ReasonAudience},
		"its username is its own": {policy: with(func(p *config.Policy) { p.Claims.Username.Claims = []string{"email"} }), raw: own(nil), user: "eve"},
		"another organization":    {policy: with(nil), raw: own(obj{"organization": "globex"}), reason: ReasonOrganizationDiffers},
	})
	d := ask(t, setOf(t, Outbound{}, acmePolicy(t, with(nil))), "", own(nil))
	want := Identity{User: "eve", PreferredUsername: "eve", Email: "eve@acme.example", Groups: "admins", Tenant: "acme", Headers: []claims.Header{{Name: "X-Acme-Plan", Value: "own"}}}
	if diff := cmp.Diff(want, d.Identity); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDirectories guards that users of one Entra ID directory never pass as another's.
func TestDirectories(t *testing.T) {
	const v2, v1 = "https://login.example/" + directoryA + "/v2.0", "https://sts.windows.net/" + directoryA + "/"
	acme := cast().acme
	azure := func(issuers ...config.Issuer) func(*config.Policy) {
		return func(p *config.Policy) { p.Issuers = issuers }
	}
	newer := config.Issuer{Issuer: v2, Directory: directoryA, Discovery: v2 + "/.well-known/openid-configuration"}
	older := config.Issuer{Issuer: v1, Directory: directoryA, Discovery: "https://login.example/" + directoryA + "/.well-known/openid-configuration"}
	mirrored := config.Issuer{Issuer: v1, Directory: directoryA, JWKSURI: "https://mirror.example/keys"}
	inline := func(issuer string, key obj) config.Issuer {
		text, err := acme.public(t, key).MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		return config.Issuer{Issuer: issuer, Directory: directoryA, Keys: []json.RawMessage{text}}
	}
	custom := config.Issuer{Issuer: v2, JWKSURI: "https://mirror.example/keys"}
	as := func(issuer, tid string) string {
		return acme.sign(t, nil, acmeClaims.with(obj{"iss": issuer, "tid": tid}))
	}
	cases := map[string]struct {
		issuers []config.Issuer
		key     obj // more members of the published key
		raw     string
		reason  token.Reason
	}{
		"v2.0":                              {[]config.Issuer{newer}, obj{"issuer": "https://login.example/{tenantid}/v2.0"}, as(v2, directoryA), ""},
		"v2.0, no issuer at the key":        {[]config.Issuer{newer}, obj{"ext": "1"}, as(v2, directoryA), ""},
		"v2.0, the key's issuer is written": {[]config.Issuer{newer}, obj{"issuer": v2}, as(v2, directoryA), ""},
		"v1.0, whose keys name v2.0":        {[]config.Issuer{older}, obj{"issuer": "https://login.example/{tenantid}/v2.0"}, as(v1, directoryA), ""},
		"v1.0, whose keys name v1.0":        {[]config.Issuer{older}, obj{"issuer": "https://sts.windows.net/{tenantid}/"}, as(v1, directoryA), ""},
		"keys elsewhere, v2.0 beside it":    {[]config.Issuer{newer, mirrored}, obj{"issuer": "https://login.example/{tenantid}/v2.0"}, as(v1, directoryA), ""},
		"keys elsewhere, alone":             {[]config.Issuer{mirrored}, obj{"issuer": "https://login.example/{tenantid}/v2.0"}, as(v1, directoryA), ReasonKeyIssuer},
		"keys elsewhere, a cloud's":         {[]config.Issuer{mirrored}, obj{"issuer": "https://login.microsoftonline.us/{tenantid}/v2.0"}, as(v1, directoryA), ""},
		"keys elsewhere, at the issuer's":   {[]config.Issuer{{Issuer: v2 + "/x", Directory: directoryA, JWKSURI: "https://mirror.example/keys"}}, obj{"issuer": v2}, as(v2+"/x", directoryA), ""},
		"keys elsewhere, a cloud's others":  {[]config.Issuer{mirrored}, obj{"issuer": "https://login.microsoftonline.us/" + directoryB + "/v2.0"}, as(v1, directoryA), ReasonKeyIssuer},
		"keys elsewhere, not of a cloud":    {[]config.Issuer{mirrored}, obj{"issuer": "https://login.microsoftonline.us.evil.example/{tenantid}/v2.0"}, as(v1, directoryA), ReasonKeyIssuer},
		"inline":                            {[]config.Issuer{inline(v2, obj{"issuer": "https://login.example/{tenantid}/v2.0"})}, nil, as(v2, directoryA), ""},
		"inline, no issuer at the key":      {[]config.Issuer{inline(v2, nil)}, nil, as(v2, directoryA), ""},
		"inline, v1.0 with a cloud's keys":  {[]config.Issuer{inline(v1, obj{"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"})}, nil, as(v1, directoryA), ""},
		"inline, another directory's key":   {[]config.Issuer{inline(v2, obj{"issuer": "https://login.example/" + directoryB + "/v2.0"})}, nil, as(v2, directoryA), ReasonKeyIssuer},
		"inline, personal accounts' key":    {[]config.Issuer{inline(v2, obj{"issuer": "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"})}, nil, as(v2, directoryA), ReasonKeyIssuer},
		"inline, another authority's key":   {[]config.Issuer{inline(v2, obj{"issuer": "https://evil.example/{tenantid}/v2.0"})}, nil, as(v2, directoryA), ReasonKeyIssuer},
		"another directory's key":           {[]config.Issuer{newer}, obj{"issuer": "https://login.example/" + directoryB + "/v2.0"}, as(v2, directoryA), ReasonKeyIssuer},
		"another authority's key":           {[]config.Issuer{newer}, obj{"issuer": "https://evil.example/{tenantid}/v2.0"}, as(v2, directoryA), ReasonKeyIssuer},
		"another tid":                       {[]config.Issuer{newer}, obj{"ext": "1"}, as(v2, directoryB), claims.ReasonDirectory},
		"no tid":                            {[]config.Issuer{newer}, obj{"ext": "1"}, acme.sign(t, nil, acmeClaims.with(obj{"iss": v2})), claims.ReasonDirectory},
		"tid in another case":               {[]config.Issuer{newer}, obj{"ext": "1"}, as(v2, "{"+directoryA+"}"), claims.ReasonDirectory},
		"the template as the issuer":        {[]config.Issuer{newer}, obj{"ext": "1"}, as("https://login.example/{tenantid}/v2.0", directoryA), claims.ReasonIssuer},
		"no profile, no directory":          {[]config.Issuer{custom}, obj{"issuer": "https://login.example/" + directoryB + "/v2.0"}, as(v2, directoryB), ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			source := &published{}
			set := jwk.NewSet(acme.public(t, c.key))
			for _, i := range c.issuers {
				source.publish(i.JWKSURI+i.Discovery, set)
			}
			d := ask(t, setOf(t, Outbound{Keys: source}, acmePolicy(t, azure(c.issuers...))), "acme", c.raw)
			if d.Reason != c.reason || (d.Status == http.StatusOK) != (c.reason == "") {
				t.Errorf("%d %s (%s), want %s", d.Status, d.Reason, d.Detail, c.reason)
			}
		})
	}
}

// TestSources guards what the key engine is told of a policy.
func TestSources(t *testing.T) {
	source := &published{}
	policies := []config.Policy{
		acmePolicy(t, func(p *config.Policy) {
			p.Issuers = []config.Issuer{{Issuer: "a", JWKSURI: "https://one.example/"}, {Issuer: "b", Discovery: "https://two.example/", Directory: directoryA}}
		}),
		acmePolicy(t, func(p *config.Policy) {
			p.TenantID, p.Issuers = "two", []config.Issuer{{Issuer: acmeIssuer, JWKSURI: "https://one.example/"}}
			p.JWKS = &config.JWKSTimes{RefreshInterval: config.Duration(time.Minute), StaleIfError: 0}
		}),
		acmePolicy(t, func(p *config.Policy) {
			p.TenantID, p.Issuers = "three", []config.Issuer{{Issuer: acmeIssuer, JWKSURI: "https://one.example/"}}
			p.JWKS = &config.JWKSTimes{RefreshInterval: config.Duration(time.Hour), StaleIfError: config.Duration(time.Hour)}
		}),
	}
	s := setOf(t, Outbound{Keys: source}, policies...)
	want := map[keys.Source]time.Duration{
		{URL: "https://one.example/"}: time.Minute,
		{URL: "https://two.example/", Discovery: true, Issuer: "b", Directory: directoryA}: 10 * time.Minute,
	}
	if diff := cmp.Diff(want, s.Remotes()); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	source.publish("https://one.example/", jwk.NewSet(cast().acme.public(t, nil)))
	for tenant, stale := range map[string]time.Duration{"acme": 24 * time.Hour, "two": 0, "three": time.Hour} {
		issuer := acmeIssuer
		if tenant == "acme" {
			issuer = "a"
		}
		if d := ask(t, s, tenant, cast().acme.sign(t, nil, acmeClaims.with(obj{"iss": issuer}))); d.Status != http.StatusOK {
			t.Fatalf("%s: %+v", tenant, d)
		}
		if got := source.asked["https://one.example/"]; got != (keys.Ask{Algorithm: "ES256", KeyID: "k1", HasKeyID: true, MaxStale: stale}) {
			t.Errorf("%s asks %+v", tenant, got)
		}
	}
}

func TestHeaderNamesAreThoseOfTheWholeServer(t *testing.T) {
	other := acmePolicy(t, func(p *config.Policy) {
		p.TenantID = "globex"
		p.Claims.Headers = []config.HeaderMapping{{Name: "X-Zone", Source: config.Source{Claims: []string{"z"}}}, {Name: "X-Acme-Plan", Source: config.Source{Claims: []string{"p"}}}}
	})
	s := setOf(t, Outbound{}, acmePolicy(t, nil), other, symmetric(t, "plain", secret, ""))
	if diff := cmp.Diff([]string{"X-Acme-Plan", "X-Zone"}, s.HeaderNames()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	d := ask(t, s, "acme", cast().acme.sign(t, nil, acmeClaims))
	if diff := cmp.Diff([]claims.Header{{Name: "X-Acme-Plan", Value: "gold"}}, d.Identity.Headers); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
