// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"strings"
	"text/template"
	"time"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/tokens"
)

// The sites: what an auth server can be configured for.
const (
	siteRS256   = "RS256"             // one tenant with an inline key
	siteES256   = "ES256"             // the same, of the other algorithm
	siteRemote  = "remote keys"       // one tenant whose keys a key server has
	siteMany    = "10,000 tenants"    // each with an inline RS256 key of its own
	siteHostile = "costly algorithms" // a tenant for each way of costing much
	siteJWT     = "a credential"      // one tenant, and a credential whose JWT is itself the token
)

// credential is the name of siteJWT's.
const credential = "api"

// many is how many tenants siteMany has.
const many = 10_000

// site is what an auth server is configured for, and who can sign for its tenants.
type site struct {
	name    string
	tenants []tenant
	keys    *keyServer // nil where all keys are inline
	jwt     bool       // there is a credential, for everybody
	changed bool       // the last tenant's leeway is another: the smallest change there is
}

// tenant is one tenant and its policy.
type tenant struct {
	id        string
	minter    *tokens.Minter // nil if nobody signs for it
	keys      string         // lines of the issuer: keys or jwksURI
	algorithm string
	more      string // further lines of the policy

	// of siteHostile alone
	public       crypto.PublicKey // that verifies, or encrypts
	signature    int              // bytes of a signature
	keyAlgorithm string           // of the encryption
	secret       string           // the key set that decrypts
}

// newSite draws the keys of a site.
func newSite(ctx context.Context, b *bench, name string) (*site, error) {
	s := &site{name: name}
	switch name {
	case siteRS256, siteES256:
		return s, s.inline("bench", name)
	case siteJWT:
		s.jwt = true
		return s, s.inline("bench", siteRS256)
	case siteRemote:
		return s, s.remote(ctx, b)
	case siteMany:
		minters, err := tokens.NewMinters(b.manyTenants, time.Now(), tokenLifetime)
		if err != nil {
			return nil, err
		}
		for i, m := range minters {
			if err := s.add(fmt.Sprintf("t%d", i), "RS256", m); err != nil {
				return nil, err
			}
		}
		return s, nil
	case siteHostile:
		return s, s.hostile()
	}
	return nil, fmt.Errorf("there is no site %q", name)
}

// inline adds a tenant with an inline key.
func (s *site) inline(id, algorithm string) error {
	m, err := tokens.NewMinter(algorithm, time.Now(), tokenLifetime)
	if err != nil {
		return err
	}
	return s.add(id, algorithm, m)
}

func (s *site) add(id, algorithm string, m *tokens.Minter) error {
	keys, err := inlineKeys(m.PublicKey(), algorithm)
	s.tenants = append(s.tenants, tenant{id: id, minter: m, keys: keys, algorithm: algorithm})
	return err
}

// remote adds a tenant whose keys are at a key server that counts how often it is asked.
func (s *site) remote(ctx context.Context, b *bench) error {
	m, err := tokens.NewMinter("RS256", time.Now(), tokenLifetime)
	if err != nil {
		return err
	}
	set, err := tokens.KeySet(m.PublicKey(), "RS256")
	if err != nil {
		return err
	}
	if s.keys, err = startKeyServer(ctx, b, set); err != nil {
		return err
	}
	s.tenants = []tenant{{id: "bench", minter: m, keys: "jwksURI: " + s.keys.url, algorithm: "RS256"}}
	return nil
}

func inlineKeys(key crypto.PublicKey, algorithm string) (string, error) {
	set, err := tokens.KeySet(key, algorithm)
	return "keys: [{jwks: '" + string(set) + "'}]", err
}

// manifests is what a platform team would commit. All else is default, so metrics are on and only refusals are logged;
// store None, as nothing is issued.
var manifests = template.Must(template.New("").Parse(`apiVersion: auth.gatehouse.dev/v1alpha1
kind: AuthServer
metadata: {name: default, namespace: default}
spec:
  externalURL: https://auth.bench.example
  store: {type: None}
{{- if .Loopback}}
  outbound: {allowedCIDRs: [127.0.0.0/8]}
{{- end}}
{{- range .Tenants}}
---
apiVersion: auth.gatehouse.dev/v1alpha1
kind: TenantJWTPolicy
metadata: {name: {{.ID}}, namespace: default}
spec:
  tenantID: {{.ID}}
  issuers:
  - issuer: {{.Issuer}}
    {{.Keys}}
  audiences: [{{.Audience}}]
  algorithms: [{{.Algorithm}}]
{{.More}}
{{- if .Secret}}
---
apiVersion: v1
kind: Secret
metadata: {name: {{.ID}}, namespace: default}
stringData:
  jwks.json: '{{.Secret}}'
{{- end}}
{{- end}}
{{- if .Credential}}
---
apiVersion: v1
kind: Secret
metadata: {name: {{.Credential}}, namespace: default}
stringData: {key: a-secret-of-the-bench-that-signs-jwts}
---
apiVersion: auth.gatehouse.dev/v1alpha1
kind: IdentityProvider
metadata: {name: {{.Credential}}, namespace: default}
spec:
  type: JWTBearer
  jwtBearer:
    keySecretRef: {name: {{.Credential}}, key: key}
    algorithm: HS256
    issuer: bench
    lifetime: 24h
    additionalClaims: {padding: {{.Padding}}}
    allowedCallers: "tenant == 'bench' && !('robots' in groups)"
{{- end}}
`))

// padding makes the JWT of a credential as long as the access tokens of most providers.
var padding = strings.Repeat("x", 400)

// manifests writes the site's manifests.
func (s *site) manifests() ([]byte, error) {
	type row struct{ ID, Issuer, Audience, Algorithm, Keys, More, Secret string }
	data := struct {
		Loopback            bool
		Tenants             []row
		Credential, Padding string
	}{Loopback: s.keys != nil, Padding: padding}
	if s.jwt {
		data.Credential = credential
	}
	for i, t := range s.tenants {
		if s.changed && i == len(s.tenants)-1 {
			t.more += "  leeway: 31s\n"
		}
		data.Tenants = append(data.Tenants, row{t.id, tokens.Issuer, tokens.Audience, t.algorithm, t.keys, t.more, t.secret})
	}
	var b bytes.Buffer
	if err := manifests.Execute(&b, data); err != nil {
		return nil, fmt.Errorf("writing manifests: %w", err)
	}
	return b.Bytes(), nil
}

// close stops what belongs to the site.
func (s *site) close() {
	if s.keys != nil {
		s.keys.server.Stop()
	}
}
