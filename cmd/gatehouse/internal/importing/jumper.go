// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"fmt"
	"math"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// jumper is the kind for Jumper's Carrot server (docs/migrating/jumper.md).
var jumper = Kind{
	Usage: "the authentication settings of Jumper's Carrot server",
	File:  "FILE.env",
	Long: `Turn the variables of Jumper's Carrot server into an AuthServer with its lifetimes, an IdentityProvider of type Password unless
PASSWORD_BASED_AUTHENTICATION is False, and one of type OIDC.

Jumper names each endpoint and no issuer. --issuer names it: then "iss" of ID tokens is checked, and the endpoints of the file
win over the issuer's metadata. docs/migrating/jumper.md has every row.`,
	Example: `  gatehouse import jumper carrot.env --issuer https://keycloak.example/realms/main --external-url https://auth.example.com > manifests.yaml`,
	Options: []Option{
		{Name: "issuer", Value: "URL", Usage: "issuer of the OpenID provider, exactly as in its metadata"},
		externalURLOption,
	},
	Import: importJumper,
}

// externalURLOption is for kinds with which people log in.
var externalURLOption = Option{Name: "external-url", Value: "URL", Usage: "where browsers will reach Gatehouse, such as https://auth.example.com"}

// exampleURL is written where nobody said where Gatehouse will be.
const exampleURL = "https://auth.example.com"

// jumperImport is one import.
type jumperImport struct {
	in       Input
	s        *Settings
	external string
	result   Result
}

func importJumper(in Input) (*Result, error) {
	s, err := ReadEnv(in)
	if err != nil {
		return nil, err
	}
	o := &jumperImport{in: in, s: s}
	if o.external, err = externalURL(in); err != nil {
		return nil, err
	}
	if issuer := in.Option("issuer"); issuer != "" && !plainURL(issuer) {
		return nil, usage("--issuer: want an https URL such as https://keycloak.example/realms/main, without user, query and fragment")
	}
	o.server()
	password := s.Bool("PASSWORD_BASED_AUTHENTICATION", true)
	oidc := o.hasOIDC(password)
	if password {
		o.password(oidc)
	} else {
		o.result.Notes = append(o.result.Notes, s.Note("PASSWORD_BASED_AUTHENTICATION", "no IdentityProvider of type Password is made, so there is no login with a password"))
	}
	if oidc {
		o.oidc(password)
	}
	return s.Finish(&o.result, "JWT_", "OIDC_")
}

// externalURL is that of --external-url, else an example's.
func externalURL(in Input) (string, error) {
	given := in.Option("external-url")
	if given == "" {
		return exampleURL, nil
	}
	u, err := url.Parse(given)
	if err != nil || !plainURL(given) || u.Scheme != "https" && !loopback(u.Hostname()) {
		return "", usage("--external-url: want an https URL such as %s, without user, query and fragment; http is for a loopback host", exampleURL)
	}
	return given, nil
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// plainURL tells whether s is an http or https URL without user, query and fragment.
func plainURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil && !strings.ContainsAny(s, "?#@ \"<>\\^`{|}")
}

// serverObject begins the AuthServer that people log in at.
func serverObject(external string) Object {
	o := Object{Kind: "AuthServer", Name: "default"}
	from := "--external-url"
	if external == exampleURL {
		from = "WRITE YOURS: where browsers reach Gatehouse"
		o.Notes = append(o.Notes, Note{Text: "externalURL is an example: write where browsers will reach Gatehouse, or import with --external-url"})
	}
	o.Notes = append(o.Notes, Note{Text: "A namespace has one AuthServer called default: if there is one already, put these settings into it"})
	o.Spec.SetFrom("externalURL", external, from)
	return o
}

// server has the lifetimes.
func (o *jumperImport) server() {
	const accessKey, refreshKey = "JWT_ACCESS_TOKEN_LIFETIME", "JWT_REFRESH_TOKEN_LIFETIME"
	server := serverObject(o.external)
	refresh := o.lifetime(&server, refreshKey, refreshLeast, refreshMost, refreshDefault)
	access := o.lifetime(&server, accessKey, accessLeast, accessMost, accessDefault)
	if access > refresh {
		server.Notes = append(server.Notes, o.s.Note(accessKey, "an access token that outlives the refresh token is shortened to its lifetime"))
		access = refresh
	}
	if o.s.Has(accessKey) || access != accessDefault {
		server.Spec.Set("tokens", Fields{{Name: "accessTokenLifetime", Value: minutes(access), From: accessKey}, {Name: "refreshTokenLifetime", Value: minutes(refresh), From: refreshKey}})
	} else if o.s.Has(refreshKey) {
		server.Spec.Set("tokens", Fields{{Name: "refreshTokenLifetime", Value: minutes(refresh), From: refreshKey}})
	}
	o.result.Objects = append(o.result.Objects, server)
}

