// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/process"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/rig"
)

// deployment is where the auth server under test comes from. A test puts a stand-in here.
type deployment interface {
	// mount makes the files of a site, laid out as a kubelet does.
	mount(ctx context.Context, s *site) (*volume, error)
	// change writes the volume's second state, from the same site with a change.
	change(ctx context.Context, v *volume, s *site) error
	// start starts the server on one core.
	start(ctx context.Context, core int, v *volume) (*process.Process, error)
}

// binaries is the deployment of the real authserver and gatehouse.
type binaries struct{ dir, scratch string }

// prepareBinaries takes the binaries from bin or, if that is empty, builds them into scratch.
func prepareBinaries(ctx context.Context, bin, scratch string) (*binaries, error) {
	dir, err := rig.Programs(ctx, bin, scratch, "authserver", "gatehouse")
	return &binaries{dir: dir, scratch: scratch}, err
}

func (b *binaries) start(ctx context.Context, core int, v *volume) (*process.Process, error) {
	return process.Start(ctx, core, filepath.Join(b.dir, "authserver"), "--config-dir", v.dir,
		"--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--ext-authz-listen", "127.0.0.1:0")
}

// mount renders the site's manifests into a volume of its own.
func (b *binaries) mount(ctx context.Context, s *site) (*volume, error) {
	dir, err := os.MkdirTemp(b.scratch, "volume-")
	if err != nil {
		return nil, fmt.Errorf("making a directory for the rendered files: %w", err)
	}
	v := &volume{dir: dir}
	if err := b.render(ctx, s, filepath.Join(dir, states[0])); err != nil {
		return nil, err
	}
	return v, v.lay()
}

func (b *binaries) change(ctx context.Context, v *volume, s *site) error {
	return b.render(ctx, s, filepath.Join(v.dir, states[1]))
}

// render writes the files that the operator would write.
func (b *binaries) render(ctx context.Context, s *site, into string) error {
	yaml, err := s.manifests()
	if err != nil {
		return err
	}
	return rig.Render(ctx, b.dir, yaml, into)
}
