// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"strings"
	"testing"
	"time"
)

func narrowingRows(t *testing.T) []row {
	c := cast()
	acme := x(c.acme.sign(t, nil, acmeClaims))
	globex := x(c.globex.sign(t, nil, globexClaims.with(obj{"iss": "https://g.example", "aud": []string{"a", "b"}, "nonce": "n-2"})))
	bare := x(c.globex.sign(t, nil, globexClaims))
	carol := row{target: "/verify/globex", user: "carol", preferred: "carol", tenant: "globex"}
	by := func(name string, r row, headers ...string) row {
		r.name, r.headers = name, headers
		return r
	}
	deny := func(name, target, reason string, headers ...string) row {
		return row{name: name, target: target, status: 401, reason: reason, headers: headers}
	}
	rows := []row{
		by("all three", allow(row{}), acme, "x-jwt-issuer: https://idp.acme.example", "x-jwt-client-id: https://api.example", "x-jwt-nonce: n-1"),
		by("issuer where the policy leaves it open", carol, globex, "x-jwt-issuer: https://g.example"),
		by("client ID where the policy leaves it open", carol, globex, "x-jwt-client-id: b"),
		by("nonce where the policy leaves it open", carol, globex, "x-jwt-nonce: n-2"),
		deny("another issuer of the policy", "", "issuer_narrowed", acme, "x-jwt-issuer: https://old.acme.example"),
		deny("an issuer of nobody", "", "issuer_narrowed", acme, "x-jwt-issuer: https://evil.example"),
		deny("an issuer in another case", "", "issuer_narrowed", acme, "x-jwt-issuer: https://IDP.acme.example"),
		deny("an issuer the token does not name", "/verify/globex", "issuer_narrowed", bare, "x-jwt-issuer: https://g.example"),
		deny("a header does not add an issuer", "", "issuer_not_allowed", x(c.acme.sign(t, nil, acmeClaims.with(obj{"iss": "https://evil.example"}))), "x-jwt-issuer: https://evil.example"),
		deny("an audience of the policy that the token lacks", "", "client_id_narrowed", acme, "x-jwt-client-id: https://two.example"),
		deny("an audience of the token that the policy lacks", "", "client_id_narrowed", x(c.acme.sign(t, nil, acmeClaims.with(obj{"aud": []string{"https://api.example", "https://third.example"}}))), "x-jwt-client-id: https://third.example"),
		deny("a header does not add an audience", "", "audience_not_allowed", x(c.acme.sign(t, nil, acmeClaims.with(obj{"aud": "https://third.example"}))), "x-jwt-client-id: https://third.example"),
		deny("a list of client IDs", "", "client_id_narrowed", acme, "x-jwt-client-id: https://api.example,https://two.example"),
		deny("a client ID the token lacks", "/verify/globex", "client_id_narrowed", globex, "x-jwt-client-id: c"),
		deny("a client ID, and no aud", "/verify/globex", "client_id_narrowed", bare, "x-jwt-client-id: a"),
		deny("azp is no aud", "/verify/globex", "client_id_narrowed", x(c.globex.sign(t, nil, globexClaims.with(obj{"azp": "a", "client_id": "a"}))), "x-jwt-client-id: a"),
		deny("another nonce", "", "nonce_narrowed", acme, "x-jwt-nonce: n-2"),
		deny("a nonce, and none in the token", "/verify/globex", "nonce_narrowed", bare, "x-jwt-nonce: n-2"),
		deny("a nonce of another type", "/verify/globex", "bad_claim_type", x(c.globex.sign(t, nil, globexClaims.with(obj{"nonce": 5}))), "x-jwt-nonce: 5"),
		deny("an expired token stays so", "", "expired", x(c.acme.sign(t, nil, acmeClaims.with(obj{"exp": 1}))), "x-jwt-nonce: n-1"),
	}
	good := map[string]string{"x-jwt-issuer": "https://idp.acme.example", "x-jwt-client-id": "https://api.example", "x-jwt-nonce": "n-1"}
	for name, value := range good {
		line := name + ": " + value
		rows = append(rows,
			by(name+" alone", allow(row{}), acme, line),
			deny(name+" empty", "", "empty_header", acme, name+":"),
			deny(name+" of spaces", "", "empty_header", acme, name+":   \t "),
			deny(name+" twice, the same", "", "duplicate_header", acme, line, line),
			deny(name+" twice, one empty", "", "duplicate_header", acme, line, strings.ToUpper(name)+":"),
			row{name: name + " empty and no token", status: 401, reason: "empty_header", noToken: true, headers: []string{name + ":"}},
		)
	}
	return rows
}

