// SPDX-License-Identifier: Apache-2.0

package importing

import "math"

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
