// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// etcdGrace is how long etcd may take to end before it is killed. Left alone it waits 7 s for the API server's watches.
// Killing it loses nothing: the operating system keeps what it has written, and it recovers as after a crash.
const etcdGrace = time.Second

// StartEtcd starts etcd, on the address and data it had before, and waits until it is ready. If the API server runs,
// it waits for its readiness too. An etcd that does not become ready is ended.
func (c *ControlPlane) StartEtcd(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.startEtcd(ctx)
}

func (c *ControlPlane) startEtcd(ctx context.Context) error {
	if c.etcd != nil {
		return errors.New("starting etcd: it has been started already")
	}
	client, peer := "http://"+c.clientPort.address(), "http://"+c.peerPort.address()
	p, err := startProcess("etcd", filepath.Join(c.assets, "etcd"), c.path("etcd.log"), []string{
		"--name=default",
		"--data-dir=" + c.dataDir(),
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=default=" + peer,
		// The data need not outlive a crash of the machine.
		"--unsafe-no-fsync",
	})
	if err != nil {
		return err
	}
	if err := p.waitFor(ctx, c.timeout, func(ctx context.Context) error { return getOK(ctx, http.DefaultClient, client+"/readyz") }); err != nil {
		p.kill()
		return err
	}
	c.etcd = p
	if c.apiServer == nil {
		return nil
	}
	return c.waitForAPIServer(ctx, c.apiServer)
}

// StopEtcd stops etcd and keeps its data. The API server goes on, unready.
func (c *ControlPlane) StopEtcd() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.etcd == nil {
		return errors.New("stopping etcd: it is not running")
	}
	return c.stopEtcd()
}

func (c *ControlPlane) stopEtcd() error {
	if c.etcd == nil {
		return nil
	}
	p := c.etcd
	c.etcd = nil
	return p.stop(etcdGrace)
}

// SnapshotEtcd copies etcd's data to path, which must not exist. A running etcd is stopped for the copy, a second or
// two, and started again: the copy then is one consistent state, without etcd's own snapshot tools.
func (c *ControlPlane) SnapshotEtcd(ctx context.Context, path string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("copying etcd's data: %s exists already, or cannot be looked at", path)
	}
	running := c.etcd != nil
	if err := c.stopEtcd(); err != nil {
		return err
	}
	if err := os.CopyFS(path, os.DirFS(c.dataDir())); err != nil {
		return fmt.Errorf("copying etcd's data: %w", err)
	}
	if !running {
		return nil
	}
	return c.startEtcd(ctx)
}

// RestoreEtcd puts a copy made by [ControlPlane.SnapshotEtcd] in the place of etcd's data, as an administrator
// restores a backup: both parts are stopped, and those that ran are started again. Objects written after the copy are
// gone, and resource versions go back.
func (c *ControlPlane) RestoreEtcd(ctx context.Context, path string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := os.Stat(filepath.Join(path, "member")); err != nil {
		return fmt.Errorf("restoring etcd's data: %w", err)
	}
	apiServer, etcd := c.apiServer != nil, c.etcd != nil
	if err := errors.Join(c.stopAPIServer(), c.stopEtcd()); err != nil {
		return err
	}
	if err := os.RemoveAll(c.dataDir()); err != nil {
		return fmt.Errorf("removing etcd's data: %w", err)
	}
	if err := os.CopyFS(c.dataDir(), os.DirFS(path)); err != nil {
		return fmt.Errorf("restoring etcd's data: %w", err)
	}
	if etcd {
		if err := c.startEtcd(ctx); err != nil {
			return err
		}
	}
	if apiServer {
		return c.startAPIServer(ctx)
	}
	return nil
}

func (c *ControlPlane) dataDir() string { return c.path("etcd") }