func ownRows(t *testing.T) []row {
	c := cast()
	own := func(change obj) string { return x(signOwn(t, nil, ownClaims.with(change))) }
	staff := row{user: "eve", email: "eve@staff.example", groups: "admins", preferred: "eve", tenant: "staff"}
	initech := row{user: "initech/eve", email: "eve@staff.example", groups: "admins", preferred: "eve", tenant: "initech"}
	by := func(name string, r row, target string, headers ...string) row {
		r.name, r.target, r.headers = name, target, headers
		return r
	}
	deny := func(name, target, reason string, headers ...string) row {
		return row{name: name, target: target, status: 401, reason: reason, headers: headers}
	}
	hooli := obj{"organization": "hooli", "aud": []string{ownIssuer, "https://api.hooli.example"}}
	return []row{
		by("the organization is the tenant", staff, "/verify", own(nil)),
		by("the organization beats the default", staff, "/envoy/-/x", own(nil)),
		by("as Bearer", staff, "/verify", strings.Replace(own(nil), "x-jwt-token:", "Authorization: Bearer", 1)),
		by("route agrees", staff, "/verify/staff", own(nil)),
		by("header agrees", staff, "/verify", own(nil), "x-jwt-tenant-id: staff"),
		by("one audience of tokens.audience is enough", staff, "/verify", own(obj{"aud": "https://shared.example"})),
		by("the type with its prefix", staff, "/verify", x(signOwn(t, obj{"typ": "application/AT+JWT"}, ownClaims))),
		by("within the leeway", staff, "/verify", own(obj{"exp": now.Add(-29 * time.Second).Unix()})),
		by("no email, no groups", row{user: "eve", preferred: "eve", tenant: "staff"}, "/verify", own(obj{"email": nil, "groups": nil})),
		by("narrowed", staff, "/verify", own(obj{"nonce": "n"}), "x-jwt-issuer: "+ownIssuer, "x-jwt-client-id: "+ownIssuer, "x-jwt-nonce: n"),
		by("acceptIssuedTokens, prefix", initech, "/verify/initech", own(obj{"organization": "initech"})),
		by("acceptIssuedTokens, not by route", initech, "/verify", own(obj{"organization": "initech"})),
		by("the policy's leeway", initech, "/verify", own(obj{"organization": "initech", "exp": now.Add(-299 * time.Second).Unix()})),
		by("a policy's audience too", row{user: "eve", email: "eve@staff.example", groups: "admins", preferred: "eve", tenant: "hooli"}, "/verify", own(hooli)),

		deny("route disagrees", "/verify/acme", "organization_differs", own(nil)),
		deny("route of no policy disagrees", "/verify/other", "organization_differs", own(nil)),
		deny("header disagrees", "/verify", "organization_differs", own(nil), "x-jwt-tenant-id: initech"),
		deny("a policy without acceptIssuedTokens", "/verify/umbrella", "own_tokens_not_accepted", own(obj{"organization": "umbrella"})),
		deny("a policy without acceptIssuedTokens, not by route", "/verify", "own_tokens_not_accepted", own(obj{"organization": "umbrella"})),
		deny("the default policy's own organization", "/verify", "own_tokens_not_accepted", own(obj{"organization": "globex"})),
		deny("a policy's audience is missing", "/verify", "audience_not_allowed", own(obj{"organization": "hooli"})),
		deny("a policy's audience alone", "/verify", "audience_not_allowed", own(obj{"organization": "hooli", "aud": "https://api.hooli.example"})),
		deny("a policy without leeway", "/verify", "expired", own(obj{"organization": "hooli", "exp": now.Add(-time.Second).Unix()})),
		deny("past the policy's leeway", "/verify", "expired", own(obj{"organization": "initech", "exp": now.Add(-301 * time.Second).Unix()})),
		deny("past the leeway", "/verify", "expired", own(obj{"exp": now.Add(-31 * time.Second).Unix()})),
		deny("no exp", "/verify", "exp_missing", own(obj{"exp": nil})),
		deny("another type", "/verify/initech", "typ_not_allowed", x(signOwn(t, obj{"typ": "jwt"}, ownClaims.with(obj{"organization": "initech"})))),
		deny("no type", "/verify/umbrella", "typ_not_allowed", x(signOwn(t, obj{"typ": nil}, ownClaims.with(obj{"organization": "umbrella"})))),
		deny("an ID token", "/verify", "typ_not_allowed", x(signOwn(t, obj{"typ": "JWT"}, ownClaims))),
		deny("audience of somebody else", "/verify", "audience_not_allowed", own(obj{"aud": "https://other.example"})),
		deny("no audience", "/verify", "audience_not_allowed", own(obj{"aud": nil})),
		deny("no organization", "/verify", "bad_organization", own(obj{"organization": nil})),
		deny("no organization does not mean the route's", "/verify/staff", "bad_organization", own(obj{"organization": nil})),
		deny("organization of another type", "/verify", "bad_organization", own(obj{"organization": []string{"staff"}})),
		deny("organization that is no name", "/verify", "bad_organization", own(obj{"organization": "staff/x"})),
		deny("no username", "/verify", "bad_username", own(obj{"preferred_username": nil})),
		deny("sub is not the username", "/verify", "bad_username", own(obj{"preferred_username": ""})),
		deny("issuer narrowed to another", "/verify", "issuer_narrowed", own(nil), "x-jwt-issuer: https://idp.acme.example"),
		deny("client ID that aud lacks", "/verify", "client_id_narrowed", own(nil), "x-jwt-client-id: gatehouse"),
		deny("client ID that the policy lacks", "/verify", "client_id_narrowed", own(hooli), "x-jwt-client-id: "+ownIssuer),
		deny("nonce", "/verify", "nonce_narrowed", own(nil), "x-jwt-nonce: n"),
		deny("another's signature under the own issuer", "/verify/initech", "bad_signature",
			x(c.initech.sign(t, obj{"typ": "at+jwt", "kid": c.own.KeyID}, ownClaims.with(obj{"organization": "initech"})))),
		deny("the own key under another issuer", "/verify/initech", "typ_not_allowed", own(obj{"iss": "https://idp.initech.example", "organization": "initech"})),
		deny("the own key under another issuer, type allowed", "/verify/initech", "unknown_key",
			x(signOwn(t, obj{"typ": "jwt"}, initechClaims.with(obj{"organization": "initech"})))),
		deny("the own key for no tenant under another issuer", "/verify/nobody", "unknown_tenant", own(obj{"iss": "https://evil.example", "organization": "nobody"})),
		deny("the own issuer with a slash", "/verify/staff", "unknown_tenant", own(obj{"iss": ownIssuer + "/"})),
		deny("an algorithm that no own key has", "/verify/staff", "unknown_tenant", x(c.acme.sign(t, obj{"typ": "at+jwt"}, ownClaims))),
		deny("a refresh token", "/verify", "segments", x("gtr_7Qk1xw0d8vZ3")),
		deny("edited after it was signed", "/verify", "bad_signature", splice(own(nil), x(signOwn(t, nil, ownClaims.with(obj{"organization": "initech"}))))),
	}
}

