// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// ecMethods are the rows of the table and what golang-jwt has for them.
var ecMethods = map[string]*jwt.SigningMethodECDSA{"ES256": jwt.SigningMethodES256, "ES384": jwt.SigningMethodES384, "ES512": jwt.SigningMethodES512}

// ecKeys are a private key for each.
var ecKeys = sync.OnceValue(func() map[string]*ecdsa.PrivateKey {
	keys := map[string]*ecdsa.PrivateKey{}
	for alg, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()} {
		keys[alg] = must(ecdsa.GenerateKey(curve, rand.Reader))
	}
	return keys
})

// judgeEC verifies here and with golang-jwt, which must agree.
func judgeEC(t testing.TB, alg, input string, sig []byte, public *ecdsa.PublicKey) bool {
	t.Helper()
	a, _ := Algorithm(alg)
	ours, theirs := must(New(public)).Verify(a, input, sig), ecMethods[alg].Verify(input, sig, public)
	if (ours == nil) != (theirs == nil) {
		t.Errorf("%s: %v here, by golang-jwt %v: %x", alg, ours, theirs, sig)
	}
	return ours == nil
}

// TestECVerify compares with golang-jwt signatures that are right and nearly right.
func TestECVerify(t *testing.T) {
	const input = "header.payload"
	for alg, private := range ecKeys() {
		method := ecMethods[alg]
		n, size := private.Params().N, method.KeySize
		good := must(method.Sign(input, private))
		if !judgeEC(t, alg, input, good, &private.PublicKey) {
			t.Errorf("%s: a good signature does not verify", alg)
		}
		if judgeEC(t, alg, input+".", good, &private.PublicKey) || judgeEC(t, alg, "", good, &private.PublicKey) {
			t.Errorf("%s: another input verifies", alg)
		}
		r, s := new(big.Int).SetBytes(good[:size]), new(big.Int).SetBytes(good[size:])
		if negated := pair(size, r, new(big.Int).Sub(n, s)); !judgeEC(t, alg, input, negated, &private.PublicKey) {
			t.Errorf("%s: n - s does not verify, as ECDSA is", alg)
		}
		zero, one, largest := new(big.Int), big.NewInt(1), new(big.Int).SetBytes(bytes.Repeat([]byte{0xff}, size))
		der := must(asn1.Marshal(struct{ R, S *big.Int }{r, s}))
		rows := map[string][]byte{
			"nil": nil, "empty": {}, "ASN.1": der, "ASN.1 of that length": append(slices.Clone(der), make([]byte, 2*size)...)[:2*size],
			"shorter": good[1:], "cut": good[:2*size-1], "a zero in front": append([]byte{0}, good...), "a zero after": append(slices.Clone(good), 0),
			"a zero in front of each": slices.Concat([]byte{0}, good[:size], []byte{0}, good[size:]), "halves changed": pair(size, s, r),
			"reversed": reversed(good), "a bit flipped": flipBit(good, 8*size-1), "another bit flipped": flipBit(good, 16*size-1), "twice": slices.Concat(good, good),
			"a zero in front of s": slices.Concat(good[:size], []byte{0}, good[size:]),
		}
		for name, number := range map[string]*big.Int{"0": zero, "1": one, "n": n, "n - 1": new(big.Int).Sub(n, one), "n + 1": new(big.Int).Add(n, one), "all ones": largest, "128": big.NewInt(128)} {
			rows["r is "+name], rows["s is "+name], rows["both are "+name] = pair(size, number, s), pair(size, r, number), pair(size, number, number)
		}
		for name, add := range map[string]*big.Int{"r + n": r, "s + n": s} {
			if sum := new(big.Int).Add(add, n); sum.Cmp(largest) <= 0 {
				rows[name] = map[bool][]byte{true: pair(size, sum, s), false: pair(size, r, sum)}[add == r]
			}
		}
		for name, sig := range rows {
			if judgeEC(t, alg, input, sig, &private.PublicKey) {
				t.Errorf("%s: %s verifies", alg, name)
			}
		}
	}
}

// pair is a signature of two numbers.
func pair(size int, r, s *big.Int) []byte {
	return slices.Concat(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size)))
}

