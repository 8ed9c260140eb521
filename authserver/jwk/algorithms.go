// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"crypto"
	"crypto/rsa"

	"github.com/golang-jwt/jwt/v5"
)

// Alg describes one JWS algorithm (RFC 7518 §3.1, RFC 8037 §3.1).
type Alg struct {
	// Name is the value of the `alg` header parameter, compared exactly.
	Name string
	// Type is the only `kty` that fits: RSA, EC, OKP or oct.
	Type string
	// Curve is the only `crv` that fits, for EC and OKP.
	Curve string
	// Hash is the digest of the signing input; 0 for EdDSA, which hashes itself.
	Hash crypto.Hash
	// MinSecret is the least number of bytes of an oct key (RFC 7518 §3.2).
	MinSecret int
	// Method signs and verifies. It does not know this package's rules: [Key.Verify] does.
	Method jwt.SigningMethod
}

// algorithms is the one list of token algorithms. A row's position is its bit in
// Key.fits; the order is that of RFC 7518 §3.1.
var algorithms = [...]Alg{
	{"HS256", "oct", "", crypto.SHA256, 32, jwt.SigningMethodHS256},
	{"HS384", "oct", "", crypto.SHA384, 48, jwt.SigningMethodHS384},
	{"HS512", "oct", "", crypto.SHA512, 64, jwt.SigningMethodHS512},
	{"RS256", "RSA", "", crypto.SHA256, 0, keptModulus{jwt.SigningMethodRS256}},
	{"RS384", "RSA", "", crypto.SHA384, 0, keptModulus{jwt.SigningMethodRS384}},
	{"RS512", "RSA", "", crypto.SHA512, 0, keptModulus{jwt.SigningMethodRS512}},
	{"ES256", "EC", "P-256", crypto.SHA256, 0, direct{jwt.SigningMethodES256}},
	{"ES384", "EC", "P-384", crypto.SHA384, 0, direct{jwt.SigningMethodES384}},
	{"ES512", "EC", "P-521", crypto.SHA512, 0, direct{jwt.SigningMethodES512}},
	{"PS256", "RSA", "", crypto.SHA256, 0, strictPSS("PS256", crypto.SHA256)},
	{"PS384", "RSA", "", crypto.SHA384, 0, strictPSS("PS384", crypto.SHA384)},
	{"PS512", "RSA", "", crypto.SHA512, 0, strictPSS("PS512", crypto.SHA512)},
	{"EdDSA", "OKP", "Ed25519", 0, 0, jwt.SigningMethodEdDSA},
}

// strictPSS is golang-jwt's RSASSA-PSS with the salt as long as the hash, which
// RFC 7518 §3.5 demands. golang-jwt's own PS methods verify any salt length.
func strictPSS(name string, hash crypto.Hash) jwt.SigningMethod {
	return &jwt.SigningMethodRSAPSS{
		SigningMethodRSA: &jwt.SigningMethodRSA{Name: name, Hash: hash},
		Options:          &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash},
	}
}

// Algorithm returns the algorithm with exactly that name. `none` is not one.
func Algorithm(name string) (Alg, bool) {
	if i := algorithmIndex(name); i >= 0 {
		return algorithms[i], true
	}
	return Alg{}, false
}

// AlgorithmNames returns every algorithm's name, in the order of RFC 7518 §3.1.
func AlgorithmNames() []string {
	names := make([]string, len(algorithms))
	for i := range algorithms {
		names[i] = algorithms[i].Name
	}
	return names
}

func algorithmIndex(name string) int {
	for i := range algorithms {
		if algorithms[i].Name == name {
			return i
		}
	}
	return -1
}