// splice puts the payload of the second token into the first.
func splice(first, second string) string {
	a, b := strings.Split(first, "."), strings.Split(second, ".")
	return a[0] + "." + b[1] + "." + a[2]
}

func claimRows(t *testing.T) []row {
	acme := func(change obj) []string { return []string{x(cast().acme.sign(t, nil, acmeClaims.with(change)))} }
	deny := func(name string, change obj) row {
		return row{name: "username " + name, status: 401, reason: "bad_username", headers: acme(change)}
	}
	who := func(name string, change obj, email, groups string) row {
		return row{name: name, headers: acme(change), user: "acme/bob", email: email, groups: groups, preferred: "bob", tenant: "acme"}
	}
	const mail = "bob@acme.example"
	return []row{
		deny("absent", obj{"sub": nil}),
		deny("empty", obj{"sub": ""}),
		deny("null", obj{"sub": raw("null")}).because("bad_claim_type"),
		deny("a number", obj{"sub": 7}).because("bad_claim_type"),
		{name: "username upn a number", target: "/verify/globex", status: 401, reason: "bad_username", headers: []string{x(cast().globex.sign(t, nil, globexClaims.with(obj{"upn": 7})))}},
		{name: "username upn an array", target: "/verify/globex", status: 401, reason: "bad_username", headers: []string{x(cast().globex.sign(t, nil, globexClaims.with(obj{"upn": []string{"carol"}})))}},
		{name: "username upn null", target: "/verify/globex", status: 401, reason: "bad_username", headers: []string{x(cast().globex.sign(t, nil, globexClaims.with(obj{"upn": raw("null")})))}},
		{name: "username upn in another case", target: "/verify/globex", status: 401, reason: "bad_username", headers: []string{x(cast().globex.sign(t, nil, globexClaims.with(obj{"upn": nil, "UPN": "carol"})))}},
		{name: "sub is not upn", target: "/verify/globex", status: 401, reason: "bad_username", headers: []string{x(cast().globex.sign(t, nil, globexClaims.with(obj{"upn": nil, "sub": "carol"})))}},
		who("no email", obj{"email": nil}, "", "dev,ops"),
		who("email of another type", obj{"email": []string{mail}}, "", "dev,ops"),
		who("email null", obj{"email": raw("null")}, "", "dev,ops"),
		who("no groups", obj{"roles": nil}, mail, ""),
		who("one group as a string", obj{"roles": "dev"}, mail, "dev"),
		who("groups of another type", obj{"roles": obj{"dev": true}}, mail, ""),
		who("a number among the groups", obj{"roles": []any{"dev", 7}}, mail, ""),
		who("an empty list of groups", obj{"roles": []string{}}, mail, ""),
		who("empty groups say nothing", obj{"roles": []string{"", "dev", "", "ops", ""}}, mail, "dev,ops"),
		who("a group twice", obj{"roles": []string{"dev", "dev"}}, mail, "dev,dev"),
	}
}

