// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

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
