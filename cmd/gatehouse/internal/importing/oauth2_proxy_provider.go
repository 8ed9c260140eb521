// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// place is what OAuth2 Proxy knows of a provider without being told.
type place struct {
	title, issuer, scope string
	// oauth2: there is no ID token. subject, username and method are then the place's, and the endpoints.
	oauth2                                 bool
	subject, username, method              string
	authorization, token, userInfo, emails string
	// instead says what to use where people cannot log in with what there is here.
	instead string
}

// places are OAuth2 Proxy's providers. Those without an entry are of type OIDC.
var places = map[string]place{
	"google":        {title: "Google", issuer: "https://accounts.google.com", scope: "profile email"},
	"gitlab":        {title: "GitLab", issuer: "https://gitlab.com", scope: "openid email"},
	"oidc":          {title: "", scope: "openid email profile"},
	"keycloak-oidc": {title: "Keycloak", scope: "openid email profile"},
	"cidaas":        {title: "cidaas", scope: "openid email profile roles groups"},
	"adfs":          {title: "ADFS", scope: "openid email profile"},
	"azure":         {title: "Microsoft", scope: "openid email profile"},
	"entra-id":      {title: "Microsoft", scope: "openid email profile"},
	"login.gov":     {title: "login.gov", issuer: "https://secure.login.gov/", scope: "email openid"},
	"linkedin":      {title: "LinkedIn", issuer: "https://www.linkedin.com/oauth", scope: "openid profile email", method: "ClientSecretPost"},
	"github": {title: "GitHub", scope: "user:email read:org", oauth2: true, subject: "id", username: "login", method: "ClientSecretPost", authorization: "https://github.com/login/oauth/authorize",
		token: "https://github.com/login/oauth/access_token", userInfo: "https://api.github.com/user", emails: "https://api.github.com/user/emails"},
	"facebook": {title: "Facebook", scope: "public_profile email", oauth2: true, subject: "id", username: "email", method: "ClientSecretPost", authorization: "https://www.facebook.com/v23.0/dialog/oauth",
		token: "https://graph.facebook.com/v23.0/oauth/access_token", userInfo: "https://graph.facebook.com/v23.0/me?fields=id,name,email"},
	"keycloak": {title: "Keycloak", scope: "api", oauth2: true, subject: "sub", username: "preferred_username"},
	"bitbucket": {title: "Bitbucket", scope: "email", oauth2: true, subject: "uuid", username: "nickname", authorization: "https://bitbucket.org/site/oauth2/authorize",
		token: "https://bitbucket.org/site/oauth2/access_token", userInfo: "https://api.bitbucket.org/2.0/user"},
	"digitalocean": {instead: "its userinfo answer has the user's ID inside another object, which type OAuth2 does not read"},
	"nextcloud":    {instead: "its answer has the user's ID inside another object: install Nextcloud's app \"OIDC Identity Provider\", and import provider = \"oidc\""},
	"sourcehut":    {instead: "it is asked with GraphQL, which type OAuth2 does not speak"},
}

// proxyProvider is the import of one provider.
type proxyProvider struct {
	*upstream
	o     *proxyImport
	kind  string
	place place
	// directory of Entra ID, where there is one.
	directory string
	// admits is what groups makes of groups and roles, over the claims of a token.
	admits string
}

// provider adds what becomes of one provider, and returns whose bearer tokens it took.
func (o *proxyImport) provider(s *Settings, taken names) []bearer {
	kind := cmp.Or(s.Text("provider"), "google")
	known, ok := places[kind]
	if !ok {
		s.Mistake("provider", "want one of OAuth2 Proxy's providers, such as oidc, keycloak-oidc, entra-id, google, github or gitlab")
		return nil
	}
	if known.instead != "" {
		s.Tell("provider", "no IdentityProvider is made: %s", known.instead)
		return nil
	}
	directories := []string{""}
	if kind == "azure" || kind == "entra-id" {
		directories = o.directories(s)
	}
	var out []bearer
	for _, directory := range directories {
		base := cmp.Or(o.in.Name, labelOf(s.Text("id"), ""), labelOf(strings.TrimSuffix(kind, "-oidc"), "sso"))
		if kind == "oidc" && o.in.Name == "" && !s.Has("id") {
			base = "sso"
		}
		p := &proxyProvider{upstream: newUpstream(o.in, s, &o.result, taken.take(base)), o: o, kind: kind, place: known, directory: directory}
		out = append(out, p.make()...)
	}
	return out
}

