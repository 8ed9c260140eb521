// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
)

// TestReplicasChooseOneDecoy guards that what an unknown name costs is the same on each replica and after each restart, where
// there is an operations token, and that it is nobody's guess where there is none.
func TestReplicasChooseOneDecoy(t *testing.T) {
	key := func(token logs.Secret) login.DecoyKey {
		s, err := New(Options{OpsToken: token})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.store.close(); s.keys.Close() })
		return s.loader.decoys
	}
	if key("a") != key("a") {
		t.Error("two servers with one operations token differ")
	}
	if key("a") == key("b") {
		t.Error("the operations token decides nothing")
	}
	if key("") == key("") {
		t.Error("servers without an operations token share a key")
	}
}
