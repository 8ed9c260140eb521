// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// apiServerGrace is how long the API server may take to end before it is killed. Open watches end with it.
const apiServerGrace = 20 * time.Second

// StartAPIServer starts the API server, on the address and with the certificates it had before, and waits until it is
// ready. etcd must be running. An API server that does not become ready is ended.
func (c *ControlPlane) StartAPIServer(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.startAPIServer(ctx)
}

func (c *ControlPlane) startAPIServer(ctx context.Context) error {
	if c.apiServer != nil {
		return errors.New("starting kube-apiserver: it has been started already")
	}
	if c.etcd == nil {
		return errors.New("starting kube-apiserver: etcd is not running, start it first")
	}
	p, err := startProcess("kube-apiserver", filepath.Join(c.assets, "kube-apiserver"), c.path("kube-apiserver.log"), c.apiServerArgs())
	if err != nil {
		return err
	}
	if err := c.waitForAPIServer(ctx, p); err != nil {
		p.kill()
		return err
	}
	c.apiServer = p
	return nil
}

func (c *ControlPlane) apiServerArgs() []string {
	pki := func(name string) string { return c.path("pki", name) }
	return append([]string{
		"--etcd-servers=http://" + c.clientPort.address(),
		"--bind-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(c.securePort.number),
		"--advertise-address=127.0.0.1",
		// An address of the loopback range is no valid endpoint of the Service `kubernetes`; nobody here uses it.
		"--endpoint-reconciler-type=none",
		"--tls-cert-file=" + pki("apiserver.crt"),
		"--tls-private-key-file=" + pki("apiserver.key"),
		"--client-ca-file=" + pki("ca.crt"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + pki("sa.pub"),
		"--service-account-signing-key-file=" + pki("sa.key"),
		"--service-cluster-ip-range=10.96.0.0/24",
		"--authorization-mode=RBAC",
		"--disable-admission-plugins=ServiceAccount",
		"--allow-privileged=true",
		"--profiling=false",
	}, c.args...)
}

// waitForAPIServer waits until the API server calls itself ready, which includes etcd, the bootstrap RBAC roles and the
// admission plugins, and until the namespace `default` exists, which it makes a moment later.
func (c *ControlPlane) waitForAPIServer(ctx context.Context, p *process) error {
	client, err := rest.HTTPClientFor(c.admin)
	if err != nil {
		return fmt.Errorf("making a client of kube-apiserver: %w", err)
	}
	defer client.CloseIdleConnections()
	return p.waitFor(ctx, c.timeout, func(ctx context.Context) error {
		for _, path := range []string{"/readyz", "/api/v1/namespaces/default"} {
			if err := getOK(ctx, client, c.admin.Host+path); err != nil {
				return err
			}
		}
		return nil
	})
}

// StopAPIServer stops the API server. etcd goes on.
func (c *ControlPlane) StopAPIServer() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.apiServer == nil {
		return errors.New("stopping kube-apiserver: it is not running")
	}
	return c.stopAPIServer()
}

func (c *ControlPlane) stopAPIServer() error {
	if c.apiServer == nil {
		return nil
	}
	p := c.apiServer
	c.apiServer = nil
	return p.stop(apiServerGrace)
}

// InstallCRDs creates or updates the CustomResourceDefinitions in the given folders or files and waits until the API
// server serves them.
func (c *ControlPlane) InstallCRDs(_ context.Context, paths ...string) error {
	if len(paths) == 0 {
		return nil
	}
	_, err := envtest.InstallCRDs(c.RestConfig(), envtest.CRDInstallOptions{Paths: paths, ErrorIfPathMissing: true, MaxTime: c.timeout})
	if err != nil {
		return fmt.Errorf("installing CRDs: %w", err)
	}
	return nil
}

// getOK asks for url and returns an error unless the answer is 200.
func getOK(ctx context.Context, client *http.Client, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s: %.1000s", url, resp.Status, body)
	}
	return nil
}