// lifetime reads minutes, and brings them within the bounds.
func (o *jumperImport) lifetime(server *Object, key string, least, most, otherwise int) int {
	n := o.s.Int(key, 1, math.MaxInt32)
	switch {
	case n == 0:
		return otherwise
	case n < least:
		server.Notes = append(server.Notes, o.s.Note(key, "it is below %s, the least there is here, which is taken", minutes(least)))
		return least
	case n > most:
		server.Notes = append(server.Notes, o.s.Note(key, "it is above %s, the most there is here, which is taken", minutes(most)))
		return most
	}
	return n
}

// password is the login with e-mail address and password.
func (o *jumperImport) password(oidc bool) {
	name := o.named("staff", oidc)
	object := Object{Kind: "IdentityProvider", Name: name}
	object.Notes = append(object.Notes, Note{Text: "Jumper's users are in its database. Hashes that Django wrote do not move: people get a new password, or log in at the OpenID provider. " +
		"Leave usersSecretRef out to keep users with `gatehouse users add` alone"})
	object.Spec.Set("type", "Password")
	object.Spec.Set("password", Fields{{Name: "usersSecretRef", Value: SecretRef(name+"-users", "users.yaml"), From: "{email, hash} of each user; hash: gatehouse hash-password"}})
	o.result.Secrets = append(o.result.Secrets, Secret{Name: name + "-users", Entries: []Entry{{Key: "users.yaml", File: true,
		Hint: `the file with a line for each user: - {email: ada@example.com, hash: "$argon2id$…"}, with the hash that gatehouse hash-password prints`}}})
	o.result.Objects = append(o.result.Objects, object)
}

// named is a provider's name: that of --name, unless there is another provider beside it.
func (o *jumperImport) named(name string, another bool) string {
	if o.in.Name != "" && !another {
		return o.in.Name
	}
	return o.in.Named(name)
}

// hasOIDC tells whether there is a provider of type OIDC: not where OIDC_AUTHENTICATION is not True and nothing of it is set, or too little.
func (o *jumperImport) hasOIDC(password bool) bool {
	on := o.s.Bool("OIDC_AUTHENTICATION", false)
	set := slices.ContainsFunc(o.s.Keys(), func(key string) bool {
		return (strings.HasPrefix(key, "OIDC_RP_") || strings.HasPrefix(key, "OIDC_OP_")) && o.s.Has(key)
	})
	if !on && !set {
		if !password {
			o.result.Notes = append(o.result.Notes, Note{Text: "With neither password login nor OIDC_AUTHENTICATION nobody can log in"})
		}
		return false
	}
	return o.complete(on)
}

// oidc is the login at an OpenID provider, switched off where OIDC_AUTHENTICATION is not True.
func (o *jumperImport) oidc(password bool) {
	on := o.s.Bool("OIDC_AUTHENTICATION", false)
	name := o.named("sso", password)
	object := Object{Kind: "IdentityProvider", Name: name}
	object.Spec.Set("type", "OIDC")
	if !on {
		object.Spec.SetFrom("enabled", false, "OIDC_AUTHENTICATION")
	}
	o.displayName(&object)
	endpoints := o.endpoints(&object)
	object.Spec.Set("oidc", o.client(&object, name, endpoints))
	admitNobody(&object, endpoints, o.in.Option("issuer"))
	o.result.Next = append(o.result.Next, "Register the redirect URI "+o.external+"/auth/"+name+"/login/callback/ at the provider.")
	o.result.Objects = append(o.result.Objects, object)
}

// complete demands what a provider cannot do without.
func (o *jumperImport) complete(on bool) bool {
	needed := []string{"OIDC_RP_CLIENT_ID"}
	if o.in.Option("issuer") == "" {
		needed = append(needed, "OIDC_OP_AUTHORIZATION_ENDPOINT", "OIDC_OP_TOKEN_ENDPOINT", "OIDC_OP_JWKS_ENDPOINT")
	}
	missing := slices.DeleteFunc(needed, o.s.Has)
	switch {
	case len(missing) == 0:
		return true
	case on:
		advice := "set it"
		if o.in.Option("issuer") == "" && !slices.Contains(missing, "OIDC_RP_CLIENT_ID") {
			advice = "set it, or name the provider with --issuer"
		}
		o.s.Mistake("OIDC_AUTHENTICATION", "it needs %s: %s", strings.Join(missing, ", "), advice)
	default:
		o.s.Tell("OIDC_AUTHENTICATION", "it is not True and %s is not set, so no IdentityProvider of type OIDC is made", strings.Join(missing, ", "))
	}
	return false
}

func (o *jumperImport) displayName(object *Object) {
	switch title := o.s.Text("OIDC_PROVIDER_NAME"); {
	case len([]rune(title)) > 128:
		o.s.Mistake("OIDC_PROVIDER_NAME", "it has more than 128 characters")
	case title != "":
		object.Spec.SetFrom("displayName", title, "OIDC_PROVIDER_NAME")
	}
}

