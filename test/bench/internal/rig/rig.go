// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Programs returns the absolute path of the directory that holds the commands of these names: dir or, if that is empty, scratch, into which it builds them, so that no stale
// one is measured by accident.
func Programs(ctx context.Context, dir, scratch string, names ...string) (string, error) {
	if dir == "" {
		dir = scratch
		args := []string{"build", "-trimpath", "-o", dir}
		for _, name := range names {
			args = append(args, "./cmd/"+name)
		}
		build := exec.CommandContext(ctx, "go", args...)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building the programs (run this from the module's root, or name a directory with -bin): %w\n%s", err, out)
		}
	}
	found, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("finding %s: %w", dir, err)
	}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(found, name)); err != nil {
			return "", fmt.Errorf("finding the programs (make build leaves them in bin): %w", err)
		}
	}
	return found, nil
}

// Render has the gatehouse command in bin write into dir the files that the operator would write for the manifests, which stay beside it.
func Render(ctx context.Context, bin string, manifests []byte, dir string) error {
	source := dir + ".yaml"
	if err := os.WriteFile(source, manifests, 0o600); err != nil {
		return fmt.Errorf("writing manifests: %w", err)
	}
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "gatehouse"), "render", "-f", source, "-o", dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("running gatehouse render: %w\n%.2000s", err, out)
	}
	return nil
}
