// SPDX-License-Identifier: Apache-2.0

//go:build mutation

package mutation

// providers are the checks by which an answer of an OpenID or OAuth 2.0 provider becomes a person.
//
// Not here is what another check of the same strength stands behind, since no test can tell: go-oidc's second opinion
// (checkLibrary), and the key type of a public document, which the key engine has looked at before.
var providers = []suite{
	{packages: []string{"./authserver/idp"}, skip: "Hostile|Hangs", mutants: oidcChecks},
	{packages: []string{"./authserver/idp"}, run: "Logout|Refresh|Issuer", mutants: logoutChecks},
	{packages: []string{"./authserver/idp"}, run: "OAuth2", skip: "Hostile.*/silent", mutants: oauth2Checks},
	{packages: []string{"./authserver/idp/profile"}, mutants: profileChecks},
	{packages: []string{"./authserver/assertion", "./test/tokenendpoint"}, mutants: assertionChecks},
	{packages: []string{"./authserver/clientaddr"}, mutants: addressChecks},
}

var oidcChecks = []mutant{
	{"idp: iss of a callback", "authserver/idp/oidc.go", `if o.config.Issuer != "" && iss != o.config.Issuer {`, "if false {"},
	{"idp: iss that the metadata promise", "authserver/idp/oidc.go", "if e.sendsIssuer {", "if false && e.sendsIssuer {"},
	{"idp: iss before the token endpoint", "authserver/idp/provider.go", "if err := p.CheckIssuer(ctx, a.Issuer, a.HasIssuer); err != nil {", "if err := p.CheckIssuer(ctx, a.Issuer, a.HasIssuer); false && err != nil {"},
	{"idp: a code", "authserver/idp/provider.go", `case a.Code == "":`, "case false:"},
	{"idp: a whole request", "authserver/idp/provider.go", `a.State == "" || a.Nonce == "" || a.RedirectURI == "" || (a.Challenge != "") != p.PKCE()`, "false"},
	{"idp: a whole answer", "authserver/idp/provider.go", `a.Nonce == "" || a.RedirectURI == "" || (a.Verifier != "") != p.PKCE()`, "false"},
	{"idp: S256", "authserver/idp/oidc.go", `q.Set("code_challenge_method", "S256")`, ""},
	{"idp: parameters of the login itself", "authserver/idp/oidc_id_token.go", "slices.Contains(reserved, p.Name)", "false"},
	{"idp: algorithms of the provider", "authserver/idp/oidc.go", "o := &oidc{deps: d, config: c.OIDC, issuer: c.IdentityIssuer()}", `all := *c.OIDC
	all.Algorithms = []string{"RS256", "ES256"}
	o := &oidc{deps: d, config: &all, issuer: c.IdentityIssuer()}`},
	{"idp: HS256 only where it is listed", "authserver/idp/oidc.go", "o := &oidc{deps: d, config: c.OIDC, issuer: c.IdentityIssuer()}", `if len(c.OIDC.Client.Secret) >= 32 && !slices.Contains(c.OIDC.Algorithms, "HS256") {
		all := *c
		oidcToo := *c.OIDC
		oidcToo.Algorithms = append(slices.Clone(c.OIDC.Algorithms), "HS256")
		all.OIDC = &oidcToo
		c = &all
	}
	o := &oidc{deps: d, config: c.OIDC, issuer: c.IdentityIssuer()}`},
	{"idp: HS256 with a client secret", "authserver/idp/oidc.go", "a != config.ClientSecretBasic && a != config.ClientSecretPost", "false && a != config.ClientSecretBasic"},
	{"idp: the key with the kid", "authserver/idp/oidc_id_token.go", "KeyID: kid, HasKeyID: has", "KeyID: kid, HasKeyID: false && has"},
	{"idp: typ of an ID token", "authserver/idp/oidc_id_token.go", `idTokenTypes = []string{"", "jwt"}`, `idTokenTypes = []string{"", "jwt", "at+jwt", "logout+jwt"}`},
	{"idp: exp and iat", "authserver/idp/oidc_id_token.go", "Leeway: leeway}", "Leeway: 24 * time.Hour}"},
	{"idp: iss", "authserver/idp/oidc_id_token.go", `c.Issuer == "" || o.config.Issuer != "" && c.Issuer != o.config.Issuer`, "false"},
	{"idp: iss exactly", "authserver/idp/oidc_id_token.go", `c.Issuer != o.config.Issuer`, `strings.TrimRight(c.Issuer, "/") != strings.TrimRight(o.config.Issuer, "/")`},
	{"idp: iss where none is known", "authserver/idp/oidc_id_token.go", `c.Issuer == "" || `, ""},
	{"idp: aud", "authserver/idp/oidc_id_token.go", "case !slices.Contains(c.Audience, o.client.ID):", "case false:"},
	{"idp: azp among several audiences", "authserver/idp/oidc_id_token.go", "len(c.Audience) > 1 && !hasAzp", "false"},
	{"idp: azp", "authserver/idp/oidc_id_token.go", "hasAzp && (!isText || party != o.client.ID)", "hasAzp && isText && false && party != \"\""},
	{"idp: iat present", "authserver/idp/oidc_id_token.go", "case !hasIat:", "case false && !hasIat:"},
	{"idp: sub present", "authserver/idp/oidc_id_token.go", `	case c.Subject == "":
		return refuse(ReasonIDTokenSubject`, `	case false:
		return refuse(ReasonIDTokenSubject`},
	{"idp: length of sub", "authserver/idp/oidc_id_token.go", "len(c.Subject) > maxSubject || ", ""},
	{"idp: characters of sub", "authserver/idp/oidc_id_token.go", "return r < ' ' || r == 0x7f", "return r < 0"},
	{"idp: at_hash", "authserver/idp/oidc_id_token.go", "!isText || subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1", "!isText && got != want"},
	{"idp: nonce", "authserver/idp/oidc_id_token.go", `nonce == "" || subtle.ConstantTimeCompare([]byte(c.Nonce), []byte(nonce)) != 1`, "false"},
	{"idp: auth_time within max_age", "authserver/idp/oidc_id_token.go", "o.now().Sub(time.Unix(seconds, 0)) > o.asks.maxAge+leeway", "false"},
	{"idp: auth_time not in the future", "authserver/idp/oidc_id_token.go", "time.Unix(seconds, 0).After(o.now().Add(leeway))", "false"},
	{"idp: whose subject where no issuer is known", "authserver/idp/oidc_id_token.go", "if o.config.Issuer != \"\" {\n\t\treturn c.Issuer", "if true {\n\t\treturn c.Issuer"},
	{"idp: sub of userinfo", "authserver/idp/oidc_profile.go", "!ok || sub != id.claims.Subject", "!ok || sub == \"\""},
	{"idp: sub of userinfo present", "authserver/idp/oidc_profile.go", "!ok || sub != id.claims.Subject", "ok && sub != id.claims.Subject"},
	{"idp: an ID token", "authserver/idp/oidc.go", "\tif t.IDToken == \"\" {\n\t\treturn nil, refuse(ReasonIDTokenMissing", "\tif false {\n\t\treturn nil, refuse(ReasonIDTokenMissing"},
	{"idp: issuer of metadata", "authserver/idp/metadata.go", "if m.Issuer != issuer {", "if false {"},
	{"idp: http named by metadata of https", "authserver/idp/metadata.go", `u.Scheme == "http" && strings.HasPrefix(source, "https:")`, `u.Scheme == "ftp"`},
	{"idp: status of metadata", "authserver/idp/metadata.go", "resp.StatusCode != http.StatusOK", "resp.StatusCode >= 500"},
	{"idp: how old metadata may be", "authserver/idp/discovery.go", "if d.current != nil && age < metadataStale {", "if d.current != nil {"},
	{"idp: redirects of what carries a secret", "authserver/idp/request.go", "outbound.WithoutRedirects(d.client).Do(req)", "d.client.Do(req)"},
	{"idp: scheme of an endpoint", "authserver/idp/request.go", `u.Scheme != "https" && u.Scheme != "http"`, "false"},
	{"idp: host of an endpoint", "authserver/idp/request.go", `u.Hostname() == ""`, "false"},
	{"idp: user and fragment of an endpoint", "authserver/idp/request.go", `u.User != nil || u.Fragment != ""`, "false"},
	{"idp: errors of the token endpoint with status 200", "authserver/idp/token_endpoint.go", `case t.Error != "":`, "case false:"},
	{"idp: token_type", "authserver/idp/token_endpoint.go", `!strings.EqualFold(t.TokenType, "bearer")`, "false"},
	{"idp: characters of an access token", "authserver/idp/token_endpoint.go", "case !isTokenText(t.AccessToken):", `case t.AccessToken == "":`},
	{"idp: an access token", "authserver/idp/token_endpoint.go", "case !isTokenText(t.AccessToken):", `case t.AccessToken != "" && !isTokenText(t.AccessToken):`},
	{"idp: characters of a refresh token", "authserver/idp/token_endpoint.go", `t.RefreshToken != "" && !isTokenText(t.RefreshToken)`, "false"},
}

