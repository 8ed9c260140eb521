// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"testing"

	"filippo.io/bigmod"
	"github.com/golang-jwt/jwt/v5"
)

// rsaSizes are bits of keys, one of them no multiple of eight.
var rsaSizes = []int{2048, 2049, 3072, 4096}

// rsaKeys are private keys of several sizes, each made once and only if it is asked for.
var rsaKeys = func() map[int]func() *rsa.PrivateKey {
	keys := map[int]func() *rsa.PrivateKey{}
	for _, bits := range rsaSizes {
		keys[bits] = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, bits)) })
	}
	return keys
}()

// rsaHashes are the hashes of RS256, RS384 and RS512.
var rsaHashes = map[string]crypto.Hash{"RS256": crypto.SHA256, "RS384": crypto.SHA384, "RS512": crypto.SHA512}

// judge verifies with the kept modulus and with crypto/rsa, which must agree.
func judge(t testing.TB, key *Key, alg, input string, sig []byte) bool {
	t.Helper()
	a, _ := Algorithm(alg)
	if key.modulus == nil {
		t.Fatal("the key keeps no modulus")
	}
	h := a.Hash.New()
	h.Write([]byte(input))
	theirs := rsa.VerifyPKCS1v15(key.Material().(*rsa.PublicKey), a.Hash, h.Sum(nil), sig)
	ours := key.Verify(a, input, sig)
	if (ours == nil) != (theirs == nil) {
		t.Errorf("%s: %v here, by crypto/rsa %v", alg, ours, theirs)
	}
	if again := a.Method.Verify(input, sig, key.Material()); (again == nil) != (theirs == nil) {
		t.Errorf("%s: %v without the modulus, by crypto/rsa %v", alg, again, theirs)
	}
	return ours == nil
}

// raw is the signature of a message of the size of the modulus, whatever it says.
func raw(private *rsa.PrivateKey, message []byte) []byte {
	m := new(big.Int).SetBytes(message)
	return m.Exp(m, private.D, private.N).FillBytes(make([]byte, private.Size()))
}

// TestRSAVerify compares with crypto/rsa signatures that are right and nearly right, of every
// size of key and each hash.
func TestRSAVerify(t *testing.T) {
	for _, bits := range rsaSizes {
		private := rsaKeys[bits]()
		key := must(New(&private.PublicKey))
		n, size := private.N.Bytes(), private.Size()
		for alg, hash := range rsaHashes {
			const input = "header.payload"
			a, _ := Algorithm(alg)
			good := must(a.Method.Sign(input, private))
			if !judge(t, key, alg, input, good) {
				t.Errorf("%d %s: a good signature does not verify", bits, alg)
			}
			if judge(t, key, alg, input+".", good) || judge(t, key, alg, "", good) {
				t.Errorf("%d %s: another input verifies", bits, alg)
			}
			plus := new(big.Int).Add(new(big.Int).SetBytes(good), private.N)
			for name, sig := range map[string][]byte{
				"nil": nil, "empty": {}, "zeros": make([]byte, size), "one": append(make([]byte, size-1), 1),
				"n": n, "n - 1": new(big.Int).Sub(private.N, big.NewInt(1)).Bytes(), "n + 1": new(big.Int).Add(private.N, big.NewInt(1)).Bytes(),
				"all ones": bytes.Repeat([]byte{0xff}, size), "s + n": plus.Bytes(), "n - s": new(big.Int).Sub(private.N, new(big.Int).SetBytes(good)).FillBytes(make([]byte, size)),
				"shorter": good[1:], "cut": good[:size-1], "a zero in front": append([]byte{0}, good...), "a zero after": slices.Concat(good, []byte{0}),
				"twice": slices.Concat(good, good), "a bit flipped": flipBit(good, 0), "the last bit flipped": flipBit(good, size*8-1), "reversed": reversed(good),
			} {
				if judge(t, key, alg, input, sig) {
					t.Errorf("%d %s: %s verifies", bits, alg, name)
				}
			}
			for other := range rsaHashes {
				if other != alg && judge(t, key, other, input, good) {
					t.Errorf("%d: a signature of %s verifies as %s", bits, alg, other)
				}
			}
			for _, size := range rsaSizes {
				if size != bits && judge(t, must(New(&rsaKeys[size]().PublicKey)), alg, input, good) {
					t.Errorf("%d %s: verifies with the key of %d bits", bits, alg, size)
				}
			}
			if hash != a.Hash {
				t.Errorf("%s is with %v", alg, a.Hash)
			}
		}
	}
}

