// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// expiry has the lifetimes.
func (o *dexImport) expiry() {
	s := o.s.ChildOf("expiry")
	refresh := s.ChildOf("refreshTokens")
	idle := refresh.lifetime(&o.server, "validIfNotUsedFor", refreshLeast*time.Minute, refreshMost*time.Minute)
	whole := refresh.lifetime(&o.server, "absoluteLifetime", refreshLeast*time.Minute, refreshMost*time.Minute)
	from := "validIfNotUsedFor"
	if whole > 0 {
		o.serverNote(refresh, "absoluteLifetime", "there is no such end here: a login lasts as long as it is used, each time for refreshTokenLifetime, which is not above this. What ends it sooner is in docs/login.md")
		if idle == 0 || whole < idle {
			idle, from = whole, "absoluteLifetime"
		}
	}
	access := s.lifetime(&o.server, "idTokens", accessLeast*time.Minute, accessMost*time.Minute)
	o.server.tokens(access, "idTokens", idle, from)
	if rotation := s.lifetime(&o.server, "signingKeys", time.Hour, 26280*time.Hour); rotation > 0 {
		o.rotation(rotation)
	}
	tellEach(refresh, func(k, f string, a ...any) { o.serverNote(refresh, k, f, a...) }, [][2]string{
		{"disableRotation", "a refresh token always works once, and its successor comes with the answer"},
		{"reuseInterval", "a repeat within 30 seconds gets the same successor; this is fixed"},
	})
	tellEach(s, func(k, f string, a ...any) { o.serverNote(s, k, f, a...) }, [][2]string{
		{"authRequests", "not carried over: how long a login may take is fixed"},
		{"deviceRequests", "not carried over: there is no device flow"},
	})
}

// rotation of the signing keys joins the other lifetimes.
func (o *dexImport) rotation(d time.Duration) {
	one := Field{Name: "keyRotationInterval", Value: duration(d), From: "signingKeys"}
	for i := range o.server.Spec {
		if f, ok := o.server.Spec[i].Value.(Fields); ok && o.server.Spec[i].Name == "tokens" {
			o.server.Spec[i].Value = append(f, one)
			return
		}
	}
	o.server.Spec.Set("tokens", Fields{one})
}

// storage is where logins live. Nothing that Dex stored moves.
func (o *dexImport) storage() {
	s := o.s.ChildOf("storage")
	kind, config := s.Text("type"), s.ChildOf("config")
	switch kind {
	case "", "memory":
	case "sqlite3":
		o.serverNote(s, "type", "SQLite is store.type Embedded, the default. In a cluster give it a volume, else logins end with the pod: store: {embedded: {persistentVolumeClaim: …}}; with gatehouse serve, --data-dir")
		o.server.Spec.Set("store", Fields{{Name: "type", Value: "Embedded", From: "sqlite3"}})
	case "postgres":
		o.postgres(s, config)
	case "kubernetes", "etcd", "mysql":
		o.serverNote(s, "type", "%s is no store here: one replica keeps its logins in SQLite (Embedded, the default; give it a volume), several share a PostgreSQL", kind)
	default:
		s.Mistake("type", "want one of Dex's storages, such as sqlite3, postgres or kubernetes")
	}
	for _, key := range config.Keys() {
		tellEach(config, func(k, f string, a ...any) { o.serverNote(config, k, f, a...) }, [][2]string{{key, "not carried over: it is of Dex's storage"}})
	}
}