var logoutChecks = []mutant{
	{"idp: typ of a logout token", "authserver/idp/oidc_logout.go", `logoutTypes = []string{"", "logout+jwt", "jwt"}`, `logoutTypes = []string{"", "logout+jwt", "jwt", "at+jwt"}`},
	{"idp: iss and aud of a logout token", "authserver/idp/oidc_logout.go", "if err := o.checkParties(claims); err != nil {", "if err := o.checkParties(claims); false && err != nil {"},
	{"idp: nonce in a logout token", "authserver/idp/oidc_logout.go", "case hasNonce:", "case false && hasNonce:"},
	{"idp: events of a logout token", "authserver/idp/oidc_logout.go", "case !hasLogoutEvent(events):", "case false && !hasLogoutEvent(events):"},
	{"idp: event that is an object", "authserver/idp/oidc_logout.go", `ok && strings.HasPrefix(value.JSON(), "{")`, `ok && value.JSON() != ""`},
	{"idp: jti of a logout token", "authserver/idp/oidc_logout.go", `c.ID == "" || len(c.ID) > maxTokenID`, "len(c.ID) > maxTokenID"},
	{"idp: length of jti", "authserver/idp/oidc_logout.go", `c.ID == "" || len(c.ID) > maxTokenID`, `c.ID == ""`},
	{"idp: sid that is text", "authserver/idp/oidc_logout.go", `hasSid && (!isText || session == "" || len(session) > maxTokenID)`, "hasSid && isText && len(session) > maxTokenID"},
	{"idp: length of sid", "authserver/idp/oidc_logout.go", ` || len(session) > maxTokenID`, ""},
	{"idp: sid or sub of a logout token", "authserver/idp/oidc_logout.go", "l.Session == [32]byte{} && l.Subject == [32]byte{}", "false"},
	{"idp: syncLogout", "authserver/idp/provider.go", "!ok || !p.config.SyncLogout", "!ok"},
	{"idp: sub of a refresh", "authserver/idp/oidc_refresh.go", "id.issuer != u.Issuer || id.claims.Subject != u.Subject", "id.issuer != u.Issuer"},
	{"idp: iss of a refresh", "authserver/idp/oidc_refresh.go", "last.claims.Issuer != id.claims.Issuer || ", ""},
	{"idp: a provider that has become another, at a refresh", "authserver/idp/provider.go", "if !p.gave(u) {\n\t\treturn nil, &Error{", "if false {\n\t\treturn nil, &Error{"},
	{"idp: a provider that has become another, at a logout", "authserver/idp/provider.go", "if !p.gave(u) {\n\t\tu = Upstream{}", "if false {\n\t\tu = Upstream{}"},
	{"idp: aud of a refresh", "authserver/idp/oidc_refresh.go", " || !sameStrings(last.claims.Audience, id.claims.Audience)", ""},
	{"idp: nonce of a refresh", "authserver/idp/oidc_refresh.go", `id.claims.Nonce != "" && id.claims.Nonce != last.claims.Nonce`, "false"},
	{"idp: whose the kept ID token is", "authserver/idp/oidc_refresh.go", " || claims.Subject != u.Subject || o.identityIssuer(claims) != u.Issuer", ""},
}

