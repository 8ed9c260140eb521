// SPDX-License-Identifier: Apache-2.0

package served

import (
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
)

// withKeys adds the signing key that an operator would have made, where the server logs people in.
func withKeys(t testing.TB, files map[string][]byte) map[string][]byte {
	t.Helper()
	base, err := config.ParseBase(files[config.FileBase])
	if err != nil {
		t.Fatal(err)
	}
	if base.Store.Type == config.StoreNone || files[config.FileKeys] != nil {
		return files
	}
	key, err := issue.Generate("ES256", time.Now().Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	keys := config.Keys{Version: config.Version, Keys: []config.SigningKey{key}}
	if files[config.FileKeys], err = keys.Encode(); err != nil {
		t.Fatal(err)
	}
	return files
}
