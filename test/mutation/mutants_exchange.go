// SPDX-License-Identifier: Apache-2.0

//go:build mutation

package mutation

// exchanges are the checks between a tenant's assertion and an access token of ours.
//
// Not here is the username of a person, which the identity has had before.
var exchanges = []suite{
	{packages: []string{"./authserver/policy"}, run: "Assertion|Scope|RFC7523|GrantIsNo|ShardsShare|UsedIs|ExchangedTokens", mutants: exchangeRules},
	{packages: []string{"./authserver"}, run: "Assertion|Replays|Strangers|Uses|Exchanged", mutants: exchangeEndpoint},
	{packages: []string{"./authserver/claims"}, run: "Person|Parts|RefusesExchanged", mutants: exchangePersons},
	{packages: []string{"./controllers/render"}, run: "Golden", mutants: exchangeWarnings},
	{packages: []string{"./authserver/token"}, run: "PeekIssuer", mutants: exchangePeek},
}

var exchangeRules = []mutant{
	{"exchange: headers", "authserver/policy/assertion.go", "if err := a.Facts.check(); err != nil {", "if err := a.Facts.check(); false && err != nil {"},
	{"exchange: one token", "authserver/policy/assertion.go", "case len(a.Facts.Token) > 0:", "case false:"},
	{"exchange: scope of the request", "authserver/policy/assertion.go", "case !isScope:", "case false && !isScope:"},
	{"exchange: client_id of the request", "authserver/policy/assertion.go", "case len(a.ClientID) > maxClaim || strings.ContainsFunc(a.ClientID, notVisible):", "case false:"},
	{"exchange: length of a client_id", "authserver/policy/assertion.go", "len(a.ClientID) > maxClaim || ", ""},
	{"exchange: narrowing", "authserver/policy/assertion.go", "j.narrow = a.Facts.narrowing()", "_ = a.Facts.narrowing()"},
	{"exchange: the tenant's policy takes assertions", "authserver/policy/assertion.go", `		if p.exchange == nil {
			return refuse(ReasonExchangeOff, "the tenant's policy does not have tokenExchange")
		}`, `		if p.exchange == nil {
			p = &Policy{tenant: p.tenant, object: p.object, sources: p.sources, claims: p.claims, rules: p.rules, exchange: &exchange{rules: p.rules}}
		}`},
	{"exchange: only policies that take assertions have issuers", "authserver/policy/assertion.go", `		if p.exchange == nil {
			continue
		}`, `		if p.exchange == nil {
			p.exchange = &exchange{rules: p.rules}
		}`},
	{"exchange: several tenants of one issuer", "authserver/policy/assertion.go", "case first != nil || len(list) > 1:", "case len(list) > 1 && false:"},
	{"exchange: several tenants of one issuer, in shards", "authserver/policy/assertion.go", "case first != nil || len(list) > 1:", "case len(list) > 1:"},
	{"exchange: several are told to nobody without a key", "authserver/policy/assertion.go", "_ = j.vouch(ctx) // it is refused in either case", "j.vouched = true"},
	{"exchange: own tokens are none, by their issuer", "authserver/policy/assertion.go", "case iss == j.set.own.issuer:", "case false:"},
	{"exchange: own tokens are none, for a tenant", "authserver/policy/assertion.go", `iss != "" && iss == j.set.own.issuer`, `iss != "" && false`},
	{"exchange: signed inside an encryption", "authserver/policy/assertion.go", "signed.Direct = false", "signed.Direct = true"},
	{"exchange: no client authentication", "authserver/policy/assertion.go", "return typ == typeClient", "return false"},
	{"exchange: typ of the policy", "authserver/policy/assertion.go", "q.rules, q.audiences, q.upstream = p.exchange.rules, nil, \"\"", "q.rules.Types, q.audiences, q.upstream = append(p.exchange.rules.Types, \"logout+jwt\"), nil, \"\""},
	{"exchange: all of the policy", "authserver/policy/assertion.go", "if err := j.judgeForeign(ctx); err != nil {", "if err := j.judgeForeign(ctx); j.claims == nil && err != nil {"},
	{"exchange: the signature", "authserver/policy/decide.go", "if err := j.verify(ctx, &p.sources[j.source]); err != nil {", "if err := j.verify(ctx, &p.sources[j.source]); j.assertion == nil && err != nil {"},
	{"exchange: the assertion's own rules", "authserver/policy/assertion.go", "return j.checkAssertion()", "return j.findIssued()"},
	{"exchange: iss", "authserver/policy/assertion_rules.go", `if c.Issuer == "" {`, "if false {"},
	{"exchange: aud", "authserver/policy/assertion_rules.go", "!ok || !slices.Contains(j.set.recipients(), aud)", "!ok || aud == \"\\x00\""},
	{"exchange: aud is no list", "authserver/policy/assertion_rules.go", "!ok || !slices.Contains(j.set.recipients(), aud)", "!slices.ContainsFunc(append(j.claims.Audience, aud), func(s string) bool { return slices.Contains(j.set.recipients(), s) }) && (ok || !ok)"},
	{"exchange: exp", "authserver/policy/assertion_rules.go", "if c.Expiry.After(j.now.Add(most)) {", "if false {"},
	{"exchange: life by iat", "authserver/policy/assertion_rules.go", "has && c.Expiry.Sub(c.IssuedAt) > most", "has && false"},
	{"exchange: an hour", "authserver/policy/assertion.go", "MaxLifetime = time.Hour", "MaxLifetime = 2 * time.Hour"},
	{"exchange: sub", "authserver/policy/assertion_rules.go", `case c.Subject == "" || `, "case "},
	{"exchange: length of sub", "authserver/policy/assertion_rules.go", `len(c.Subject) > maxClaim || `, ""},
	{"exchange: characters of sub", "authserver/policy/assertion_rules.go", ` || strings.ContainsFunc(c.Subject, isControl)`, ""},
	{"exchange: jti", "authserver/policy/assertion_rules.go", `case c.ID == "" || len(c.ID) > maxClaim:`, "case len(c.ID) > maxClaim:"},
	{"exchange: length of jti", "authserver/policy/assertion_rules.go", `case c.ID == "" || len(c.ID) > maxClaim:`, `case c.ID == "":`},
	{"exchange: client_id", "authserver/policy/assertion_rules.go", `case asked != "" && asked != claimed:`, `case asked != asked:`},
	{"exchange: a client that names itself", "authserver/policy/assertion_rules.go", `		return "", nil
	}
	claimed`, `		return asked, nil
	}
	claimed`},
	{"exchange: a token without its policy", "authserver/policy/own.go", "j.policy == nil || by != j.policy.grantMark()", "j.policy != nil && by != j.policy.grantMark()"},
	{"exchange: a token under another's policy", "authserver/policy/own.go", "j.policy == nil || by != j.policy.grantMark()", "j.policy == nil || by == \"\""},
	{"exchange: a token of no known policy", "authserver/policy/own.go", "if by, _ := value.Text(); j.policy == nil ||", "if by, ok := value.Text(); ok && j.policy == nil || ok &&"},
	{"exchange: which tokens are such", "authserver/policy/own.go", "if _, exchanged := c.Lookup(claims.ClaimGrantType); !exchanged {", "if v, _ := c.Lookup(claims.ClaimGrantType); v.JSON() != `\"urn:ietf:params:oauth:grant-type:jwt-bearer\"` {"},
	{"exchange: mark of a policy", "authserver/policy/own.go", "sha256.Sum256([]byte(p.object))", "sha256.Sum256([]byte(p.tenant))"},
	{"exchange: whether it is still granted", "authserver/policy/own.go", "return p != nil && mark == p.grantMark()", "return p != nil && mark != \"\""},
	{"exchange: form of client_id", "authserver/policy/assertion_rules.go", `case !ok || claimed == "" || len(claimed) > maxClaim || strings.ContainsFunc(claimed, notVisible):`, "case false && ok:"},
	{"exchange: scopes of the policy", "authserver/policy/assertion_rules.go", "allowed = intersect(claimed, allowed)", "allowed = claimed"},
	{"exchange: scopes of the assertion", "authserver/policy/assertion_rules.go", "allowed = intersect(claimed, allowed)", "_ = claimed"},
	{"exchange: scopes that are asked for", "authserver/policy/assertion_rules.go", "granted := intersect(asked, allowed)", "granted := asked"},
	{"exchange: no scope is left", "authserver/policy/assertion_rules.go", "if len(granted) == 0 {", "if false {"},
	{"exchange: form of the claim scope", "authserver/policy/assertion_rules.go", "if !isText || !ok {", "if false && (!isText || !ok) {"},
	{"exchange: characters of a scope", "authserver/policy/assertion_rules.go", `scope == "" || strings.ContainsFunc(scope, notScope)`, `scope == ""`},
	{"exchange: number of scopes", "authserver/policy/assertion_rules.go", "if len(list) > maxScopes {", "if false {"},
	{"exchange: the subject is encoded", "authserver/policy/assertion_rules.go", "Subject: j.decision.Identity.User", "Subject: person.Username"},
	{"exchange: how long a use is kept", "authserver/policy/assertion.go", "j.claims.Expiry.Add(j.leeway + rememberID)", "j.claims.Expiry"},
	{"exchange: whose jti", "authserver/policy/assertion.go", "sha256.Sum256([]byte(j.claims.ID))", "sha256.Sum256([]byte(j.claims.Subject))"},
	{"exchange: nothing is told before the signature", "authserver/policy/assertion_reason.go", "case !good:", "case false:"},
	{"exchange: what is used is explained", "authserver/policy/assertion_explain.go", "case was:", "case false && was:"},
}