var oauth2Checks = []mutant{
	{"oauth2: status of the token endpoint", "authserver/idp/token_endpoint.go", "case a.status != http.StatusOK:", "case false:"},
	{"oauth2: an empty identifier", "authserver/idp/profile/document.go", `return text, text != ""`, "return text, true"},
	{"oauth2: subject attribute", "authserver/idp/oauth2.go", "!ok || len(subject) > maxSubjectAttribute", "!ok && subject != \"\" || len(subject) > maxSubjectAttribute"},
	{"oauth2: length of the subject", "authserver/idp/oauth2.go", "len(subject) > maxSubjectAttribute || ", ""},
	{"oauth2: characters of the subject", "authserver/idp/oauth2.go", " || strings.ContainsFunc(subject, unicode.IsControl)", " || strings.ContainsFunc(subject, unicode.IsControl) && false"},
	{"oauth2: iss of a callback", "authserver/idp/oauth2.go", "config.Origin(u) != config.Origin(c.authorization)", "false"},
	{"oauth2: user in iss of a callback", "authserver/idp/oauth2.go", "err != nil || u.User != nil || config.Origin(u)", "err != nil || config.Origin(u)"},
	{"oauth2: subject of a refresh", "authserver/idp/oauth2.go", "p.Issuer != u.Issuer || p.Subject != u.Subject", "p.Issuer != u.Issuer"},
	{"oauth2: verified and primary address", "authserver/idp/oauth2_emails.go", `[]string{"primary", "verified"}`, `[]string{"primary"}`},
	{"oauth2: primary and verified address", "authserver/idp/oauth2_emails.go", `[]string{"primary", "verified"}`, `[]string{"verified"}`},
	{"oauth2: the boolean true", "authserver/idp/oauth2_emails.go", `value.JSON() != "true"`, `value.JSON() != "true" && value.JSON() != "\"true\""`},
	{"oauth2: one primary address", "authserver/idp/oauth2_emails.go", `case found != "":`, "case false:"},
	{"oauth2: pages at one origin", "authserver/idp/oauth2_groups.go", "config.Origin(u) != g.origin", "false"},
	{"oauth2: user in the link to a page", "authserver/idp/oauth2_groups.go", "err != nil || u.User != nil || config.Origin(u)", "err != nil || config.Origin(u)"},
	{"oauth2: the same page again", "authserver/idp/oauth2_groups.go", "u.String() == current", "false"},
	{"oauth2: bytes of all pages", "authserver/idp/oauth2_groups.go", "total > maxGroupTotal", "false"},
	{"oauth2: an object on several pages", "authserver/idp/oauth2_groups.go", `all == nil && next == ""`, "all == nil"},
	{"oauth2: status of a resource", "authserver/idp/request.go", "case a.status != http.StatusOK:", "case false:"},
	{"oauth2: a resource that is JSON", "authserver/idp/request.go", "case !a.isJSON():", "case false:"},
}

