// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"cmp"
	"slices"
	"strings"
)

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
