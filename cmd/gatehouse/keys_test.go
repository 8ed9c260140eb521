// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/config/configtest"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
)

// TestReadKeysTellsNothingOfThem guards private keys: a keys.json that was edited by hand is refused, and what is printed holds
// nothing of it, whichever field a key has slipped into.
func TestReadKeysTellsNothingOfThem(t *testing.T) {
	key, err := issue.Generate("ES256", time.Unix(1_700_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	document, err := encodeKeys([]config.SigningKey{key})
	if err != nil {
		t.Fatal(err)
	}
	dir, refused := t.TempDir(), 0
	path := filepath.Join(dir, config.FileKeys)
	for what, spoiled := range configtest.Spoil(document) {
		if err := os.WriteFile(path, spoiled, 0o600); err != nil {
			t.Fatal(err)
		}
		keys, err := readKeys(dir)
		if err == nil {
			_, err = issue.Plan(keys, issue.Settings{Algorithm: "ES256", RotationInterval: time.Hour, AccessTokenLifetime: time.Minute}, time.Unix(1_700_000_001, 0), issue.Generate)
		} else if !strings.Contains(err.Error(), path) {
			t.Errorf("%s: the error does not name the file: %v", what, err)
		}
		if err == nil {
			continue
		}
		refused++
		if configtest.Holds(err.Error()) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if refused < 100 {
		t.Errorf("only %d documents were refused: nothing is shown", refused)
	}
}