var profileChecks = []mutant{
	{"profile: rule that is false", "authserver/idp/profile/read.go", "case !holds:", "case false && !holds:"},
	{"profile: rule that fails", "authserver/idp/profile/read.go", "\t\tcase err != nil:\n\t\t\treturn &RuleError", "\t\tcase false:\n\t\t\treturn &RuleError"},
	{"profile: username present", "authserver/idp/profile/read.go", `case name == "":`, "case false:"},
	{"profile: length of the username", "authserver/idp/profile/read.go", "utf8.RuneCountInString(name) > MaxUsername", "false"},
	{"profile: characters of the username", "authserver/idp/profile/read.go", "strings.ContainsFunc(name, hidden) || ", ""},
	{"profile: space around the username", "authserver/idp/profile/read.go", " || strings.TrimSpace(name) != name", ""},
	{"profile: email_verified is a boolean", "authserver/idp/profile/email.go", "\t\tif value.JSON() != \"true\" {\n\t\t\treturn false", "\t\tif value.JSON() == \"false\" {\n\t\t\treturn false"},
	{"profile: email_verified of nobody", "authserver/idp/profile/email.go", "vouched := false", "vouched := true"},
	{"profile: email_verified of that address", "authserver/idp/profile/email.go", `if of, _ := d.Lookup("email"); is(of, email) {`, "if is(token.Value{}, email) || true {"},
	{"profile: email_verified denied by one document", "authserver/idp/profile/email.go", "if value.JSON() != \"true\" {\n\t\t\treturn false", "if value.JSON() != \"true\" {\n\t\t\tcontinue"},
	{"profile: username that is an unverified address", "authserver/idp/profile/email.go", "case denied && own, a.EmailDenied && same(a.Username, a.Email):", "case a.EmailDenied && same(a.Username, a.Email):"},
	{"profile: username that is the mapped address", "authserver/idp/profile/email.go", "case denied && own, a.EmailDenied && same(a.Username, a.Email):", "case denied && own:"},
	{"profile: username that only userinfo can vouch for", "authserver/idp/profile/email.go", "case !said && own && of.NoUserInfo:", "case false && !said:"},
	{"profile: claims before userinfo", "authserver/idp/profile/read.go", "[]*Document{of.Claims, of.UserInfo}", "[]*Document{of.UserInfo, of.Claims}"},
	{"profile: number of groups", "authserver/idp/profile/read.go", "len(groups) > MaxGroups || ", ""},
	{"profile: bytes of groups", "authserver/idp/profile/read.go", " || total > MaxGroupsText", ""},
	{"profile: characters of a group", "authserver/idp/profile/read.go", "strings.ContainsFunc(g, unicode.IsControl) || seen[g]", "seen[g]"},
	{"profile: characters of an attribute", "authserver/idp/profile/read.go", "|| strings.ContainsFunc(text, unicode.IsControl)", ""},
	{"profile: identifiers without fraction", "authserver/idp/profile/document.go", "(c < '0' || c > '9') && (c != '-' || i > 0)", "c == 0"},
	{"profile: a username is mapped", "authserver/idp/profile/compile.go", "c == nil || c.Username.Zero()", "c == nil"},
}