// TestECShortNumbers signs until a number with zeros in front was among them: each eighth byte of DER depends on that.
func TestECShortNumbers(t *testing.T) {
	for alg, private := range ecKeys() {
		size, short := ecMethods[alg].KeySize, 0
		for i := 0; i < 5000 && short < 2; i++ {
			input := fmt.Sprint(i)
			sig := must(ecMethods[alg].Sign(input, private))
			if sig[0] == 0 && sig[1]&0x80 != 0 || sig[size] == 0 && alg != "ES512" {
				short++
			}
			if !judgeEC(t, alg, input, sig, &private.PublicKey) {
				t.Fatalf("%s: a good signature does not verify: %x", alg, sig)
			}
		}
		if short == 0 {
			t.Errorf("%s: no number was short", alg)
		}
	}
}

// TestSequence compares the DER with encoding/asn1's, for numbers of every length and first bit.
func TestSequence(t *testing.T) {
	for size := 1; size <= 66; size++ {
		for _, first := range []byte{1, 0x7f, 0x80, 0xff} {
			r, s := append([]byte{first}, bytes.Repeat([]byte{0xa5}, size-1)...), []byte{first}
			for _, sides := range [][2][]byte{{r, s}, {s, r}, {r, r}} {
				want := must(asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sides[0]), new(big.Int).SetBytes(sides[1])}))
				if got := appendSequence(nil, sides[0], sides[1]); !bytes.Equal(got, want) || len(got) > maxSequence {
					t.Errorf("%x\nis %x\nwant %x", sides, got, want)
				}
			}
		}
	}
}

// TestECOtherKeys guards that a method takes no key but one on its own curve.
func TestECOtherKeys(t *testing.T) {
	for alg := range ecKeys() {
		a, _ := Algorithm(alg)
		sig := must(a.Method.Sign("input", ecKeys()[alg]))
		for _, key := range []any{nil, "a string", []byte("bytes"), ecKeys()[alg]} {
			if a.Method.Verify("input", sig, key) == nil {
				t.Errorf("%s: %T is a key", alg, key)
			}
		}
		for other, private := range ecKeys() {
			if other != alg && a.Method.Verify("input", sig, &private.PublicKey) == nil {
				t.Errorf("%s: verifies with a key of %s", alg, other)
			}
		}
	}
}

// TestECSmallerCurve guards the same against a signature that would verify: P-224's numbers fit ES256's.
func TestECSmallerCurve(t *testing.T) {
	private := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	r, s, err := ecdsa.Sign(rand.Reader, private, appendDigest(nil, crypto.SHA256, "input"))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := Algorithm("ES256")
	if a.Method.Verify("input", pair(32, r, s), &private.PublicKey) == nil {
		t.Error("ES256 verifies with a key on P-224")
	}
}

// FuzzECVerify compares signatures with golang-jwt. What fits the curve is cut or padded, so that few tries fail at the length.
func FuzzECVerify(f *testing.F) {
	algs := []string{"ES256", "ES384", "ES512"}
	for i, alg := range algs {
		f.Add(uint8(i), true, "header.payload", must(ecMethods[alg].Sign("header.payload", ecKeys()[alg])))
		f.Add(uint8(i), false, "", make([]byte, 2*ecMethods[alg].KeySize))
		f.Add(uint8(i), true, "", bytes.Repeat([]byte{0xff}, 2*ecMethods[alg].KeySize))
	}
	f.Fuzz(func(t *testing.T, i uint8, fit bool, input string, sig []byte) {
		alg := algs[int(i)%len(algs)]
		if size := 2 * ecMethods[alg].KeySize; fit {
			sig = append(slices.Clone(sig), make([]byte, size)...)[:size]
		}
		judgeEC(t, alg, input, sig, &ecKeys()[alg].PublicKey)
	})
}

// BenchmarkECVerify puts this package beside golang-jwt.
func BenchmarkECVerify(b *testing.B) {
	private := ecKeys()["ES256"]
	a, _ := Algorithm("ES256")
	input := string(bytes.Repeat([]byte("x"), 500))
	sig := must(a.Method.Sign(input, private))
	for name, method := range map[string]jwt.SigningMethod{"direct": a.Method, "golang-jwt": jwt.SigningMethodES256} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := method.Verify(input, sig, &private.PublicKey); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
