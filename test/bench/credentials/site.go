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
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"text/template"
	"time"

	"github.com/go-jose/go-jose/v4"

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
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: minter.PublicKey(), KeyID: tokens.KeyID, Algorithm: "RS256", Use: "sig"}}})
	if err != nil {
		return "", "", fmt.Errorf("writing the key set: %w", err)
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
	source := dir + ".yaml"
	if err := os.WriteFile(source, text.Bytes(), 0o600); err != nil {
		return "", "", fmt.Errorf("writing the manifests: %w", err)
	}
	if out, err := exec.CommandContext(ctx, filepath.Join(b.bin, "gatehouse"), "render", "-f", source, "-o", dir).CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("rendering: %w\n%.2000s", err, out)
	}
	return dir, minted[0].Raw, nil
}