// directories are those of Entra ID whose people may log in: an IdentityProvider names one.
func (o *proxyImport) directories(s *Settings) []string {
	var out []string
	for _, id := range list(s, "entra_id_allowed_tenants") {
		if !directory.MatchString(id) {
			s.Mistake("entra_id_allowed_tenants", "want IDs of directories, GUIDs such as aaaabbbb-0000-cccc-1111-dddd2222eeee")
			return nil
		}
		out = append(out, id)
	}
	named := directoryIn(s.URL("oidc_issuer_url"))
	if tenant := s.Text("azure_tenant"); named == "" && directory.MatchString(tenant) {
		named = tenant
	}
	switch {
	case named != "": // an issuer is one directory's, and the list of others says nothing more
		return []string{named}
	case len(out) == 0:
		return []string{nobodysDirectory}
	}
	if len(out) > 1 {
		s.Tell("entra_id_allowed_tenants", "an IdentityProvider is made for each directory, as an issuer is one directory's: people choose on the login page. Register the redirect URI of each")
	}
	return out
}

func (p *proxyProvider) make() []bearer {
	title := p.s.Text("provider_display_name")
	p.displayName(cmp.Or(title, p.place.title), "provider_display_name")
	p.authorities("provider_ca_files", list(p.s, "provider_ca_files"), "")
	if p.s.Bool("use_system_trust_store", false) {
		p.note("use_system_trust_store", "not carried over: certificates are checked against caBundleRef alone, where there is one")
	}
	p.oauth2 = p.place.oauth2
	issuer := ""
	if p.oauth2 {
		p.plain()
	} else {
		issuer = p.openID()
	}
	p.admission()
	p.insecure()
	p.parts()
	id := p.s.Text("client_id")
	p.done(p.o.external)
	if issuer == "" || !p.o.s.Bool("skip_jwt_bearer_tokens", false) {
		return nil
	}
	return []bearer{{issuer: issuer, audiences: append([]string{id}, list(p.s, "oidc_extra_audiences")...), admits: p.admits,
		groups: p.s.Text("oidc_groups_claim"), email: p.s.Text("oidc_email_claim")}}
}

// openID is the block of type OIDC.
func (p *proxyProvider) openID() string {
	issuer := p.s.URL("oidc_issuer_url")
	key := "oidc_issuer_url"
	switch {
	case p.directory == nobodysDirectory:
		p.note("azure_tenant", "which directory's people may log in is not in the settings, and nobody can until oidc.issuer names it: all directories are at one place")
		p.block.SetFrom("issuer", "https://login.microsoftonline.com/"+nobodysDirectory+"/v2.0", "WRITE YOURS: az account show --query tenantId")
		issuer, key = "https://login.microsoftonline.com/"+nobodysDirectory+"/v2.0", ""
	case p.directory != "" && directoryIn(issuer) == "":
		issuer, key = "https://login.microsoftonline.com/"+p.directory+"/v2.0", "azure_tenant"
	case issuer == "":
		issuer = p.place.issuer
	}
	if issuer == "" && !(p.s.Has("login_url") && p.s.Has("redeem_url") && p.s.Has("oidc_jwks_url")) {
		p.s.mistakes = append(p.s.mistakes, Mistake{File: p.s.file, Line: p.s.Line("provider"), Text: "oidc_issuer_url is missing or empty"})
	}
	if p.directory != nobodysDirectory {
		p.set("issuer", issuer, key)
	}
	p.clientID("client_id")
	p.clientSecret()
	p.set("scopes", p.scopes(true), "scope")
	p.algorithms()
	for _, e := range []struct{ field, key string }{
		{"authorizationEndpoint", "login_url"}, {"tokenEndpoint", "redeem_url"}, {"userInfoEndpoint", "profile_url"}, {"jwksEndpoint", "oidc_jwks_url"},
	} {
		if p.kind == "azure" && e.field != "jwksEndpoint" && p.s.Has(e.key) {
			p.s.Text(e.key)
			p.note(e.key, "not carried over: it is of Entra ID's old protocol. The endpoints are in the issuer's metadata")
			continue
		}
		p.endpoint(e.field, e.key, "")
	}
	p.parameters()
	p.attributes(issuer)
	return issuer
}

