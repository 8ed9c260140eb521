// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// TestAlgorithms signs and verifies with each row of the table, and guards that a key fits
// exactly the rows of its type and curve.
func TestAlgorithms(t *testing.T) {
	l := newLab()
	for _, a := range algorithms {
		t.Run(a.Name, func(t *testing.T) {
			if a.Method.Alg() != a.Name {
				t.Errorf("method is %s", a.Method.Alg())
			}
			key := l.public(a)
			sig, err := a.Method.Sign("input", l.signer(a))
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Method.Verify("input", sig, key.Material()); err != nil {
				t.Errorf("verifying: %v", err)
			}
			if a.Method.Verify("Input", sig, key.Material()) == nil {
				t.Error("another input verifies")
			}
			for _, b := range algorithms {
				want := a.Type == b.Type && a.Curve == b.Curve
				if err := key.Fits(b.Name); (err == nil) != want {
					t.Errorf("fits %s: %v, want %v", b.Name, err, want)
				}
			}
			if got, ok := Algorithm(a.Name); !ok || got.Name != a.Name {
				t.Errorf("Algorithm gives %v %v", got, ok)
			}
		})
	}
	for _, name := range []string{"none", "None", "", "rs256", "RS256 ", "ES256K", "HS1"} {
		if _, ok := Algorithm(name); ok {
			t.Errorf("%q is an algorithm", name)
		}
		if l.of("RS256").Fits(name) == nil {
			t.Errorf("a key fits %q", name)
		}
	}
	if len(AlgorithmNames()) != 13 || len(algorithms) > 16 { // Key.fits has 16 bits
		t.Errorf("%d algorithms", len(algorithms))
	}
}

// TestPSSSalt guards RFC 7518 §3.5, which golang-jwt's own PS methods do not demand.
func TestPSSSalt(t *testing.T) {
	l := newLab()
	for _, name := range []string{"PS256", "PS384", "PS512"} {
		a, _ := Algorithm(name)
		h := a.Hash.New()
		h.Write([]byte("input"))
		for salt, want := range map[int]bool{a.Hash.Size(): true, a.Hash.Size() - 1: false, a.Hash.Size() + 1: false, 20: false, rsa.PSSSaltLengthAuto: false} {
			sig := must(rsa.SignPSS(rand.Reader, l.rsa, a.Hash, h.Sum(nil), &rsa.PSSOptions{SaltLength: salt}))
			if err := a.Method.Verify("input", sig, &l.rsa.PublicKey); (err == nil) != want {
				t.Errorf("%s with salt %d: %v, want %v", name, salt, err, want)
			}
		}
	}
}

// fakeRSA is a public key of that size whose modulus is only right in what is checked.
func fakeRSA(bits uint, e int) *rsa.PublicKey {
	n := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), bits), big.NewInt(1))
	return &rsa.PublicKey{N: n, E: e}
}

// rocaRSA has a modulus that is 1, a power of 65537, modulo each prime of the fingerprint.
func rocaRSA() *rsa.PublicKey {
	step := big.NewInt(2)
	for _, p := range rocaPrimes {
		step.Mul(step, big.NewInt(p))
	}
	n := new(big.Int).Lsh(big.NewInt(1), 2047)
	n.Add(n, new(big.Int).Sub(step, new(big.Int).Mod(n, step)))
	return &rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: rsaExponent}
}