// postgres makes the connection string of a database of Gatehouse's own on the same server.
func (o *dexImport) postgres(s, config *Settings) {
	ssl := config.ChildOf("ssl")
	host, port := config.Text("host"), config.Text("port")
	user, secret := config.Text("user"), config.Secret("password")
	config.Text("database")
	mode := cmp.Or(ssl.Text("mode"), "verify-full")
	const database = "gatehouse"
	entry := Entry{Key: "dsn", From: "password", Hint: "postgres://USER:PASSWORD@HOST:5432/" + database + "?sslmode=verify-full, with host, user and password of storage"}
	if host != "" && user != "" && !strings.Contains(host+user+secret+port, "$") && !strings.HasPrefix(host, "/") {
		u := url.URL{Scheme: "postgres", User: url.UserPassword(user, secret), Host: net.JoinHostPort(host, cmp.Or(port, "5432")), Path: "/" + database, RawQuery: url.Values{"sslmode": {mode}}.Encode()}
		entry.Value = u.String()
	}
	entry.File = true
	name := "login-database"
	if o.in.Name != "" {
		name = o.in.Name + "-database"
	}
	o.server.Spec.Set("store", Fields{{Name: "type", Value: "PostgreSQL", From: "postgres"}, {Name: "postgreSQL", Value: Fields{{Name: "dsnSecretRef", Value: SecretRef(name, "dsn")}}}})
	o.result.Secrets = append(o.result.Secrets, Secret{Name: name, Entries: []Entry{entry}})
	o.serverNote(s, "type", "Gatehouse makes tables of its own in a database of its own: the connection string names %s on Dex's server. CREATE DATABASE %s first, and give its user the right to it", database, database)
	if mode != "verify-full" && mode != "verify-ca" {
		o.serverNote(ssl, "mode", "the connection is not checked against a CA, as before: sslmode=verify-full in the connection string does that")
	}
	tellEach(ssl, func(k, f string, a ...any) { o.serverNote(ssl, k, f, a...) }, [][2]string{
		{"caFile", "not carried over: put its certificates into a ConfigMap or Secret and name it with store.postgreSQL.caBundleRef"},
		{"certFile", "not carried over: the server logs in with a password"},
		{"keyFile", "not carried over: the server logs in with a password"},
	})
	tellEach(config, func(k, f string, a ...any) { o.serverNote(config, k, f, a...) }, [][2]string{
		{"maxOpenConns", "not carried over: pool_max_conns in the connection string"}, {"maxIdleConns", "not carried over: the pool closes idle connections by itself"},
		{"connMaxLifetime", "not carried over: pool_max_conn_lifetime in the connection string"}, {"connectionTimeout", "not carried over: connect_timeout in the connection string"},
	})
}

// login has what browsers see, and where they may be sent.
func (o *dexImport) login() {
	var f Fields
	if uris := o.clients(); len(uris) > 0 {
		f.SetFrom("redirectURIs", uris, "redirectURIs of public staticClients")
	}
	web := o.s.ChildOf("web")
	remote := web.ChildOf("clientRemoteIP")
	var networks []string
	for _, text := range list(remote, "trustedProxies") {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			remote.Mistake("trustedProxies", "want networks such as 10.244.0.0/16")
			break
		}
		if network := prefix.Masked().String(); !slices.Contains(networks, network) && len(networks) < 32 {
			networks = append(networks, network)
		}
	}
	if len(networks) > 0 {
		f.SetFrom("trustedProxies", networks, "trustedProxies")
	}
	tellEach(remote, func(k, t string, a ...any) { o.serverNote(remote, k, t, a...) }, [][2]string{{"header", "X-Forwarded-For is what counts, from login.trustedProxies alone"}})
	o.web(web)
	if theme := o.theme(); len(theme) > 0 {
		f.Set("theme", theme)
	}
	if len(f) > 0 {
		o.server.Spec.Set("login", f)
	}
}

func (o *dexImport) web(web *Settings) {
	tellEach(web, func(k, t string, a ...any) { o.serverNote(web, k, t, a...) }, [][2]string{
		{"http", listenWork}, {"https", listenWork}, {"tlsCert", listenWork}, {"tlsKey", listenWork}, {"tlsMinVersion", listenWork}, {"tlsMaxVersion", listenWork},
		{"headers", "not carried over: pages have a strict Content-Security-Policy and the other headers by themselves"},
		{"allowedOrigins", "not carried over: scripts of the origins of login.redirectURIs may ask the token endpoint, and no others"},
		{"allowedHeaders", "not carried over: scripts of the origins of login.redirectURIs may ask the token endpoint, and no others"},
	})
}

// theme has the title and the logo.
func (o *dexImport) theme() Fields {
	s := o.s.ChildOf("frontend")
	var theme Fields
	if title := s.Text("issuer"); title != "" && len([]rune(title)) <= 64 && variableOf(title) == "" {
		theme.SetFrom("title", title, "issuer of frontend")
	}
	logo := s.Text("logoURL")
	u, err := url.Parse(logo)
	switch {
	case logo == "":
	case err == nil && len(logo) <= 2048 && iconURL.MatchString(logo) && u.User == nil && !secretQuery(u):
		theme.Set("logo", Fields{{Name: "url", Value: logo, From: "logoURL"}})
	default:
		o.serverNote(s, "logoURL", "not carried over: it is a file of Dex's. With that file: kubectl create configmap login-logo --from-file=logo.png, and logo: {configMapRef: {name: login-logo, key: logo.png}}")
	}
	tellEach(s, func(k, t string, a ...any) { o.serverNote(s, k, t, a...) }, [][2]string{
		{"dir", "not carried over: the pages are Gatehouse's own"}, {"theme", "not carried over: the pages are Gatehouse's own"},
		{"extra", "not carried over: the pages are Gatehouse's own"}, {"issuer", "not carried over: a title has at most 64 characters"},
	})
	return theme
}