// attributes say who people are, as the headers told applications.
func (p *proxyProvider) attributes(issuer string) {
	email, userID := cmp.Or(p.s.Text("oidc_email_claim"), "email"), p.s.Text("user_id_claim")
	key := "oidc_email_claim"
	if email == "email" && userID != "" && userID != "email" {
		email, key = userID, "user_id_claim"
	} else if userID != "" {
		p.s.Get("user_id_claim")
	}
	if p.o.s.Bool("prefer_email_to_user", false) {
		p.mappings.SetFrom("username", Inline{{Name: "claim", Value: email}}, p.o.s.Name("prefer_email_to_user"))
	} else {
		better := "{claim: preferred_username} or {claim: email} reads"
		if isGoogle(issuer) {
			better = "{claim: email} reads (Google tells no preferred_username)"
		}
		p.note("", "X-Auth-Request-User held the claim sub, and still does: %s better. Decide before the first login, since a user keeps the name that applications know", better)
		p.mappings.SetFrom("username", Inline{{Name: "claim", Value: "sub"}}, "")
	}
	if email != "email" {
		p.claim("email", email, key)
	}
	if groups := p.s.Text("oidc_groups_claim"); groups != "" && groups != "groups" {
		p.claim("groups", groups, "oidc_groups_claim")
	}
}