func TestNewRefuses(t *testing.T) {
	l := newLab()
	even := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2048), E: rsaExponent}
	off := &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}
	cross := &ecdsa.PublicKey{Curve: elliptic.P384(), X: l.p256.X, Y: l.p256.Y}
	p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	for _, row := range []struct {
		name     string
		material any
		want     string
	}{
		{"RSA 1024", fakeRSA(1024, 65537), "RSA key has 1024 bits: use 2048 to 4096"},
		{"RSA 2047", fakeRSA(2047, 65537), "RSA key has 2047 bits"},
		{"RSA 4097", fakeRSA(4097, 65537), "RSA key has 4097 bits"},
		{"RSA 16384", fakeRSA(16384, 65537), "RSA key has 16384 bits"},
		{"e = 1", fakeRSA(2048, 1), "RSA exponent is 1: use 65537"},
		{"e = 3", fakeRSA(2048, 3), "RSA exponent is 3"},
		{"e = 65539", fakeRSA(2048, 65539), "RSA exponent is 65539"},
		{"even modulus", even, "even"},
		{"ROCA", rocaRSA(), "ROCA"},
		{"empty RSA", &rsa.PublicKey{}, "RSA key is empty"},
		{"nil RSA", (*rsa.PublicKey)(nil), "RSA key is empty"},
		{"point not on the curve", off, "EC point is not on P-256"},
		{"point of another curve", cross, "EC point is not on P-384"},
		{"P-224", &p224.PublicKey, "use P-256, P-384 or P-521"},
		{"nil EC", (*ecdsa.PublicKey)(nil), "EC key is empty"},
		{"empty EC", &ecdsa.PublicKey{}, "EC key is empty"},
		{"short Ed25519", ed25519.PublicKey(make([]byte, 31)), "Ed25519 key has 31 bytes"},
		{"Ed25519 of zeros", ed25519.PublicKey(make([]byte, 32)), "small order"},
		{"secret of 31 bytes", make([]byte, 31), "secret has 31 bytes: use 32 to 1024"},
		{"secret of 1025 bytes", make([]byte, 1025), "secret has 1025 bytes"},
		{"empty secret", []byte{}, "secret has 0 bytes"},
		{"private RSA", l.rsa, "openssl pkey"},
		{"private EC", l.p256, "openssl pkey"},
		{"private Ed25519", l.ed, "openssl pkey"},
		{"X25519", must(ecdh.X25519().GenerateKey(rand.Reader)).PublicKey(), "X25519 is not supported: use RSA"},
		{"string", "secret", "this type of key is not supported"},
		{"nil", nil, "this type of key is not supported"},
	} {
		if _, err := New(row.material); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		}
	}
	for _, bits := range []uint{2048, 3072, 4096} {
		if _, err := New(fakeRSA(bits, rsaExponent)); err != nil {
			t.Errorf("RSA %d: %v", bits, err)
		}
	}
}

// TestSmallOrder shows with the point of order 1 what the list is for, and that the list
// is taken with either sign.
func TestSmallOrder(t *testing.T) {
	identity := append(ed25519.PublicKey{1}, make([]byte, 31)...)
	forged := append(append([]byte{1}, make([]byte, 31)...), make([]byte, 32)...) // R = identity, S = 0
	if !ed25519.Verify(identity, []byte("anything"), forged) || !ed25519.Verify(identity, []byte("else"), forged) {
		t.Error("the forgery no longer works: is the check still needed?")
	}
	for _, text := range smallOrder {
		point := ed25519.PublicKey(must(hex.DecodeString(text)))
		for _, sign := range []byte{0, 0x80} {
			point[31] = point[31]&0x7f | sign
			if _, err := New(point); err == nil {
				t.Errorf("%x is accepted", point)
			}
		}
	}
}

func TestSymmetric(t *testing.T) {
	l := newLab()
	for size, fits := range map[int]int{32: 1, 47: 1, 48: 2, 63: 2, 64: 3, 1024: 3} {
		secret := bytes.Repeat([]byte{7}, size)
		k, err := Symmetric(secret)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, name := range AlgorithmNames() {
			if k.Fits(name) == nil {
				got++
			}
		}
		if got != fits {
			t.Errorf("%d bytes fit %d algorithms, want %d", size, got, fits)
		}
		secret[0] = 8
		if k.Material().([]byte)[0] != 7 {
			t.Error("the key shares the caller's memory")
		}
	}
	if err := must(Symmetric(l.secret[:32])).Fits("HS512"); err == nil || !strings.Contains(err.Error(), "HS512 needs a secret of at least 64 bytes, this one has 32") {
		t.Errorf("HS512: %v", err)
	}
}

