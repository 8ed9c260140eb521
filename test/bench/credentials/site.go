// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"text/template"
	"time"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/rig"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/tokens"
)

// tenant is whose caller asks for all tokens.
const tenant = "bench"

// manifests are one tenant and many providers that share a Secret: each of them is parsed, and kept, by itself.
var manifests = template.Must(template.New("").Parse(`apiVersion: auth.gatehouse.dev/v1alpha1
kind: AuthServer
metadata: {name: default, namespace: default}
spec:
  externalURL: https://auth.bench.example
  store: {type: None}
  outbound: {allowedCIDRs: [127.0.0.0/8]}
---
apiVersion: auth.gatehouse.dev/v1alpha1
kind: TenantJWTPolicy
metadata: {name: {{.Tenant}}, namespace: default}
spec:
  tenantID: {{.Tenant}}
  issuers:
  - issuer: {{.Issuer}}
    keys: [{jwks: '{{.Keys}}'}]
  audiences: [{{.Audience}}]
---
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: default}
data: {key.pem: {{.Key}}}
{{- range .Providers}}
---
apiVersion: auth.gatehouse.dev/v1alpha1
kind: IdentityProvider
metadata: {name: {{.}}, namespace: default}
spec:
  type: JWTBearer
  jwtBearer:
    keySecretRef: {name: key, key: key.pem}
    algorithm: RS256
    issuer: bench
    subject: {{.}}
    audience: {{$.Endpoint}}
    tokenEndpoint: {{$.Endpoint}}
    allowedCallers: "tenant == '{{$.Tenant}}'"
{{- end}}
`))

func provider(i int) string { return fmt.Sprintf("p%d", i) }

// site renders so many providers and returns the directory, and a token of a caller who may have all of theirs.
func (b *bench) site(ctx context.Context, providers int, endpoint string) (dir, caller string, err error) {
	minter, err := tokens.NewMinter("RS256", time.Now(), time.Hour)
	if err != nil {
		return "", "", err
	}
	minted, err := minter.Mint(1)
	if err != nil {
		return "", "", err
	}
	keys, err := tokens.KeySet(minter.PublicKey(), "RS256")
	if err != nil {
		return "", "", err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", "", err
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	names := make([]string, providers)
	for i := range names {
		names[i] = provider(i)
	}
	var text bytes.Buffer
	if err := manifests.Execute(&text, map[string]any{
		"Tenant": tenant, "Issuer": tokens.Issuer, "Audience": tokens.Audience, "Keys": string(keys), "Endpoint": endpoint,
		"Key": base64.StdEncoding.EncodeToString(private), "Providers": names,
	}); err != nil {
		return "", "", fmt.Errorf("writing the manifests: %w", err)
	}
	if dir, err = os.MkdirTemp(b.scratch, "site-"); err != nil {
		return "", "", fmt.Errorf("making a directory: %w", err)
	}
	return dir, minted[0].Raw, rig.Render(ctx, b.bin, text.Bytes(), dir)
}
