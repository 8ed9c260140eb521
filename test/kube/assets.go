// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Assets returns the folder of etcd, kube-apiserver and kubectl: $KUBEBUILDER_ASSETS where it is set, else what
// hack/kube-assets prints, which downloads or builds them once and can take minutes. It looks for that script from the
// working folder upwards, which finds it in every test and in a program started anywhere inside the repository.
func Assets(ctx context.Context) (string, error) {
	if dir := os.Getenv("KUBEBUILDER_ASSETS"); dir != "" {
		return dir, nil
	}
	script, err := findUp(filepath.Join("hack", "kube-assets"))
	if err != nil {
		return "", fmt.Errorf("finding the control plane's binaries: %w; run inside the repository or set KUBEBUILDER_ASSETS", err)
	}
	cmd := exec.CommandContext(ctx, script)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("running %s: %w", script, err)
	}
	return strings.TrimSpace(out.String()), nil
}

// findUp returns the path of name in the working folder or the nearest folder above it that has it.
func findUp(name string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		path := filepath.Join(dir, name)
		_, err := os.Stat(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no %s here or in a folder above", name)
		}
		dir = parent
	}
}
