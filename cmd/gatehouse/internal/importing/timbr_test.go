// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

const (
	policy  = "TenantJWTPolicy/default "
	tenant5 = "TenantJWTPolicy/tenant-5 "
	on      = "ENABLE_TOKEN=true\n"
	aesKey  = "0123456789abcdef0123456789abcdef"
)

// rsaPEM is an RSA key pair of a size.
func rsaPEM(t *testing.T, bits int) (private, public string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// env is a PEM value on one line, as .env files have it.
func env(pem string) string { return `"` + strings.ReplaceAll(pem, "\n", `\n`) + `"` }

// TestTimbrFields guards that each variable of Timbr's documentation becomes what docs/migrating/timbr.md says.
func TestTimbrFields(t *testing.T) {
	private, public := rsaPEM(t, 2048)
	const password = "correct horse battery staple, and more"
	rsaKeys := `[{"format":"PEM","secretRef":{"key":"public.pem","name":"default-jwt"}}]`
	shared := `[{"format":"Symmetric","secretRef":{"key":"password","name":"default-jwt"}}]`
	runFields(t, "timbr", []fieldCase{
		{name: "ENABLE_TOKEN", text: on, want: map[string]string{policy + "spec.default": "true", policy + "spec.tenantID": `"default"`}},
		{name: "ENABLE_TOKEN=false", text: "ENABLE_TOKEN=false", comment: []string{"ENABLE_TOKEN (line 1): it is not true"}},
		{name: "a tenant without variables", text: on, options: []string{"tenant=tenant-9"}, want: map[string]string{"TenantJWTPolicy/tenant-9 spec.tenantID": `"tenant-9"`}, comment: []string{"--tenant tenant-9: no JWT_TENANT_9_… is in the file"}},
		{name: "without a trace", text: on, comment: []string{"the manifests say the same without one: ENABLE_TOKEN (line 1)"}},
		{name: "JWT_TYPE=custom", text: on + "JWT_TYPE=custom", want: map[string]string{policy + "spec.profile": "", policy + "spec.issuers.0.keys": rsaKeys}},
		{name: "HS256", text: on + "JWT_DEFAULT_ALGORITHM=HS256\nJWT_DEFAULT_KEY='" + password + "'",
			want:   map[string]string{policy + "spec.algorithms": `["HS256"]`, policy + "spec.issuers.0.keys": shared, policy + "spec.decryption": ""},
			secret: map[string]string{"default-jwt/password": password}},
		{name: "HS256 with a short password", text: on + "JWT_DEFAULT_ALGORITHM=HS256\nJWT_DEFAULT_KEY=short-one",
			secret: map[string]string{"default-jwt/password": ""}, comment: []string{"at least 32 bytes", "The value of JWT_DEFAULT_KEY is none"}},
		{name: "RS256", text: on + "JWT_DEFAULT_ALGORITHM=RS256\nJWT_DEFAULT_KEY=" + env("\n"+public),
			want:   map[string]string{policy + "spec.algorithms": `["RS256"]`, policy + "spec.issuers.0.keys": rsaKeys},
			secret: map[string]string{"default-jwt/public.pem": public}},
		{name: "RS246", text: on + "JWT_DEFAULT_ALGORITHM=RS246", want: map[string]string{policy + "spec.algorithms": `["RS256"]`},
			comment: []string{"JWT_DEFAULT_ALGORITHM (line 2): RS246 is read as RS256", "kubectl create secret generic default-jwt --namespace default --from-file=public.pem=public.pem"}},
		{name: "the default algorithm", text: on, want: map[string]string{policy + "spec.algorithms": `["RS256"]`}, comment: []string{"JWT_DEFAULT_ALGORITHM: not set: RS256"}},
		{name: "RSA-OAEP", text: on + "JWT_DEFAULT_ALGORITHM=RSA-OAEP\nJWT_DEFAULT_KEY=" + env(private), want: map[string]string{
			policy + "spec.algorithms":                   `["RS256"]`,
			policy + "spec.decryption.keyAlgorithms":     `["RSA-OAEP"]`,
			policy + "spec.decryption.contentAlgorithms": `["A256GCM","A128CBC-HS256"]`,
			policy + "spec.decryption.required":          "true", policy + "spec.decryption.nestedSignature": "",
			policy + "spec.decryption.keys": `[{"format":"PEM","secretRef":{"key":"private.pem","name":"default-decryption"}}]`,
			policy + "spec.issuers.0.keys":  rsaKeys,
		}, secret: map[string]string{"default-decryption/private.pem": private, "default-jwt/public.pem": ""},
			comment: []string{"RSA-OAEP alone gains RS256 inside: everybody who has the public key can encrypt"}},
		{name: "RSA-OAEP with a public key", text: on + "JWT_DEFAULT_ALGORITHM=RSA-OAEP\nJWT_DEFAULT_KEY=" + env(public),
			secret: map[string]string{"default-decryption/private.pem": "", "default-jwt/public.pem": public}, comment: []string{"private key that opens tokens"}},
		{name: "AES", text: on + "JWT_DEFAULT_ALGORITHM=AES\nJWT_DEFAULT_KEY=" + aesKey + "\nJWT_ISSUER=https://idp.acme.example", want: map[string]string{
			policy + "spec.algorithms": "", policy + "spec.issuers": "",
			policy + "spec.decryption":           `{"contentAlgorithms":["A256GCM"],"keyAlgorithms":["dir","A256KW"],"keys":[{"format":"Symmetric","secretRef":{"key":"key","name":"default-decryption"}}],"nestedSignature":"Optional","required":true}`,
			policy + "spec.claimValidationRules": `[{"claim":"iss","requiredValue":"https://idp.acme.example"}]`,
		}, secret: map[string]string{"default-decryption/key": aesKey}},
		{name: "AES with a password", text: on + "JWT_DEFAULT_ALGORITHM=AES\nJWT_DEFAULT_KEY=correct-horse", secret: map[string]string{"default-decryption/key": ""},
			comment: []string{"exactly 32 bytes (openssl rand 32 > key); nothing is derived from a password", "--from-file=key=key"}},
		{name: "RS246,RSA-OAEP", text: on + "JWT_DEFAULT_ALGORITHM=RS246, RSA-OAEP", want: map[string]string{
			policy + "spec.algorithms": `["RS256"]`, policy + "spec.decryption.keyAlgorithms": `["RSA-OAEP"]`, policy + "spec.decryption.required": "",
		}},
		{name: "HS256,RS256", text: on + "JWT_DEFAULT_ALGORITHM=HS256,RS256", want: map[string]string{
			policy + "spec.algorithms":     `["HS256","RS256"]`,
			policy + "spec.issuers.0.keys": `[{"format":"Symmetric","keyID":"shared","secretRef":{"key":"password","name":"default-jwt"}},{"format":"PEM","keyID":"signing","secretRef":{"key":"public.pem","name":"default-jwt"}}]`,
		}, comment: []string{"tokens say by kid which of the two keys"}},
		{name: "HS256,AES", text: on + "JWT_DEFAULT_ALGORITHM=HS256,AES", want: map[string]string{
			policy + "spec.algorithms": `["HS256"]`, policy + "spec.decryption.required": "", policy + "spec.decryption.nestedSignature": `"Optional"`,
		}},
		{name: "RSA-OAEP,AES", text: on + "JWT_DEFAULT_ALGORITHM=RSA-OAEP,AES", want: map[string]string{
			policy + "spec.decryption.nestedSignature": "", policy + "spec.decryption.keyAlgorithms": `["RSA-OAEP","dir","A256KW"]`,
		}, comment: []string{"AES: what is inside has to be signed as well", "rsa or aes"}},
		{name: "JWT_DEFAULT_AUDIENCE", text: on + "JWT_DEFAULT_AUDIENCE=https://api.acme.example", want: map[string]string{policy + "spec.audiences": `["https://api.acme.example"]`}},
		{name: "no audience", text: on, want: map[string]string{policy + "spec.audiences": ""}, comment: []string{"JWT_DEFAULT_AUDIENCE: not set: `aud` is not checked"}},
		{name: "JWT_USE_EMAIL_OR_USER", text: on + "JWT_USE_EMAIL_OR_USER=email", want: map[string]string{policy + "spec.claimMappings": `{"username":{"claim":"email"}}`}},
		{name: "no user", text: on, want: map[string]string{policy + "spec.claimMappings": ""}, comment: []string{"the user is the claim upn"}},
		{name: "JWT_ISSUER", text: on + "JWT_ISSUER=https://idp.acme.example", want: map[string]string{policy + "spec.issuers.0.issuer": `"https://idp.acme.example"`}},
		{name: "JWT_USE_TENANT_USER", text: on + "JWT_USE_EMAIL_OR_USER=username\nJWT_USE_TENANT_USER=True", options: []string{"tenant=tenant-5"}, want: map[string]string{
			tenant5 + "spec.claimMappings": `{"username":{"claim":"username","prefixWithTenant":true}}`, tenant5 + "spec.tenantID": `"tenant-5"`,
			policy + "spec.claimMappings": `{"username":{"claim":"username"}}`,
		}, comment: []string{"JWT_USE_TENANT_USER (line 3): no prefix here"}},
		{name: "JWT_USE_TENANT_USER without a claim", text: on + "JWT_USE_TENANT_USER=True", options: []string{"tenant=tenant-5"},
			want: map[string]string{tenant5 + "spec.claimMappings": `{"username":{"prefixWithTenant":true}}`}},
		{name: "JWT_<TENANT_ID>_…", text: on + "JWT_DEFAULT_ALGORITHM=HS256\nJWT_DEFAULT_AUDIENCE=all\nJWT_DEFAULT_KEY='" + password + "'\nJWT_TENANT_5_ALGORITHM=RS256\nJWT_TENANT_5_AUDIENCE=five\nJWT_TENANT_5_KEY=" + env(public),
			options: []string{"tenant=Tenant.5"}, want: map[string]string{
				tenant5 + "spec.tenantID": `"Tenant.5"`, tenant5 + "spec.algorithms": `["RS256"]`, tenant5 + "spec.audiences": `["five"]`, tenant5 + "spec.default": "",
				tenant5 + "spec.issuers.0.keys.0.secretRef.name": `"tenant-5-jwt"`, policy + "spec.audiences": `["all"]`,
			}, secret: map[string]string{"tenant-5-jwt/public.pem": public, "default-jwt/password": password}},
		{name: "a tenant that has what the default has", text: on + "JWT_DEFAULT_ALGORITHM=HS256\nJWT_DEFAULT_AUDIENCE=all", options: []string{"tenant=tenant-5"}, want: map[string]string{
			tenant5 + "spec.algorithms": `["HS256"]`, tenant5 + "spec.audiences": `["all"]`, tenant5 + "spec.issuers.0.keys": shared,
		}},
		{name: "a tenant without --tenant", text: on + "JWT_TENANT_5_AUDIENCE=five", want: map[string]string{tenant5 + "spec.tenantID": `"tenant-5"`},
			comment: []string{"JWT_TENANT_5_AUDIENCE (line 2): the tenant's ID is a guess"}},
		{name: "two tenants of one variable", text: on + "JWT_TENANT_5_AUDIENCE=five", options: []string{"tenant=tenant-5", "tenant=tenant_5"}, want: map[string]string{
			tenant5 + "spec.audiences": `["five"]`, "TenantJWTPolicy/tenant-5-2 spec.audiences": `["five"]`, "TenantJWTPolicy/tenant-5-2 spec.tenantID": `"tenant_5"`,
		}},
		{name: "--name and --namespace", text: on, options: []string{"name=old", "namespace=team-a"}, want: map[string]string{
			"TenantJWTPolicy/old-default metadata.namespace": `"team-a"`, "TenantJWTPolicy/old-default spec.issuers.0.keys.0.secretRef.name": `"old-default-jwt"`,
		}, comment: []string{"kubectl create secret generic old-default-jwt --namespace team-a"}},
	})
}

// TestTimbrAzure guards JWT_TYPE=azure.
func TestTimbrAzure(t *testing.T) {
	const azure, id = on + "JWT_TYPE=azure\n", "aaaabbbb-0000-cccc-1111-dddd2222eeee"
	ids := `["` + id + `"]`
	runFields(t, "timbr", []fieldCase{
		{name: "the issuer of v2.0", text: azure + "JWT_ISSUER=https://login.microsoftonline.com/" + id + "/v2.0", want: map[string]string{
			policy + "spec.profile": `"Azure"`, policy + "spec.azure.tenantIDs": ids, policy + "spec.issuers": `[{"issuer":"https://login.microsoftonline.com/` + id + `/v2.0"}]`,
			policy + "spec.algorithms": "",
		}},
		{name: "the issuer of v1.0", text: azure + "JWT_ISSUER=https://sts.windows.net/" + id + "/", want: map[string]string{policy + "spec.azure.tenantIDs": ids}},
		{name: "a national cloud", text: azure + "JWT_ISSUER=https://login.microsoftonline.us/" + id + "/v2.0", want: map[string]string{policy + "spec.azure.authorityHost": `"login.microsoftonline.us"`}},
		{name: "no issuer", text: azure, want: map[string]string{policy + "spec.azure.tenantIDs": `["00000000-0000-0000-0000-000000000000"]`},
			comment: []string{"no token passes until azure.tenantIDs has it", "WRITE YOURS"}},
		{name: "--azure-tenant-id", text: azure, options: []string{"azure-tenant-id=" + id}, want: map[string]string{policy + "spec.azure.tenantIDs": ids, policy + "spec.issuers": ""}},
		{name: "an issuer of all directories", text: azure + "JWT_ISSUER=https://login.microsoftonline.com/common/v2.0", want: map[string]string{policy + "spec.issuers": ""},
			comment: []string{"JWT_ISSUER (line 3): not carried over"}},
		{name: "a prefix", text: azure + "JWT_USE_TENANT_USER=True", options: []string{"azure-tenant-id=" + id, "tenant=acme"},
			want: map[string]string{"TenantJWTPolicy/acme spec.claimMappings": `{"username":{"prefixWithTenant":true}}`}},
		{name: "HS256", text: azure + "JWT_DEFAULT_ALGORITHM=HS256", want: map[string]string{policy + "spec.algorithms": ""}, comment: []string{"HS256 is not carried over"}},
		{name: "RSA-OAEP", text: azure + "JWT_DEFAULT_ALGORITHM=RSA-OAEP", want: map[string]string{policy + "spec.decryption.required": "true"}},
		{name: "a key", text: azure + "JWT_DEFAULT_KEY=something", comment: []string{"JWT_DEFAULT_KEY (line 3): not carried over: the keys of Entra ID"}},
	})
}

// TestTimbrMistakes guards what is refused, with its line, and that no value is repeated.
func TestTimbrMistakes(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
		options          []string
	}{
		{"none", on + "JWT_DEFAULT_ALGORITHM=none", "timbr.env:2: JWT_DEFAULT_ALGORITHM: want HS256", nil},
		{"a type", on + "JWT_TYPE=okta", "timbr.env:2: JWT_TYPE: want custom or azure", nil},
		{"a boolean", "ENABLE_TOKEN=maybe", "timbr.env:1: ENABLE_TOKEN: want True or False", nil},
		{"a password in the issuer", on + "JWT_ISSUER=https://bob:hunter2@idp.example", "timbr.env:2: JWT_ISSUER: want a URL without user", nil},
		{"a tenant named default", on, "--tenant default", []string{"tenant=default"}},
		{"a bad tenant", on, "--tenant is", []string{"tenant=a/b"}},
		{"a directory that is none", on + "JWT_TYPE=azure", "--azure-tenant-id is", []string{"azure-tenant-id=common"}},
		{"a directory without azure", on, "goes with JWT_TYPE=azure", []string{"azure-tenant-id=aaaabbbb-0000-cccc-1111-dddd2222eeee"}},
		{"another system's", "FOO=1", "it has no variable of Timbr's", nil},
		{"all at once", "ENABLE_TOKEN=maybe\nJWT_TYPE=okta", "timbr.env:2: JWT_TYPE", nil},
		{"a namespace", on, "--namespace is", []string{"namespace=A"}},
		{"a name", on, "--name is", []string{"name=a_b"}},
	} {
		t.Run(c.name, func(t *testing.T) { mistakes(t, "timbr", c.text, []string{c.want}, c.options...) })
	}
}