func (p *proxyProvider) algorithms() {
	var out []string
	for _, word := range list(p.s, "oidc_enabled_signing_algs") {
		if _, ok := jwk.Algorithm(word); !ok {
			p.s.Mistake("oidc_enabled_signing_algs", "want signature algorithms such as RS256 or ES256; one without a signature is not taken")
			return
		}
		if !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	p.set("signingAlgorithms", out, "oidc_enabled_signing_algs")
}

// scopes are the file's, else those that OAuth2 Proxy asks for by itself.
func (p *proxyProvider) scopes(openID bool) []string {
	scopes := scopesOf(p.s, "scope")
	if len(scopes) == 0 {
		scopes = strings.Fields(p.place.scope)
	}
	if openID && !slices.Contains(scopes, "openid") {
		scopes = append([]string{"openid"}, scopes...)
	}
	return scopes
}

// clientSecret is in the settings, in a file beside them, or somewhere else.
func (p *proxyProvider) clientSecret() {
	method, key, file, entry := p.place.method, "client_secret", "client_secret_file", "clientSecret"
	if p.kind == "login.gov" {
		method, key, file, entry = "PrivateKeyJWT", "jwt_key", "jwt_key_file", "privateKey"
	}
	named := p.s.Text(file)
	var secret string
	if entry == "privateKey" {
		secret = strings.ReplaceAll(p.s.Secret(key), `\n`, "\n")
	} else {
		secret = clientSecret(p.s, key)
	}
	switch {
	case secret != "":
		p.secretRef(Entry{Key: entry, Value: secret, From: p.s.Name(key), Line: p.s.Line(key)})
	case named != "":
		text := strings.TrimSpace(p.beside(named))
		if text != "" {
			p.s.secrets[file+": "] = text
		}
		p.secretRef(Entry{Key: entry, Value: text, From: p.s.Name(file), File: true, Hint: "the content of the file that " + shown(p.s.Name(file)) + " names, which is not beside the settings"})
	case p.s.Bool("entra_id_federated_token_auth", false):
		p.note("entra_id_federated_token_auth", "not carried over: Gatehouse logs in at the token endpoint with a client secret or a private key. Make one for the application")
		p.secretRef(Entry{Key: entry, Hint: "a client secret of the application"})
	default:
		method = "None"
	}
	p.set("clientAuthenticationMethod", method, "")
}

// parameters are added to the request that browsers are sent to the provider with.
func (p *proxyProvider) parameters() {
	var all []Inline
	add := func(name, value string) {
		if value != "" && len(value) <= 1024 && !slices.ContainsFunc(all, func(one Inline) bool { return one[0].Value == name }) {
			all = append(all, Inline{{Name: "name", Value: name}, {Name: "value", Value: value}})
		}
	}
	var from []string
	for _, one := range []struct{ key, name string }{{"prompt", "prompt"}, {"acr_values", "acr_values"}, {"resource", "resource"}} {
		if value := p.s.Text(one.key); value != "" {
			add(one.name, value)
			from = append(from, p.s.Name(one.key))
		}
	}
	if one := p.s.Get("login_url_parameters"); one != nil {
		from = append(from, p.s.Name(one.Key))
		for _, item := range one.Value.Items {
			name, values := item.Get("name").Text, item.Get("default").Items
			switch {
			case LooksSecret(name) || len(values) > 1 || item.Get("allow").Kind != Null || !parameterName(name):
				p.note("login_url_parameters", "the parameter of line %d is not carried over: parameters have one value, that of the manifest", item.Line)
			case len(values) == 1:
				add(name, values[0].Text)
			}
		}
	}
	if len(all) > 0 {
		p.block.SetFrom("extraAuthorizationParameters", all, strings.Join(from, ", "))
	}
}

// parameterName tells whether a parameter is none that the login sets itself.
func parameterName(name string) bool {
	return name != "" && len(name) <= 64 && !slices.Contains([]string{"client_id", "client_secret", "response_type", "response_mode", "redirect_uri", "scope", "state", "nonce", "code_challenge",
		"code_challenge_method", "request", "request_uri", "approval_prompt"}, name)
}

// plain is the block of type OAuth2.
func (p *proxyProvider) plain() {
	p.clientID("client_id")
	p.clientSecret()
	scopes := p.scopes(false)
	p.set("scopes", scopes, "scope")
	if p.kind == "github" {
		p.github()
		return
	}
	userInfo := "validate_url"
	if p.s.Has("profile_url") {
		userInfo = "profile_url"
	}
	for _, e := range []struct{ field, key, otherwise string }{
		{"authorizationEndpoint", "login_url", p.place.authorization}, {"tokenEndpoint", "redeem_url", p.place.token}, {"userInfoEndpoint", userInfo, p.place.userInfo},
	} {
		if e.otherwise == "" && !p.s.Has(e.key) {
			p.s.mistakes = append(p.s.mistakes, Mistake{File: p.s.file, Line: p.s.Line("provider"), Text: e.key + " is missing or empty"})
		}
		p.endpoint(e.field, e.key, e.otherwise)
	}
	p.block.Set("subjectAttribute", p.place.subject)
	p.claim("username", p.place.username, "")
}

// github is GitHub, or an Enterprise Server of one's own: validate_url is where its API begins.
func (p *proxyProvider) github() {
	p.endpoint("authorizationEndpoint", "login_url", p.place.authorization)
	p.endpoint("tokenEndpoint", "redeem_url", p.place.token)
	api := "https://api.github.com"
	if u, err := url.Parse(p.s.URL("validate_url")); err == nil && u.Host != "" {
		api = u.Scheme + "://" + u.Host
		if strings.HasPrefix(u.Path, "/api/v3") {
			api += "/api/v3"
		}
	}
	p.set("userInfoEndpoint", api+"/user", "validate_url")
	p.block.Set("subjectAttribute", "id")
	p.block.Set("emailsEndpoint", api+"/user/emails")
	p.claim("username", "login", "")
	p.githubGroups(api)
}
