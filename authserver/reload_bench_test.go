// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// crowd renders n tenants, each with an inline RSA key of its own, in 16 shards.
func crowd(t testing.TB, n int) (files map[string][]byte, policies []config.Policy) {
	t.Helper()
	for i := range n {
		raw := make([]byte, 256)
		_, _ = rand.Read(raw) // it never fails
		raw[0], raw[255] = raw[0]|0x80, raw[255]|1
		key, err := jwk.New(&rsa.PublicKey{N: new(big.Int).SetBytes(raw), E: 65537})
		if err != nil {
			t.Fatal(err)
		}
		text, err := key.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		policies = append(policies, policyOf(fmt.Sprintf("tenant-%05d", i), func(p *config.Policy) {
			p.Issuers = []config.Issuer{{Issuer: fmt.Sprintf("https://idp-%d.example", i), Keys: []json.RawMessage{text}}}
		}))
	}
	return render(t, baseOf(nil), 16, policies...), policies
}

// BenchmarkReload is the change of one tenant among 10,000.
func BenchmarkReload(b *testing.B) {
	files, policies := crowd(b, 10000)
	name := config.TenantsFile(16, config.ShardOf(policies[0].TenantID, 16))
	states := [2]map[string][]byte{files, maps.Clone(files)}
	policies[0].Leeway = config.Duration(7 * time.Second)
	states[1][name] = render(b, baseOf(nil), 16, policies...)[name]
	l := newLab(b, files)
	b.ReportAllocs()
	for i := 1; b.Loop(); i++ {
		if err := l.Load(states[i%2]); err != nil {
			b.Fatal(err)
		}
	}
}
