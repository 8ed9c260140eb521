// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestProgramsAreThere guards that a directory without one of the programs is told before anything is measured.
func TestProgramsAreThere(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "authserver"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Programs(t.Context(), dir, t.TempDir(), "authserver"); err != nil || got != dir {
		t.Errorf("%q: %v", got, err)
	}
	if _, err := Programs(t.Context(), dir, t.TempDir(), "authserver", "gatehouse"); err == nil || !strings.Contains(err.Error(), "gatehouse") {
		t.Errorf("without gatehouse: %v", err)
	}
}

// TestScore guards that a missed target is seen and counted.
func TestScore(t *testing.T) {
	var out strings.Builder
	s := Score{Out: &out}
	s.Tell(true, "%d %%", 1)
	s.Tell(false, "%d %%", 2)
	if want := "ok     1 %\nMISSED 2 %\n"; out.String() != want || s.Missed != 1 {
		t.Errorf("%q, %d missed; want %q, 1", out.String(), s.Missed, want)
	}
}
