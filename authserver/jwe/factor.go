// SPDX-License-Identifier: Apache-2.0

package jwe

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// addPrimes completes an RSA key without p and q, which RFC 7518 §6.3.2 lets a key leave out
// and go-jose wants: whoever knows n, e and d can compute them.
func addPrimes(m jwk.Members) error {
	var numbers [3]*big.Int
	for i, name := range []string{"n", "e", "d"} {
		if err := m.CheckBase64(name); err != nil {
			return err
		}
		text, _ := m.Text(name)
		bytes, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(bytes) > 513 { // 4096 bits with a zero octet in front
			return errors.New("n, e or d of the RSA key is too long")
		}
		numbers[i] = new(big.Int).SetBytes(bytes)
	}
	p, q := factor(numbers[0], numbers[1], numbers[2])
	if p == nil {
		return errors.New("n, e and d of the RSA key do not belong together")
	}
	for name, prime := range map[string]*big.Int{"p": p, "q": q} {
		text, err := json.Marshal(base64.RawURLEncoding.EncodeToString(prime.Bytes()))
		if err != nil {
			return err
		}
		m[name] = text
	}
	return nil
}

// factor splits n with the help of d (NIST SP 800-56B Rev. 2, appendix C.1): e·d − 1 is a
// multiple of the order of every x, so halving it leads to a root of 1 that is neither 1 nor
// −1 for at least half of all x. It returns nil if e and d are not those of n.
func factor(n, e, d *big.Int) (p, q *big.Int) {
	one := big.NewInt(1)
	k := new(big.Int).Mul(e, d)
	k.Sub(k, one)
	if n.BitLen() < minFactorBits || n.Bit(0) == 0 || k.Sign() <= 0 || k.Bit(0) == 1 {
		return nil, nil
	}
	halvings := k.TrailingZeroBits()
	odd := new(big.Int).Rsh(k, halvings)
	minus := new(big.Int).Sub(n, one)
	for x := int64(2); x < 102; x++ {
		root := new(big.Int).Exp(big.NewInt(x), odd, n)
		for i := uint(0); i < halvings && root.Cmp(one) != 0; i++ {
			square := new(big.Int).Mul(root, root)
			square.Mod(square, n)
			if square.Cmp(one) == 0 && root.Cmp(minus) != 0 {
				p = new(big.Int).GCD(nil, nil, new(big.Int).Sub(root, one), n)
				return p, new(big.Int).Quo(n, p)
			}
			root = square
		}
		if root.Cmp(one) != 0 { // not even the last power: no other x need be tried
			return nil, nil
		}
	}
	return nil, nil
}

// minFactorBits keeps factor from numbers that are no modulus.
const minFactorBits = 1024
