// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"slices"
	"testing"
)

// TestProviderSamples guards config/samples/providers: each file is whole and valid beside an AuthServer that browsers reach, and so is the folder.
func TestProviderSamples(t *testing.T) {
	const folder = "../../config/samples/providers"
	files, err := filepath.Glob(folder + "/*.yaml")
	files = slices.DeleteFunc(files, func(path string) bool { return filepath.Base(path) == "kustomization.yaml" })
	if err != nil || len(files) != 8 {
		t.Fatalf("%d samples, %v", len(files), err)
	}
	for _, path := range append(files, folder) {
		code, stdout, stderr := cli(t, "", "lint", "-f", "../../config/samples/login/authserver.yaml", "-f", path, "--require-refs")
		if code != exitFine || stdout != "" {
			t.Errorf("%s: exit code %d\n%s%s", path, code, stdout, stderr)
		}
	}
}
