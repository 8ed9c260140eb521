// SPDX-License-Identifier: Apache-2.0

//go:build mutation

package mutation

// rendering are the checks of credentials before a server sees them, and those of the server's reader.
var rendering = []suite{
	{packages: []string{"./controllers/render"}, run: "Golden|Credential|JWT|Output", mutants: credentialChecks},
	{packages: []string{"./authserver/config"}, run: "Credential", mutants: credentialFileChecks},
}

var credentialChecks = []mutant{
	{"render: claims that are made", "controllers/render/jwtbearer_members.go", "instead, made := madeClaims[name]; made {", "instead, made := madeClaims[name]; false && made {"},
	{"render: nbf is a number", "controllers/render/jwtbearer_members.go", "there && !isNumber(value)", "false && there && !isNumber(value)"},
	{"render: headers that change a JWT", "controllers/render/jwtbearer_members.go", "case slices.Contains(madeHeaders, name):", "case false:"},
	{"render: alg of a header", "controllers/render/jwtbearer_members.go", `case name == "alg" && text != string(spec.Algorithm):`, "case false:"},
	{"render: kid of a header", "controllers/render/jwtbearer_members.go", `case name == "kid" && spec.KeyID != "" && text != spec.KeyID:`, "case false:"},
	{"render: typ is text", "controllers/render/jwtbearer_members.go", `case (name == "typ" || name == "cty" || name == "kid") && (!isText || text == ""):`, "case false && isText:"},
	{"render: exact numbers", "controllers/render/jwtbearer_members.go", "if !exact(members) {", "if false {"},
	{"render: bounds of any JSON", "controllers/render/jwtbearer_members.go", "if err := checkAnyJSON(given.Raw); err != nil {", "if err := checkAnyJSON(given.Raw); false && err != nil {"},
	{"render: kid of the key", "controllers/render/credential.go", "text != key.ID()", "false && text != key.ID()"},
	{"render: the server's compiler", "controllers/render/credential.go", `f.refuse(v1alpha1.ReasonInvalid, "", "spec.jwtBearer.%s", wrong)`, "_ = wrong"},
	{"render: who may ask compiles", "controllers/render/jwtbearer.go", `o.refuse(v1alpha1.ReasonInvalid, "spec.jwtBearer.allowedCallers", "%s", wrong)`, "_ = wrong"},
	{"render: host of a token endpoint", "controllers/render/jwtbearer.go", "if err := checkEndpoint(string(spec.TokenEndpoint)); err != nil {", "if err := checkEndpoint(string(spec.TokenEndpoint)); false && err != nil {"},
	{"render: names of the operator's Secrets", "controllers/render/jwtbearer.go", "if strings.HasPrefix(name, reservedSecretPrefix) {", "if false {"},
	{"render: an output that is an input", "controllers/render/jwtbearer.go", "if in.is {", "if false {"},
	{"render: an output of two", "controllers/render/jwtbearer.go", "first, taken := claimed[ref]; taken {", "first, taken := claimed[ref]; false && taken {"},
	{"render: a policy's credential exists", "controllers/render/policy_outgoing.go", "case !there:", "case false && !there:"},
	{"render: a policy's credential is warned of", "controllers/render/policy_outgoing.go", "o.warn(upstreamCredentialField, \"%s\", credentialToGateways)", "_ = o"},
	{"render: a policy's credential is one", "controllers/render/policy_outgoing.go", "case found != v1alpha1.ProviderJWTBearer:", "case false:"},
	{"render: a credential is of the policy's namespace", "controllers/render/policy_outgoing.go", `types[provider.key.Namespace+"/"+provider.key.Name]`, `types["team/"+provider.key.Name]`},
	{"render: assertions need a store", "controllers/render/policy_outgoing.go", "exchange.Enabled && base != nil", "false && base != nil"},
	{"render: tokens of endpoints count", "controllers/render/total.go", "n += perToken", "n += 0"},
}

var credentialFileChecks = []mutant{
	{"config: size of a credential", "authserver/config/credentials_read.go", "case len(text) > MaxObject:", "case false:"},
	{"config: number of credentials", "authserver/config/credentials_read.go", "case len(f.Credentials) >= MaxCredentials:", "case false:"},
	{"config: a credential has an object", "authserver/config/credentials_read.go", `case c.Object == "":`, "case false:"},
	{"config: name of a credential", "authserver/config/credentials_read.go", "case !credentialName.MatchString(c.Name):", "case false:"},
	{"config: names of credentials differ", "authserver/config/credentials_read.go", "case seen[c.Name]:", "case false:"},
	{"config: shard of a credential", "authserver/config/credentials_read.go", "case ShardOf(c.Name, s.Count) != s.Number:", "case false:"},
	{"config: a credential's key", "authserver/config/credentials_read.go", `case !bytes.HasPrefix(c.Key, []byte("{")):`, "case false:"},
	{"config: a credential's lifetime", "authserver/config/credentials_read.go", "case c.Lifetime <= 0:", "case false:"},
	{"config: headers of a credential", "authserver/config/credentials_read.go", "if _, there := c.Headers[name]; there {", "if _, there := c.Headers[name]; false && there {"},
	{"config: claims of a credential", "authserver/config/credentials_read.go", "if _, there := c.Claims[name]; there {", "if _, there := c.Claims[name]; false && there {"},
	{"config: sub and aud for a token endpoint", "authserver/config/credentials_read.go", `if c.Subject == "" || c.Audience == "" || c.GrantType == "" {`, "if false {"},
	{"config: what goes with a token endpoint", "authserver/config/credentials_read.go", `if c.GrantType != "" || c.Client != nil || len(c.Parameters) > 0 || c.CABundle != "" {`, "if false {"},
	{"config: the client of a credential", "authserver/config/credentials_read.go", "return c.Client.validate()", "return nil"},
	{"config: bundles that credentials name", "authserver/config/validate_shard.go", "s.atCredential(i))\n\t\t\t}\n\t\t\tused[hash] = true", "s.atCredential(i))\n\t\t\t}\n\t\t\t_ = hash"},
}
