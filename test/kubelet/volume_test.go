// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"os"
	"path/filepath"
	"testing"
)

// TestWriteAtomicallyAfterAnAttemptCutShort guards that a link left behind does not make every later attempt fail.
func TestWriteAtomicallyAfterAnAttemptCutShort(t *testing.T) {
	folder := t.TempDir()
	if err := os.Symlink("..gone", filepath.Join(folder, "..data_tmp")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one", "two"} {
		if err := writeAtomically(folder, map[string][]byte{"base.json": []byte(want)}); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(folder, "base.json"))
		if err != nil || string(got) != want {
			t.Errorf("read %q, %v, want %q", got, err, want)
		}
	}
}
