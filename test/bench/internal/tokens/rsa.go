// SPDX-License-Identifier: Apache-2.0

package tokens

import (
	"crypto/rsa"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"math/bits"
)

const (
	rsaBits   = 2048
	rsaWords  = rsaBits / 64
	rsaPublic = 65537
)

// rsaKey signs with one exponentiation per 64-bit prime and puts the residues together by Garner's method (HAC 14.71).
// It is immutable and safe for concurrent use. It is insecure by construction: see the package comment.
type rsaKey struct {
	primes [rsaWords]prime
	garner [rsaWords][rsaWords]uint64 // [i][j]: primes[j]^-1 mod primes[i] in Montgomery form, for j < i
	public rsa.PublicKey
}

// newRSAKey draws 32 distinct primes from random. All lie in the top 64th of their range, so the product has its 2048
// bits for certain.
func newRSAKey(random io.Reader) (*rsaKey, error) {
	pool, err := drawPool(random, rsaWords)
	if err != nil {
		return nil, err
	}
	return assemble(pool), nil
}

// drawPool draws n distinct primes. Keys of 32 primes of a larger pool are quick to make and differ from each other.
func drawPool(random io.Reader, n int) ([]prime, error) {
	pool := make([]prime, 0, n)
	seen := map[uint64]bool{}
	for len(pool) < n {
		p, err := drawPrime(random)
		if err != nil {
			return nil, fmt.Errorf("drawing a prime: %w", err)
		}
		if !seen[p] {
			seen[p] = true
			pool = append(pool, newPrime(p))
		}
	}
	return pool, nil
}

// assemble makes a key of 32 distinct primes.
func assemble(primes []prime) *rsaKey {
	k := &rsaKey{primes: [rsaWords]prime(primes)}
	n := big.NewInt(1)
	for i := range k.primes {
		p := &k.primes[i]
		n.Mul(n, new(big.Int).SetUint64(p.p))
		for j := range i {
			k.garner[i][j] = p.power(p.enter(k.primes[j].p%p.p), p.p-2) // Fermat: the inverse
		}
	}
	k.public = rsa.PublicKey{N: n, E: rsaPublic}
	return k
}

// power returns m^d mod n; m is big-endian and below n.
func (k *rsaKey) power(m *[rsaWords * 8]byte) [rsaWords * 8]byte {
	var words [rsaWords]uint64
	for i := range words {
		words[i] = binary.BigEndian.Uint64(m[8*i:])
	}
	var digits [rsaWords]uint64 // mixed radix: x = d0 + d1·p0 + d2·p0·p1 + …
	for i := range k.primes {
		p := &k.primes[i]
		x := p.exp(p.reduce(&words))
		for j := range i {
			x = p.mul(p.sub(x, digits[j]%p.p), k.garner[i][j])
		}
		digits[i] = x
	}
	var x [rsaWords]uint64 // little-endian words
	for i := rsaWords - 1; i >= 0; i-- {
		carry := digits[i]
		for j := range rsaWords - i {
			hi, lo := bits.Mul64(x[j], k.primes[i].p)
			var c uint64
			x[j], c = bits.Add64(lo, carry, 0)
			carry = hi + c
		}
	}
	var out [rsaWords * 8]byte
	for i, w := range x {
		binary.BigEndian.PutUint64(out[8*(rsaWords-1-i):], w)
	}
	return out
}

// prime is one 64-bit prime with what Montgomery multiplication (R = 2^64) needs.
type prime struct {
	p        uint64
	minusInv uint64 // -p^-1 mod R
	r2       uint64 // R^2 mod p
	d        uint64 // rsaPublic^-1 mod p-1
}

func newPrime(p uint64) prime {
	inv := p // Newton: each step doubles the correct low bits, of which an odd p has three
	for range 5 {
		inv *= 2 - p*inv
	}
	r := -p % p
	hi, lo := bits.Mul64(r, r)
	d := new(big.Int).ModInverse(big.NewInt(rsaPublic), new(big.Int).SetUint64(p-1))
	return prime{p: p, minusInv: -inv, r2: bits.Rem64(hi, lo, p), d: d.Uint64()}
}

// mul returns a·b/R mod p; a and b are below p.
func (p *prime) mul(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	h2, l2 := bits.Mul64(lo*p.minusInv, p.p)
	_, c := bits.Add64(lo, l2, 0)
	r, over := bits.Add64(hi, h2, c)
	if over == 1 || r >= p.p {
		r -= p.p
	}
	return r
}

func (p *prime) sub(a, b uint64) uint64 {
	d, borrow := bits.Sub64(a, b, 0)
	return d + borrow*p.p
}

// enter brings a number below p into Montgomery form.
func (p *prime) enter(a uint64) uint64 { return p.mul(a, p.r2) }

// reduce returns the big-endian words mod p.
func (p *prime) reduce(words *[rsaWords]uint64) uint64 {
	r := uint64(0)
	for _, w := range words {
		r = bits.Rem64(r, w, p.p)
	}
	return r
}

// exp returns a^d mod p.
func (p *prime) exp(a uint64) uint64 { return p.mul(p.power(p.enter(a), p.d), 1) }

// power returns base^e mod p for e > 0; base and result are in Montgomery form.
func (p *prime) power(base, e uint64) uint64 {
	x := base
	for i := bits.Len64(e) - 2; i >= 0; i-- {
		x = p.mul(x, x)
		if e>>i&1 == 1 {
			x = p.mul(x, base)
		}
	}
	return x
}

// drawPrime returns a random prime in the top 64th of the 64-bit numbers that suits the public exponent.
func drawPrime(random io.Reader) (uint64, error) {
	var b [8]byte
	for {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return 0, err
		}
		p := binary.BigEndian.Uint64(b[:]) | 0x3f<<58 | 1
		if new(big.Int).SetUint64(p).ProbablyPrime(0) && (p-1)%rsaPublic != 0 { // exact below 2^64
			return p, nil
		}
	}
}