// because is the row with another reason.
func (r row) because(reason string) row {
	r.reason = reason
	return r
}

// raw is JSON text as a claim.
type raw string

// MarshalJSON returns the text.
func (r raw) MarshalJSON() ([]byte, error) { return []byte(r), nil }

func answerRows(t *testing.T) []row {
	acme := func(name string, change obj, user, email, groups, preferred string) row {
		return row{name: name, headers: []string{x(cast().acme.sign(t, nil, acmeClaims.with(change)))}, user: user, email: email, groups: groups, preferred: preferred, tenant: "acme"}
	}
	named := func(sub, user, preferred string) row {
		return acme("username "+sub, obj{"sub": sub}, user, "bob@acme.example", "dev,ops", preferred)
	}
	grouped := func(name, groups string, list ...string) row {
		return acme("groups "+name, obj{"roles": list}, "acme/bob", "bob@acme.example", groups, "bob")
	}
	mailed := func(email, want string) row {
		return acme("email "+email, obj{"email": email}, "acme/bob", want, "dev,ops", "bob")
	}
	own := row{name: "an own token's slash", target: "/verify", user: "a%2Fb", email: "eve@staff.example", groups: "admins", preferred: "a/b", tenant: "staff",
		headers: []string{x(signOwn(t, nil, ownClaims.with(obj{"preferred_username": "a/b"})))}}
	return []row{
		named("globex/bob", "acme/globex%2Fbob", "globex/bob"),
		named("../bob", "acme/..%2Fbob", "../bob"),
		named("bob smith", "acme/bob%20smith", "bob%20smith"),
		named(" bob ", "acme/%20bob%20", "%20bob%20"),
		named("100%", "acme/100%25", "100%25"),
		named("%2F", "acme/%252F", "%252F"),
		named("a,b", "acme/a,b", "a,b"),
		named("bob\r\nX-Auth-Tenant: globex", "acme/bob%0D%0AX-Auth-Tenant:%20globex", "bob%0D%0AX-Auth-Tenant:%20globex"),
		named("nul\x00", "acme/nul%00", "nul%00"),
		named("del\x7f", "acme/del%7F", "del%7F"),
		named("tab\tbob", "acme/tab%09bob", "tab%09bob"),
		named("jürgen", "acme/j%C3%BCrgen", "j%C3%BCrgen"),
		named("名", "acme/%E5%90%8D", "%E5%90%8D"),
		named("!~\"'<>|^`{}", "acme/!~\"'<>|^`{}", "!~\"'<>|^`{}"),
		named("/", "acme/%2F", "/"),
		grouped("with commas", "a%2Cb,c", "a,b", "c"),
		grouped("with slashes", "a/b,c", "a/b", "c"),
		grouped("with spaces and percent", "a%20b,50%25", "a b", "50%"),
		grouped("with line breaks", "a%0D%0Ab", "a\r\nb"),
		grouped("of commas", "%2C,%2C%2C", ",", ",,"),
		mailed("bob smith@acme.example", "bob%20smith@acme.example"),
		mailed("a,b@acme.example", "a,b@acme.example"),
		mailed("a/b@acme.example", "a/b@acme.example"),
		mailed("bob@acme.example\r\nX: y", "bob@acme.example%0D%0AX:%20y"),
		own,
		{name: "identity headers of the request are not echoed", headers: []string{x(cast().acme.sign(t, nil, acmeClaims.with(obj{"email": nil, "roles": nil}))),
			"X-Auth-Request-Email: evil@x.example", "X-Auth-Request-Groups: admins", "X-Auth-Tenant: globex"}, user: "acme/bob", preferred: "bob", tenant: "acme"},
	}
}