var addressChecks = []mutant{
	{"clientaddr: who is asked", "authserver/clientaddr/clientaddr.go", "if !isTrusted(client, trusted) {", "if false {"},
	{"clientaddr: trust", "authserver/clientaddr/clientaddr.go", "if p.Contains(client) {", "if p.IsValid() {"},
	{"clientaddr: what is no address", "authserver/clientaddr/clientaddr.go", "\t\t\tif !ok {\n\t\t\t\treturn connection", "\t\t\tif !ok {\n\t\t\t\treturn client"},
	{"clientaddr: networks that are none", "authserver/clientaddr/clientaddr.go", "\t\tif err != nil {\n\t\t\tcontinue", "\t\tif err != nil {\n\t\t\tp = netip.MustParsePrefix(\"0.0.0.0/0\")"},
	{"clientaddr: IPv4 networks as IPv6", "authserver/clientaddr/clientaddr.go", "p.Addr().Is4In6() && p.Bits() >= 96", "false"},
	{"clientaddr: from the right", "authserver/clientaddr/clientaddr.go", "strings.LastIndexByte(rest, ',')", "-1"},
	{"clientaddr: the last line first", "authserver/clientaddr/clientaddr.go", "for i := len(lines) - 1; i >= 0; i-- {", "for i := range lines {"},
	{"clientaddr: IPv4 as IPv4", "authserver/clientaddr/clientaddr.go", `a.Unmap().WithZone("")`, `a.WithZone("")`},
	{"clientaddr: no zone", "authserver/clientaddr/clientaddr.go", `a.Unmap().WithZone("")`, `a.Unmap()`},
	{"clientaddr: closed brackets", "authserver/clientaddr/clientaddr.go", `!ok || !strings.Contains(inner, ":")`, `!strings.Contains(inner, ":")`},
	{"clientaddr: brackets around IPv6 only", "authserver/clientaddr/clientaddr.go", `!ok || !strings.Contains(inner, ":")`, `!ok`},
}
