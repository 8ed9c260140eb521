// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"crypto/ed25519"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// TestKeyIDsAreBounded guards the header of assertions, which other servers bound too.
func TestKeyIDsAreBounded(t *testing.T) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for length, good := range map[int]bool{64: true, 4096: false} {
		text, err := (&jose.JSONWebKey{Key: private, KeyID: strings.Repeat("k", length)}).MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseKey(text); (err == nil) != good || err != nil && !strings.Contains(err.Error(), "kid has") {
			t.Errorf("kid of %d bytes: %v", length, err)
		}
	}
}