func flipBit(b []byte, i int) []byte {
	c := slices.Clone(b)
	c[i/8] ^= 0x80 >> (i % 8)
	return c
}

func reversed(b []byte) []byte {
	c := slices.Clone(b)
	slices.Reverse(c)
	return c
}

// TestRSAMessages signs messages that are nearly EMSA-PKCS1-v1_5, as Bleichenbacher's forgeries
// of 2006 are: with the private key, since no small exponent gives a way to make them without.
func TestRSAMessages(t *testing.T) {
	private := rsaKeys[2048]()
	key := must(New(&private.PublicKey))
	const input = "header.payload"
	for alg, hash := range rsaHashes {
		right := encode(hash, input, private.Size())
		if !judge(t, key, alg, input, raw(private, right)) {
			t.Fatalf("%s: the right message does not verify", alg)
		}
		digest := right[len(right)-hash.Size():]
		prefix := []byte(digestInfo[hash])
		start := len(right) - hash.Size() - len(prefix) // after the zero
		fill := func(head []byte, ff int, tail ...[]byte) []byte {
			m := slices.Concat(append([][]byte{head, bytes.Repeat([]byte{0xff}, ff), {0}}, tail...)...)
			return append(m, make([]byte, max(0, len(right)-len(m)))...)[:len(right)]
		}
		without := slices.Concat(prefix[:1], []byte{prefix[1] - 2}, prefix[2:3], []byte{prefix[3] - 2}, prefix[4:len(prefix)-4], prefix[len(prefix)-2:])
		for name, m := range map[string][]byte{
			"eight ff and garbage":                fill([]byte{0, 1}, 8, prefix, digest, bytes.Repeat([]byte{0x5a}, 100)),
			"eight ff and zeros":                  fill([]byte{0, 1}, 8, prefix, digest),
			"one ff less, a byte after":           fill([]byte{0, 1}, start-4, prefix, digest, []byte{0}),
			"no padding":                          fill([]byte{0, 1}, 0, prefix, digest),
			"garbage in the parameters":           fill([]byte{0, 1}, start-3-8, prefix[:len(prefix)-4], []byte{5, 8}, make([]byte, 8), prefix[len(prefix)-2:], digest),
			"no parameters":                       fill([]byte{0, 1}, start-3+2, without, digest),
			"no DigestInfo":                       fill([]byte{0, 1}, start-3+len(prefix), digest),
			"block type 0":                        slices.Concat([]byte{0, 0}, right[2:]),
			"block type 2":                        slices.Concat([]byte{0, 2}, right[2:]),
			"a byte of the padding":               flipBit(right, 8*10),
			"the last byte of the padding":        flipBit(right, 8*(start-2)),
			"the zero is one":                     flipBit(right, 8*(start-1)+7),
			"a byte of the OID":                   flipBit(right, 8*(start+8)),
			"a byte of the digest":                flipBit(right, 8*(len(right)-1)),
			"the digest of nothing":               slices.Concat(right[:len(right)-hash.Size()], make([]byte, hash.Size())),
			"first byte one":                      flipBit(right, 7),
			"reversed":                            append([]byte{0}, reversed(right)[:len(right)-1]...),
			"message of another size of modulus":  append([]byte{0}, right[:len(right)-1]...),
			"indefinite length of the DigestInfo": fill([]byte{0, 1}, start-3-2, []byte{0x30, 0x80}, prefix[2:], digest, []byte{0, 0}),
			"length in long form":                 fill([]byte{0, 1}, start-3-1, []byte{0x30, 0x81, prefix[1]}, prefix[2:], digest),
		} {
			if len(m) != private.Size() {
				t.Fatalf("%s: %d bytes", name, len(m))
			}
			if judge(t, key, alg, input, raw(private, m)) {
				t.Errorf("%s: %s verifies", alg, name)
			}
		}
	}
}