func TestWith(t *testing.T) {
	l := newLab()
	key := l.of("RS256")
	named, err := key.With("one", "RS384")
	if err != nil || named.ID() != "one" || named.Algorithm() != "RS384" {
		t.Fatalf("%v %v", named, err)
	}
	if key.ID() != "" || key.Algorithm() != "" {
		t.Error("With changed the original")
	}
	if named.Fits("RS384") != nil || named.Fits("RS256") == nil || key.Fits("RS256") != nil {
		t.Error("the algorithm does not limit the copy only")
	}
	if again := must(named.With("", "")); !again.Equal(named) || again.Fits("RS256") == nil {
		t.Error("empty arguments changed the copy")
	}
	if again := must(named.With("", "RS256")); again.Fits("RS256") != nil || again.ID() != "one" {
		t.Error("the algorithm was not replaced")
	}
	for _, row := range []struct{ id, alg, want string }{
		{"", "ES256", "ES256 needs a key of type EC, this one is RSA"},
		{"", "RSA-OAEP", `alg "RSA-OAEP" does not verify signatures`},
		{"", "none", "does not verify signatures"},
		{strings.Repeat("k", 1025), "", "kid has 1025 bytes"},
	} {
		if _, err := key.With(row.id, row.alg); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("With(%.8q, %q): %v, want %q", row.id, row.alg, err, row.want)
		}
	}
	if _, err := must(Symmetric(l.secret[:32])).With("", "HS384"); err == nil {
		t.Error("a short secret was declared for HS384")
	}
}

// TestRoundTrip guards that a key written into a rendered file is read back the same.
func TestRoundTrip(t *testing.T) {
	l := newLab()
	for _, a := range algorithms {
		key := must(l.public(a).With("id/"+a.Name, a.Name))
		text := must(key.MarshalJSON())
		again, err := ParseKey(text)
		if err != nil {
			t.Fatalf("%s: %v", a.Name, err)
		}
		if !again.Equal(key) || again.fits != key.fits || again.Type() != a.Type {
			t.Errorf("%s: %v is read back as %v", a.Name, key, again)
		}
		if second := must(again.MarshalJSON()); !bytes.Equal(text, second) {
			t.Errorf("%s: written as %s and %s", a.Name, text, second)
		}
	}
}

func TestEqual(t *testing.T) {
	l := newLab()
	for i, a := range algorithms {
		for j, b := range algorithms {
			same := a.Type == b.Type && a.Curve == b.Curve
			if l.public(a).Equal(l.public(b)) != same {
				t.Errorf("%s and %s: equal %v, want %v", algorithms[i].Name, algorithms[j].Name, !same, same)
			}
		}
	}
	if key := l.of("RS256"); key.Equal(must(key.With("a", ""))) || key.Equal(must(key.With("", "RS256"))) {
		t.Error("another ID or algorithm is equal")
	}
}

// TestSecretsStayInside guards that no common way to print a key shows its bytes.
func TestSecretsStayInside(t *testing.T) {
	l := newLab()
	key := must(must(Symmetric(l.secret)).With("hs", "HS256"))
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", key)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", key)
	printed := fmt.Sprintf("%v %+v %#v %s %q %v", key, key, key, key, key, []*Key{key}) + log.String()
	for _, secret := range []string{string(l.secret), base64.RawURLEncoding.EncodeToString(l.secret), "48 49 50", "0x30, 0x31"} {
		if strings.Contains(printed, secret) {
			t.Errorf("printed: %s", printed)
		}
	}
	if key.Thumbprint() != "" {
		t.Error("a secret has a thumbprint")
	}
}