// endpoints are those of the file, by the names of Gatehouse's fields.
func (o *jumperImport) endpoints(object *Object) Fields {
	var f Fields
	for _, e := range []struct{ field, key string }{
		{"authorizationEndpoint", "OIDC_OP_AUTHORIZATION_ENDPOINT"}, {"tokenEndpoint", "OIDC_OP_TOKEN_ENDPOINT"},
		{"userInfoEndpoint", "OIDC_OP_USER_ENDPOINT"}, {"jwksEndpoint", "OIDC_OP_JWKS_ENDPOINT"},
	} {
		value := o.s.URL(e.key)
		if value == "" {
			continue
		}
		f.SetFrom(e.field, value, e.key)
		tellPlain(o.s, object, e.key, value)
	}
	return f
}

// tellPlain tells of an http URL, which is called only where the AuthServer allows its address.
func tellPlain(s *Settings, object *Object, key, value string) {
	if strings.HasPrefix(value, "http://") {
		object.Notes = append(object.Notes, s.Note(key, "it is http: Gatehouse calls it only if its address is in outbound.allowedCIDRs of the AuthServer. Use https if the provider has it"))
	}
}

// client is the block of the provider.
func (o *jumperImport) client(object *Object, name string, endpoints Fields) Fields {
	var f Fields
	if issuer := o.in.Option("issuer"); issuer != "" {
		f.SetFrom("issuer", issuer, "--issuer")
	} else {
		o.result.Next = append(o.result.Next, "Name the provider's issuer (oidc.issuer, or import with --issuer): without it `iss` of ID tokens is not checked.")
	}
	id := o.s.Text("OIDC_RP_CLIENT_ID")
	if len(id) > 512 {
		o.s.Mistake("OIDC_RP_CLIENT_ID", "it has more than 512 bytes")
	}
	f.SetFrom("clientID", id, "OIDC_RP_CLIENT_ID")
	algorithms := o.algorithms()
	o.secret(&f, name, algorithms)
	if scopes := scopesOf(o.s, "OIDC_RP_SCOPES"); len(scopes) > 0 {
		f.SetFrom("scopes", scopes, "OIDC_RP_SCOPES")
	}
	if len(algorithms) > 0 {
		f.SetFrom("signingAlgorithms", algorithms, "OIDC_RP_SIGN_ALGO")
	}
	switch claim := o.s.Text("OIDC_USERNAME_ATTRIBUTE"); {
	case len(claim) > 256:
		o.s.Mistake("OIDC_USERNAME_ATTRIBUTE", "it has more than 256 bytes")
	case claim != "":
		f.SetFrom("usernameClaim", claim, "OIDC_USERNAME_ATTRIBUTE")
	case isGoogle(o.in.Option("issuer")) || isGoogle(o.s.Text("OIDC_OP_AUTHORIZATION_ENDPOINT")):
		f.SetFrom("usernameClaim", "email", "Google's tokens have no preferred_username")
		object.Notes = append(object.Notes, Note{Text: googleName})
	}
	return append(f, endpoints...)
}

// secret is the client's. For an HMAC it is the key of ID tokens as well, and must be as long as the hash (RFC 7518 section 3.2).
func (o *jumperImport) secret(f *Fields, name string, algorithms []string) {
	const key = "OIDC_RP_CLIENT_SECRET"
	secret := clientSecret(o.s, key)
	least := 0
	for _, a := range algorithms {
		least = max(least, map[string]int{"HS256": 32, "HS384": 48, "HS512": 64}[a])
	}
	switch {
	case secret != "":
		f.SetFrom("clientSecretRef", SecretRef(name, "clientSecret"), key)
		entry := Entry{Key: "clientSecret", Value: secret, From: key}
		if len(secret) < least {
			entry.Value, entry.From, entry.Hint = "", "", fmt.Sprintf("a client secret of at least %d bytes, as OIDC_RP_SIGN_ALGO needs. The one in the file is shorter: have the provider make another, or sign with RS256", least)
		}
		o.result.Secrets = append(o.result.Secrets, Secret{Name: name, Entries: []Entry{entry}})
	case least > 0:
		o.s.Mistake("OIDC_RP_SIGN_ALGO", "an HMAC needs %s, which is not set", key)
	default:
		f.SetFrom("clientAuthenticationMethod", "None", key+" is not set: a public client")
	}
}

func (o *jumperImport) algorithms() []string {
	var out []string
	for _, word := range o.s.Words("OIDC_RP_SIGN_ALGO", ",") {
		if _, ok := jwk.Algorithm(word); !ok {
			o.s.Mistake("OIDC_RP_SIGN_ALGO", "want a signature algorithm such as RS256 or ES256; one without a signature is not taken")
			return nil
		}
		if !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	return out
}