var exchangeEndpoint = []mutant{
	{"exchange: life of a token", "authserver/login/assertion.go", "min(snap.accessLifetime, maxAssertedLifetime)", "snap.accessLifetime"},
	{"exchange: a token says that it is one", "authserver/login/assertion.go", "GrantType: issue.GrantJWTBearer, ", ""},
	{"exchange: a token says under which policy", "authserver/login/assertion.go", ", GrantedBy: a.GrantedBy", ""},
	{"exchange: groups that are not told", "authserver/login/assertion.go", "GroupsUnknown: a.GroupsUnknown, ", ""},
	{"exchange: userinfo without the policy", "authserver/handle_userinfo.go", " || account.Exchanged && !h.granted(account.Organization, account.GrantedBy)", ""},
	{"exchange: userinfo of what was exchanged", "authserver/login/bearer.go", "Exchanged: exchanged, ", "Exchanged: exchanged && false, "},
	{"exchange: credentials of a client", "authserver/handle_assertion.go", "if err := a.checkClient(r, snap); err != nil {", "if err := a.checkClient(r, snap); false && err != nil {"},
	{"exchange: credentials in the body", "authserver/handle_assertion.go", `sent = sent || r.parameters[name] != ""`, "_ = name"},
	{"exchange: credentials in the header", "authserver/handle_assertion.go", `if values := r.http.Header["Authorization"]; len(values) > 0 {`, `if values := r.http.Header["Authorization"]; len(values) > 9 {`},
	{"exchange: a refusal is one", "authserver/handle_assertion.go", "if x.Status != http.StatusOK {", "if x.Status == http.StatusServiceUnavailable {"},
	{"exchange: each once", "authserver/handle_assertion.go", "if err := a.use(ctx, r, snap, &x, now); err != nil {", "if err := error(nil); err != nil {"},
	{"exchange: a replay", "authserver/handle_assertion.go", "case errors.Is(err, store.ErrReused):", "case false:"},
	{"exchange: a replay is a refusal", "authserver/handle_assertion.go", "return a.refuseGood(r, snap, x, policy.ReasonReplayed, \"jti was used before for this tenant\", 0)", "return nil"},
	{"exchange: a full store", "authserver/handle_assertion.go", "return a.refuseGood(r, snap, x, policy.ReasonManyUses, \"the tenant's uses are as many as are remembered\", manyUsesPatience)", "return nil"},
	{"exchange: a store that is away", "authserver/handle_assertion.go", "return a.refuseGood(r, snap, x, policy.ReasonUsesUnavailable, \"the store cannot be asked\", storePatience)", "return nil"},
	{"exchange: uses of one tenant", "authserver/handle_assertion.go", "usesOfAssertions+x.Tenant", "usesOfAssertions"},
	{"exchange: until when", "authserver/handle_assertion.go", "x.ID, now, x.Until)", "x.ID, now, now.Add(time.Minute))"},
	{"exchange: a token that is too large", "authserver/handle_assertion.go", "case errors.Is(err, issue.ErrTooLarge):", "case false && errors.Is(err, issue.ErrTooLarge):"},
	{"exchange: whose organization", "authserver/handle_assertion.go", "Organization: x.Tenant", "Organization: \"initech\""},
	{"exchange: parts of a name", "authserver/handle_assertion.go", "UsernameParts: i.Parts, ", ""},
}

