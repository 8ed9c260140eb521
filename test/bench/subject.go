// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"text/template"

	"github.com/go-jose/go-jose/v4"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/process"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/tokens"
)

// startSubject starts the server under test with a policy for tokens of w signed by key.
type startSubject func(ctx context.Context, core int, w workload, key crypto.PublicKey) (*process.Process, error)

// manifests is what a platform team would commit. All else is default, so metrics are on and only refusals are logged;
// store None, as these scenarios issue nothing.
var manifests = template.Must(template.New("").Parse(`apiVersion: auth.gatehouse.dev/v1alpha1
kind: AuthServer
metadata: {name: default, namespace: default}
spec:
  externalURL: https://auth.bench.example
  store: {type: None}
---
apiVersion: auth.gatehouse.dev/v1alpha1
kind: TenantJWTPolicy
metadata: {name: {{.Tenant}}, namespace: default}
spec:
  tenantID: {{.Tenant}}
  issuers:
  - issuer: {{.Issuer}}
    keys:
    - jwks: '{{.JWKS}}'
  audiences: [{{.Audience}}]
  algorithms: [{{.Algorithm}}]
`))

// prepareAuthServer returns a starter of the real authserver. It takes the binaries from bin or, if that is empty,
// builds them into scratch, so that no stale binary is measured by accident.
func prepareAuthServer(ctx context.Context, bin, scratch string) (startSubject, error) {
	if bin == "" {
		bin = scratch
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", bin, "./cmd/authserver", "./cmd/gatehouse")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("building the servers (run this from the module's root, or name a directory with -bin): %w\n%s", err, out)
		}
	}
	bin, err := filepath.Abs(bin)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", bin, err)
	}
	for _, name := range []string{"authserver", "gatehouse"} {
		if _, err := os.Stat(filepath.Join(bin, name)); err != nil {
			return nil, fmt.Errorf("finding the servers (make build leaves them in bin): %w", err)
		}
	}
	return func(ctx context.Context, core int, w workload, key crypto.PublicKey) (*process.Process, error) {
		config, err := render(ctx, bin, scratch, w, key)
		if err != nil {
			return nil, err
		}
		return process.Start(ctx, core, filepath.Join(bin, "authserver"), "--config-dir", config,
			"--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--ext-authz-listen", "127.0.0.1:0")
	}, nil
}

// render makes the files that the operator would mount and returns their directory.
func render(ctx context.Context, bin, scratch string, w workload, key crypto.PublicKey) (string, error) {
	dir, err := os.MkdirTemp(scratch, "config-")
	if err != nil {
		return "", fmt.Errorf("making a directory for the rendered files: %w", err)
	}
	yaml, err := manifest(w, key)
	if err != nil {
		return "", err
	}
	source := filepath.Join(dir, "manifests.yaml")
	if err := os.WriteFile(source, yaml, 0o600); err != nil {
		return "", fmt.Errorf("writing manifests: %w", err)
	}
	rendered := filepath.Join(dir, "rendered")
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "gatehouse"), "render", "-f", source, "-o", rendered).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("running gatehouse render: %w\n%s", err, out)
	}
	return rendered, nil
}

func manifest(w workload, key crypto.PublicKey) ([]byte, error) {
	jwks, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key, KeyID: tokens.KeyID, Algorithm: w.algorithm, Use: "sig"}}})
	if err != nil {
		return nil, fmt.Errorf("writing the key set: %w", err)
	}
	var b bytes.Buffer
	err = manifests.Execute(&b, map[string]string{"Tenant": tenant, "Issuer": tokens.Issuer, "Audience": tokens.Audience, "Algorithm": w.algorithm, "JWKS": string(jwks)})
	if err != nil {
		return nil, fmt.Errorf("writing manifests: %w", err)
	}
	return b.Bytes(), nil
}