// TestThumbprint is the example of RFC 8037 Appendix A.3.
func TestThumbprint(t *testing.T) {
	key, err := ParseKey([]byte(`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := key.Thumbprint(); got != "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" {
		t.Errorf("thumbprint %s", got)
	}
}

func TestSelect(t *testing.T) {
	l := newLab()
	named := func(alg, id string) *Key { return must(l.of(alg).With(id, "")) }
	r, e, s := named("RS256", "a"), named("ES256", "b"), named("HS256", "c")
	sameID := named("ES256", "a")
	onlyPS := must(r.With("", "PS256"))
	anonymous := l.of("RS256")
	for _, row := range []struct {
		name     string
		keys     []*Key
		alg, kid string
		noKid    bool
		want     *Key
		err      error
	}{
		{name: "by kid", keys: []*Key{r, e, s}, alg: "RS256", kid: "a", want: r},
		{name: "by kid, the last", keys: []*Key{r, e, s}, alg: "HS512", kid: "c", want: s},
		{name: "the only key", keys: []*Key{e}, alg: "ES256", noKid: true, want: e},
		{name: "anonymous key fits any kid", keys: []*Key{anonymous}, alg: "RS256", kid: "zzz", want: anonymous},
		{name: "anonymous key of another type does not disturb", keys: []*Key{anonymous, e}, alg: "ES256", kid: "b", want: e},
		{name: "one kid, two types", keys: []*Key{r, sameID}, alg: "ES256", kid: "a", want: sameID},
		{name: "one kid, two algorithms", keys: []*Key{must(r.With("", "RS256")), onlyPS}, alg: "PS256", kid: "a", want: onlyPS},
		{name: "empty set", alg: "RS256", kid: "a", err: ErrUnknownKeyID},
		{name: "empty set, no kid", alg: "RS256", noKid: true, err: ErrUnknownKeyID},
		{name: "unknown kid", keys: []*Key{r, e}, alg: "RS256", kid: "b2", err: ErrUnknownKeyID},
		{name: "unknown kid with one key", keys: []*Key{r}, alg: "RS256", kid: "A", err: ErrUnknownKeyID},
		{name: "empty kid", keys: []*Key{r}, alg: "RS256", kid: "", err: ErrUnknownKeyID},
		{name: "no kid and two keys", keys: []*Key{r, e}, alg: "RS256", noKid: true, err: ErrAmbiguousKey},
		{name: "kid twice", keys: []*Key{r, named("RS256", "a")}, alg: "RS256", kid: "a", err: ErrAmbiguousKey},
		{name: "kid and anonymous", keys: []*Key{anonymous, r}, alg: "RS256", kid: "a", err: ErrAmbiguousKey},
		{name: "two anonymous", keys: []*Key{anonymous, anonymous}, alg: "RS256", kid: "a", err: ErrAmbiguousKey},
		{name: "kid of another type", keys: []*Key{r, e}, alg: "RS256", kid: "b", err: ErrKeyMismatch},
		{name: "the only key, another algorithm", keys: []*Key{onlyPS}, alg: "RS256", noKid: true, err: ErrKeyMismatch},
		{name: "unknown algorithm", keys: []*Key{r}, alg: "none", kid: "a", err: ErrKeyMismatch},
	} {
		got, err := NewSet(row.keys...).Select(row.alg, row.kid, !row.noKid)
		if got != row.want || !errors.Is(err, row.err) {
			t.Errorf("%s: %v, %v, want %v, %v", row.name, got, err, row.want, row.err)
		}
	}
	var none *Set
	if _, err := none.Select("RS256", "a", true); !errors.Is(err, ErrUnknownKeyID) || none.Len() != 0 || none.Keys() != nil {
		t.Errorf("nil set: %v", err)
	}
	if NewSet(nil, r).Len() != 1 {
		t.Error("a nil key is kept")
	}
}

func TestSetMarshal(t *testing.T) {
	l := newLab()
	if text := must(json.Marshal(NewSet())); string(text) != `{"keys":[]}` {
		t.Errorf("empty set: %s", text)
	}
	set := NewSet(must(l.of("RS256").With("a", "RS256")), must(l.of("ES256").With("b", "")))
	again, problems, err := ParseSet(must(json.Marshal(set)))
	if err != nil || len(problems) != 0 || again.Len() != 2 || !again.Keys()[0].Equal(set.Keys()[0]) || !again.Keys()[1].Equal(set.Keys()[1]) {
		t.Errorf("%v %v %v", again, problems, err)
	}
}

// TestMethodsAreStrict guards that the table never holds a method that accepts everything.
func TestMethodsAreStrict(t *testing.T) {
	l := newLab()
	for _, a := range algorithms {
		if a.Method == jwt.SigningMethodNone {
			t.Errorf("%s is none", a.Name)
		}
		for _, sig := range [][]byte{nil, {}, make([]byte, 32), make([]byte, 64), make([]byte, 256)} {
			if a.Method.Verify("input", sig, l.public(a).Material()) == nil {
				t.Errorf("%s accepts %d zero bytes", a.Name, len(sig))
			}
		}
	}
}