var exchangeWarnings = []mutant{
	{"exchange: a rule that no access token can meet", "controllers/render/policy_exchange.go", `if refuses != "true" {`, `if refuses != "" || refuses == "" {`},
	{"exchange: only where both are on", "controllers/render/policy_exchange.go", "if !spec.AcceptIssuedTokens || ", "if "},
}

var exchangePersons = []mutant{
	{"exchange: rules that some may meet", "authserver/claims/own_rules.go", `name == "iss" || name == "organization" || !slices.Contains(OwnNames, name)`, "true"},
	{"exchange: rules that are looked into", "authserver/claims/own_rules.go", "!part.Whole && ", ""},
	{"exchange: groups that cannot be read", "authserver/claims/person.go", "p.Groups, p.GroupsUnknown = groups, !known", "p.Groups, p.GroupsUnknown = groups, !known && false"},
	{"exchange: parts of groups that cannot be read", "authserver/claims/person.go", "	if !ok {\n		return nil, false\n	}\n	kept", "	kept"},
	{"exchange: a name", "authserver/claims/person.go", "if p.Parts, ok = r.username.parts(c); !ok {", "if p.Parts, ok = r.username.parts(c); false && !ok {"},
	{"exchange: who vouches for an address", "authserver/claims/person.go", "if r.emailCounts(c) {", "if true {"},
	{"exchange: slashes within parts", "authserver/claims/person.go", `parts[i] = encode(parts[i], "/")`, `parts[i] = encode(parts[i], "")`},
	{"exchange: prefix of parts", "authserver/claims/person.go", "if r.prefix {", "if false {"},
	{"exchange: parts of own tokens only", "authserver/claims/identity.go", "\tid.Groups = r.groups.encodedTexts(c)\n", "\tid.Groups = r.groups.encodedTexts(c)\n\tid = r.joinOwn(id, c)\n"},
}

var exchangePeek = []mutant{
	{"exchange: bounds of what is looked at", "authserver/token/peek.go", "if err != nil || segments != 3 {", "if segments == 0 && err == nil {"},
}
