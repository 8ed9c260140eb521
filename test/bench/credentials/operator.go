// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/process"
	"github.com/gatehouse-auth/gatehouse/test/kube"
)

// operatorAccount has the rights of config/default and no others.
const operatorAccount = "system:serviceaccount:gatehouse-system:gatehouse-operator"

// operate starts a control plane and the operator, makes so many providers with an output Secret each, and waits until each token was renewed. It returns the operator's
// memory in MiB then, and after which parts of their life they were renewed.
func (b *bench) operate(ctx context.Context, providers int) (memory float64, parts []float64, err error) {
	lifetime := b.lifetime
	if providers == 1 {
		lifetime = 10 * time.Second // its memory alone is asked for
	}
	e, err := startEndpoint(lifetime)
	if err != nil {
		return 0, nil, err
	}
	defer e.stop()
	plane, err := kube.Start(ctx, kube.Options{})
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, plane.Stop()) }()
	objects, err := operatorSite(providers, e.url)
	if err != nil {
		return 0, nil, err
	}
	for _, args := range [][]string{{"apply", "--server-side", "-k", "config/default"}, {"create", "-f", "-"}} {
		command := plane.Kubectl(ctx, args...)
		command.Stdin = bytes.NewReader(objects)
		if out, err := command.CombinedOutput(); err != nil {
			return 0, nil, fmt.Errorf("kubectl %s: %w\n%s", args[0], err, out)
		}
	}
	operator, err := b.startOperator(ctx, plane)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = operator.Process.Kill(); _ = operator.Wait() }()
	for done, begun := false, time.Now(); !done; {
		if parts, done = e.renewals(providers); time.Since(begun) > 4*lifetime+time.Minute {
			return 0, nil, fmt.Errorf("after four lifetimes and a minute only %d of %d tokens are renewed", len(parts), providers)
		}
		select {
		case <-ctx.Done():
			return 0, nil, context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
	m, err := process.MemoryOf(operator.Process.Pid)
	return mib(m.Anonymous), parts, err
}

func (b *bench) startOperator(ctx context.Context, plane *kube.ControlPlane) (*exec.Cmd, error) {
	config, err := plane.AddUser(operatorAccount, "system:serviceaccounts", "system:serviceaccounts:gatehouse-system", "system:authenticated")
	if err != nil {
		return nil, err
	}
	kubeconfig := filepath.Join(b.scratch, "operator.kubeconfig")
	if err := kube.WriteKubeconfig(config, kubeconfig); err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, filepath.Join(b.bin, "operator"), "--image", "localhost/gatehouse:dev", "--metrics-bind-address", "0",
		"--health-probe-bind-address", "0", "--credential-denied-cidrs", "169.254.0.0/16") // the endpoint is on loopback
	command.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "POD_NAMESPACE=gatehouse-system", "GOMEMLIMIT=460MiB")
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("starting the operator: %w", err)
	}
	return command, nil
}

// operatorSite is an AuthServer that allows this machine, a key and the providers that use it.
func operatorSite(providers int, endpoint string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	var out strings.Builder
	fmt.Fprintf(&out, `{apiVersion: auth.gatehouse.dev/v1alpha1, kind: AuthServer, metadata: {name: default, namespace: default}, spec: {outbound: {allowedCIDRs: [127.0.0.0/8]}}}
---
{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: default}, data: {key.pem: %s}}
`, base64.StdEncoding.EncodeToString(text))
	for i := range providers {
		fmt.Fprintf(&out, `---
{apiVersion: auth.gatehouse.dev/v1alpha1, kind: IdentityProvider, metadata: {name: %[1]s, namespace: default}, spec: {type: JWTBearer, jwtBearer: {
  keySecretRef: {name: key, key: key.pem}, algorithm: ES256, issuer: bench, subject: %[1]s, audience: %[2]s, tokenEndpoint: %[2]s, outputSecretName: %[1]s-token}}}
`, provider(i), endpoint)
	}
	return []byte(out.String()), nil
}