var handoffURI = regexp.MustCompile(`^https://[-A-Za-z0-9.:]+([/?][-A-Za-z0-9._~:/?@!$&()*+,;=%]*)?$|^http://(localhost|127[.]0[.]0[.]1|\[::1\])(:[0-9]{1,5})?([/?][-A-Za-z0-9._~:/?@!$&()*+,;=%]*)?$|^[a-z][a-z0-9+-]*([.][a-z0-9+-]+)+:/[-A-Za-z0-9._~:/?@!$&()*+,;=%]*$`)

// clients tells what becomes of each application, and returns the redirect URIs of those that are public.
func (o *dexImport) clients() []string {
	one := o.s.Get("staticClients")
	if one == nil {
		return nil
	}
	if one.Value.Kind != List {
		o.s.Mistake("staticClients", "want a list")
		return nil
	}
	var uris []string
	for i, item := range one.Value.Items {
		place := fmt.Sprintf("staticClients[%d]", i)
		s := o.s.ChildAt(place, item)
		note := func(format string) Note { return Note{Place: place, Text: format, Line: item.Line} }
		s.Secret("secret")
		s.Get("id")
		s.Get("name")
		redirects, public := list(s, "redirectURIs"), s.Bool("public", false)
		if public {
			for _, uri := range redirects {
				if handoffURI.MatchString(uri) && len(uri) <= 2048 && !slices.Contains(uris, uri) && len(uris) < 32 {
					uris = append(uris, uri)
				}
			}
			o.server.Notes = append(o.server.Notes, note("an application. Gatehouse is no OpenID provider. Its redirectURIs are in login.redirectURIs: it opens /login?redirect_uri=…&state=…&code_challenge=… and exchanges "+
				"the code at /oauth2/token for an access token, without an ID token (docs/login.md). Those that are no https URL, loopback or private scheme are left out"))
		} else {
			o.s.notes = append(o.s.notes, note("an application. Gatehouse is no OpenID provider, and has no clients. Put your gateway in front of it, which asks /verify and passes X-Auth-Request-User on; or keep Dex "+
				"for it; or, if it can be changed, let it use the handoff of docs/login.md"))
		}
		tellEach(s, s.Tell, [][2]string{
			{"idEnv", "not carried over: there are no clients"}, {"secretEnv", "not carried over: there are no clients"},
			{"trustedPeers", "not carried over: tokens have one audience, tokens.audience"}, {"logoURL", "not carried over: there is no page of consent"},
			{"postLogoutRedirectURIs", "not carried over: /logout ends at /login"}, {"backchannelLogoutURI", "not carried over: nobody is called when a session ends, and access tokens expire"},
			{"refreshTokenLifetime", "not carried over: tokens.refreshTokenLifetime is everybody's"}, {"allowedConnectors", "not carried over: everybody who can log in may; a claim rule of the tenant's policy decides more"},
			{"mfaChain", "not carried over: the second factor is the provider's"},
		})
	}
	return uris
}

// others are parts of Dex that there is nothing for.
func (o *dexImport) others() {
	for _, one := range [][2]string{
		{"grpc", "not carried over: there is no gRPC API. Users are kept with gatehouse users, everything else is manifests"},
		{"telemetry", "not carried over: metrics and health are on port 9090 (--ops-listen)"},
		{"logger", "not carried over: logs are JSON on standard error, and never hold a token"},
		{"oauth2", "not carried over: response types, consent and the password grant are of an OpenID provider. PKCE with S256 is demanded of every handoff"},
		{"signer", "not carried over: the server signs with keys of its own, which it rotates (tokens.signingAlgorithm, tokens.keyRotationInterval)"},
		{"sessions", "not carried over: sessions end as tokens.refreshTokenLifetime says, and the cookie is the server's own"},
		{"mfa", "not carried over: there is no second factor here. Have the provider ask for it, with acr_values in extraAuthorizationParameters and a rule about claims.acr"},
	} {
		setting := o.s.byKey[one[0]]
		if setting == nil || o.s.Get(one[0]) == nil {
			continue
		}
		var members []string
		for _, m := range setting.Value.Members {
			members = append(members, shown(m.Name))
		}
		setting.Value.secrets(false, func(text string) { o.s.secrets[one[0]+": "+text] = text })
		text := one[1]
		if len(members) > 0 {
			text += " (" + strings.Join(members, ", ") + ")"
		}
		o.s.Tell(one[0], "%s", text)
	}
}
