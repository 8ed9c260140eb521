// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/client-go/rest"
)

// Options say how a control plane is started. The zero value is a good one.
type Options struct {
	// Assets is the folder of the binaries. Default: what [Assets] finds.
	Assets string
	// Dir holds data, certificates and logs. It must be absent or empty and is kept by Stop.
	// Default: a temporary folder that Stop removes.
	Dir string
	// CRDs are folders or files whose CustomResourceDefinitions are installed before Start returns.
	CRDs []string
	// APIServerArgs are added to the API server's flags; of a flag given twice the last counts.
	APIServerArgs []string
	// Timeout bounds the readiness of each part. Default: 2 minutes, for a machine that also compiles.
	Timeout time.Duration
}

// ControlPlane is a running etcd and kube-apiserver. Its methods may be called from several goroutines; those that
// start and stop parts wait for each other.
type ControlPlane struct {
	dir     string
	assets  string
	keep    bool
	timeout time.Duration
	args    []string
	ca      *authority
	admin   *rest.Config

	clientPort, peerPort, securePort *port

	mu        sync.Mutex
	etcd      *process // nil while stopped
	apiServer *process // nil while stopped
}

// Start runs etcd and the API server and returns when the API server is ready, its default namespace exists and
// opts.CRDs are established. ctx bounds the start alone; the parts run until [ControlPlane.Stop]. After an error
// nothing runs, and the logs that the error names are still there.
func Start(ctx context.Context, opts Options) (*ControlPlane, error) {
	c := &ControlPlane{dir: opts.Dir, assets: opts.Assets, keep: opts.Dir != "", timeout: opts.Timeout, args: opts.APIServerArgs}
	if c.timeout == 0 {
		c.timeout = 2 * time.Minute
	}
	if err := c.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the control plane: %w", err), c.Stop())
	}
	if err := c.startAll(ctx, opts.CRDs); err != nil {
		c.keep = true
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// prepare makes everything a start needs: binaries, folder, certificates, ports and the administrator's kubeconfig.
func (c *ControlPlane) prepare(ctx context.Context) (err error) {
	if c.assets == "" {
		if c.assets, err = Assets(ctx); err != nil {
			return err
		}
	}
	if err := c.prepareDir(); err != nil {
		return err
	}
	if c.ca, err = newAuthority(); err != nil {
		return err
	}
	if err := writePKI(c.path("pki"), c.ca); err != nil {
		return err
	}
	for _, p := range []**port{&c.clientPort, &c.peerPort, &c.securePort} {
		if *p, err = reservePort(); err != nil {
			return err
		}
	}
	if c.admin, err = c.AddUser("gatehouse-test-admin", "system:masters"); err != nil {
		return err
	}
	return WriteKubeconfig(c.admin, c.Kubeconfig())
}

func (c *ControlPlane) prepareDir() error {
	if c.dir == "" {
		dir, err := os.MkdirTemp("", "gatehouse-kube-")
		c.dir = dir
		return err
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(c.dir)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s is not empty", c.dir)
	}
	return err
}

func (c *ControlPlane) startAll(ctx context.Context, crds []string) error {
	if err := c.StartEtcd(ctx); err != nil {
		return err
	}
	if err := c.StartAPIServer(ctx); err != nil {
		return err
	}
	return c.InstallCRDs(ctx, crds...)
}

// Stop ends both parts and removes the folder unless Options.Dir named it. A part that had ended by itself is an error,
// and its log is then kept. Stop of a stopped control plane does nothing.
func (c *ControlPlane) Stop() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := errors.Join(c.stopAPIServer(), c.stopEtcd(), c.releasePorts())
	if err != nil || c.keep {
		return err
	}
	return os.RemoveAll(c.dir)
}

func (c *ControlPlane) releasePorts() error {
	var errs []error
	for _, p := range []**port{&c.clientPort, &c.peerPort, &c.securePort} {
		if *p != nil {
			errs = append(errs, (*p).release())
			*p = nil
		}
	}
	return errors.Join(errs...)
}

// Dir returns the folder of data, certificates and logs.
func (c *ControlPlane) Dir() string { return c.dir }

func (c *ControlPlane) path(parts ...string) string {
	return filepath.Join(append([]string{c.dir}, parts...)...)
}