// FuzzRSAVerify compares signatures, and messages raised to d, with crypto/rsa. A seed's
// message is changed by the fuzzer far more easily than a signature's.
func FuzzRSAVerify(f *testing.F) {
	algs := []string{"RS256", "RS384", "RS512"}
	sizes := []int{2048, 2049} // what larger ones cost is better spent on more tries
	for i, alg := range algs {
		for j, bits := range sizes {
			private := rsaKeys[bits]()
			a, _ := Algorithm(alg)
			f.Add(uint8(i), uint8(j), false, "header.payload", must(a.Method.Sign("header.payload", private)))
			f.Add(uint8(i), uint8(j), true, "header.payload", encode(a.Hash, "header.payload", private.Size()))
			f.Add(uint8(i), uint8(j), false, "", private.N.Bytes())
		}
	}
	f.Fuzz(func(t *testing.T, i, j uint8, message bool, input string, sig []byte) {
		private := rsaKeys[sizes[int(j)%len(sizes)]]()
		if message {
			if len(sig) > private.Size() || new(big.Int).SetBytes(sig).Cmp(private.N) >= 0 {
				return
			}
			sig = raw(private, sig)
		}
		judge(t, must(New(&private.PublicKey)), algs[int(i)%len(algs)], input, sig)
	})
}

// TestKeyVerify signs and verifies with each row of the table through the key, and guards that
// a key verifies nothing that it does not fit.
func TestKeyVerify(t *testing.T) {
	l := newLab()
	for _, a := range algorithms {
		key := l.public(a)
		sig := must(a.Method.Sign("input", l.signer(a)))
		if err := key.Verify(a, "input", sig); err != nil {
			t.Errorf("%s: %v", a.Name, err)
		}
		if key.Verify(a, "Input", sig) == nil || key.Verify(a, "input", sig[1:]) == nil || key.Verify(a, "input", nil) == nil {
			t.Errorf("%s: another input or signature verifies", a.Name)
		}
		if other := must(key.With("", a.Name)); other.Verify(a, "input", sig) != nil {
			t.Errorf("%s: a copy does not verify", a.Name)
		}
		for _, b := range algorithms {
			if b.Name != a.Name && l.public(b).Verify(a, "input", sig) == nil && (b.Type != a.Type || b.Curve != a.Curve) {
				t.Errorf("a key for %s verifies %s", b.Name, a.Name)
			}
		}
	}
	onlyPS := must(l.of("PS256").With("", "PS256"))
	rs, _ := Algorithm("RS256")
	if onlyPS.Verify(rs, "input", must(rs.Method.Sign("input", l.rsa))) == nil {
		t.Error("a key for PS256 verifies RS256")
	}
	if (keptModulus{jwt.SigningMethodRS256}).Verify("input", nil, "a string") == nil {
		t.Error("a string is a key")
	}
}

// BenchmarkRSAVerify puts the kept modulus beside crypto/rsa.
func BenchmarkRSAVerify(b *testing.B) {
	for _, bits := range []int{2048, 3072, 4096} {
		private := rsaKeys[bits]()
		key := must(New(&private.PublicKey))
		a, _ := Algorithm("RS256")
		sig := must(a.Method.Sign("input", private))
		for name, material := range map[string]any{"kept": key.modulus, "crypto-rsa": key.material} {
			b.Run(fmt.Sprintf("%d/%s", bits, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := a.Method.Verify("input", sig, material); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// TestModulusIsWhole guards the bytes that the modulus is built from.
func TestModulusIsWhole(t *testing.T) {
	for _, bits := range rsaSizes {
		private := rsaKeys[bits]()
		m := newModulus(&private.PublicKey)
		if m.BitLen() != bits || m.Size() != private.Size() || !bytes.Equal(m.Nat().Bytes(m), private.N.Bytes()) {
			t.Errorf("%d bits: modulus of %d bits", bits, m.BitLen())
		}
		if _, err := bigmod.NewNat().SetBytes(private.N.Bytes(), m); err == nil {
			t.Error("n is less than n")
		}
	}
}
