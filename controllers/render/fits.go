// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// fits demands that the key can verify at least one of the policy's algorithms.
func (o *policyPlan) fits(k *jwk.Key) error {
	if len(o.algorithms) == 0 { // every one of them is unknown, which is told already
		return nil
	}
	for _, a := range o.algorithms {
		if k.Fits(a) == nil {
			return nil
		}
	}
	var could []string
	for _, a := range jwk.AlgorithmNames() {
		if k.Fits(a) == nil {
			could = append(could, a)
		}
	}
	return fmt.Errorf("%s fits none of spec.algorithms %v: add %s there, or give another key", describe(k), o.algorithms, strings.Join(could, " or "))
}

// describe names a key by type, size and ID, never by its bytes.
func describe(k *jwk.Key) string {
	what := map[string]string{"RSA": "RSA key", "OKP": "Ed25519 key", "EC": "EC key", "oct": "symmetric key"}[k.Type()]
	switch m := k.Material().(type) {
	case interface{ Size() int }: // *rsa.PublicKey
		what = fmt.Sprintf("RSA key of %d bits", m.Size()*8)
	case []byte:
		what = fmt.Sprintf("symmetric key of %d bytes", len(m))
	}
	if k.Type() == "EC" {
		what = "EC key" + curve(k)
	}
	if k.ID() != "" {
		what += " with kid " + quoted(k.ID())
	}
	return what
}

// curve finds the key's curve from the algorithm that it fits when none is declared.
func curve(k *jwk.Key) string {
	for _, name := range jwk.AlgorithmNames() {
		if a, _ := jwk.Algorithm(name); a.Type == "EC" && k.Fits(name) == nil {
			return " on " + a.Curve
		}
	}
	return ""
}
