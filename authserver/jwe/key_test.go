// SPDX-License-Identifier: Apache-2.0

package jwe

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// TestTable guards what the tables must never hold, and that Key.fits has room for them.
func TestTable(t *testing.T) {
	want := []string{"RSA-OAEP", "RSA-OAEP-256", "A128KW", "A192KW", "A256KW", "dir", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"}
	if got := KeyAlgorithms(); !slices.Equal(got, want) {
		t.Errorf("key algorithms %v", got)
	}
	if got := ContentAlgorithms(); !slices.Equal(got, []string{"A128GCM", "A192GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512"}) {
		t.Errorf("content algorithms %v", got)
	}
	if len(keyAlgorithms)*len(contentAlgorithms) > 64 {
		t.Error("Key.fits has 64 bits")
	}
	for alg, want := range map[string]bool{"A128KW": true, "A192KW": true, "A256KW": true, "dir": true, "RSA-OAEP": false, "ECDH-ES": false,
		"ECDH-ES+A128KW": false, "RSA1_5": false, "PBES2-HS256+A128KW": false, "A128GCMKW": false, "": false, "DIR": false} {
		if IsSymmetric(alg) != want {
			t.Errorf("%s symmetric: %v", alg, !want)
		}
	}
}

// TestFits guards which key is for which pair of algorithms.
func TestFits(t *testing.T) {
	l := newLab()
	keys := map[string]*Key{"RSA": must(New(l.rsa)), "EC": must(New(l.p256)), "16": must(New(l.secrets[16])), "24": must(New(l.secrets[24])), "32": must(New(l.secrets[32])), "64": must(New(l.secrets[64]))}
	for name, key := range keys {
		for i := range keyAlgorithms {
			for j := range contentAlgorithms {
				alg, enc := &keyAlgorithms[i], &contentAlgorithms[j]
				want := alg.kty == name
				if alg.kty == "oct" {
					size := alg.kek
					if alg.name == "dir" {
						size = enc.key
					}
					want = fmt.Sprint(size) == name
				}
				if err := key.Fits(alg.name, enc.name); (err == nil) != want {
					t.Errorf("%s key, %s with %s: %v, want %v", name, alg.name, enc.name, err, want)
				}
			}
		}
		for _, alg := range []string{"", "none", "RSA1_5", "rsa-oaep", "RSA-OAEP-512", "PBES2-HS256+A128KW", "A256GCMKW", "ECDH-ES+A512KW", "HS256", "RS256", "DIR"} {
			if key.Fits(alg, "A128GCM") == nil {
				t.Errorf("%s key fits %q", name, alg)
			}
		}
		for _, enc := range []string{"", "none", "A128CBC", "A192CBC-HS384", "a128gcm", "C20P"} {
			if key.Fits("RSA-OAEP", enc) == nil || key.Fits("dir", enc) == nil {
				t.Errorf("%s key fits %q", name, enc)
			}
		}
	}
}

func TestNewRefuses(t *testing.T) {
	l := newLab()
	short := must(rsa.GenerateKey(rand.Reader, 1024))
	p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	foreign := *l.p256
	foreign.PublicKey = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).PublicKey
	mixed := *l.rsa
	mixed.D = new(big.Int).Add(l.rsa.D, big.NewInt(2))
	mixed.Precomputed = rsa.PrecomputedValues{}
	for _, row := range []struct {
		name     string
		material any
		want     string
	}{
		{"RSA of 1024 bits", short, "RSA key has 1024 bits: use 2048 to 4096"},
		{"RSA with another d", &mixed, "do not belong together"},
		{"empty RSA", &rsa.PrivateKey{}, "RSA key is empty"},
		{"nil RSA", (*rsa.PrivateKey)(nil), "RSA key is empty"},
		{"public RSA", &l.rsa.PublicKey, "needs the private one"},
		{"public EC", &l.p256.PublicKey, "needs the private one"},
		{"P-224", p224, "use P-256, P-384 or P-521"},
		{"EC with another public half", &foreign, "do not belong together"},
		{"nil EC", (*ecdsa.PrivateKey)(nil), "EC key is empty"},
		{"empty EC", &ecdsa.PrivateKey{}, "EC key is empty"},
		{"no secret", []byte{}, "symmetric key has 0 bytes"},
		{"15 bytes", make([]byte, 15), "symmetric key has 15 bytes"},
		{"48 bytes", make([]byte, 48), "symmetric key has 48 bytes"},
		{"a password", []byte("hunter2hunter2hunter2"), "symmetric key has 21 bytes"},
		{"a string", "x", "this type of key is not supported"},
		{"nil", nil, "not supported"},
	} {
		if _, err := New(row.material); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		}
	}
}

func TestWith(t *testing.T) {
	l := newLab()
	key := must(New(l.rsa))
	named := must(key.With("one", "RSA-OAEP-256"))
	if named.ID() != "one" || named.Algorithm() != "RSA-OAEP-256" || named.Type() != "RSA" || key.ID() != "" || key.Algorithm() != "" {
		t.Errorf("%v from %v", named, key)
	}
	if named.Fits("RSA-OAEP-256", "A128GCM") != nil || named.Fits("RSA-OAEP", "A128GCM") == nil || key.Fits("RSA-OAEP", "A128GCM") != nil {
		t.Error("the algorithm does not limit the copy only")
	}
	content := must(must(New(l.secrets[32])).With("", "A256GCM"))
	for enc, want := range map[string]bool{"A256GCM": true, "A128CBC-HS256": false} {
		if err := content.Fits("dir", enc); (err == nil) != want {
			t.Errorf("a key for A256GCM, dir with %s: %v", enc, err)
		}
	}
	if content.Fits("A256KW", "A256GCM") == nil {
		t.Error("a content key wraps")
	}
	for _, row := range []struct {
		key           *Key
		id, alg, want string
	}{
		{key, "", "RS256", `alg "RS256" does not decrypt`},
		{key, "", "RSA1_5", "does not decrypt"},
		{key, "", "A128KW", "A128KW needs a key of type oct, this one is RSA"},
		{key, "", "A128GCM", "dir needs a key of type oct"},
		{must(New(l.secrets[16])), "", "A256KW", "A256KW needs a key of 32 bytes, this one has 16"},
		{must(New(l.secrets[16])), "", "A256GCM", "dir with A256GCM needs a key of 32 bytes"},
		{must(New(l.secrets[64])), "", "A128KW", "A128KW needs a key of 16 bytes"},
		{key, strings.Repeat("k", 1025), "", "kid has 1025 bytes"},
	} {
		if _, err := row.key.With(row.id, row.alg); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("With(%.8q, %q): %v, want %q", row.id, row.alg, err, row.want)
		}
	}
}

// TestRoundTrip guards that a key written into a rendered file is read back the same.
func TestRoundTrip(t *testing.T) {
	l := newLab()
	for _, material := range []any{l.rsa, l.p256, l.p384, l.p521, l.secrets[16], l.secrets[24], l.secrets[32], l.secrets[64]} {
		key := must(must(New(material)).With("id/1", ""))
		text := must(key.MarshalJSON())
		again, err := ParseKey(text)
		if err != nil || !again.Equal(key) || again.fits != key.fits {
			t.Errorf("%v is read back as %v, %v", key, again, err)
			continue
		}
		if second := must(again.MarshalJSON()); !bytes.Equal(text, second) {
			t.Errorf("%v is written in two ways", key)
		}
		if again.Equal(must(key.With("", strings.Fields("RSA-OAEP ECDH-ES dir")[slices.Index([]string{"RSA", "EC", "oct"}, key.Type())]))) {
			t.Error("another algorithm is equal")
		}
	}
	if must(New(l.rsa)).Equal(must(New(l.p256))) || must(New(l.secrets[16])).Equal(must(New(l.rsa))) || must(New(l.secrets[16])).Equal(must(New(l.secrets[24]))) {
		t.Error("other material is equal")
	}
}

// TestSecretsStayInside guards that no common way to print a key shows its bytes.
func TestSecretsStayInside(t *testing.T) {
	l := newLab()
	for _, key := range []*Key{must(New(l.rsa)), must(New(l.p256)), must(New(l.secrets[32]))} {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", key)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", key)
		printed := fmt.Sprintf("%v %+v %#v %s %q %v", key, key, key, key, key, []*Key{key}) + log.String()
		for _, secret := range []string{l.rsa.D.String(), l.p256.D.String(), base64.RawURLEncoding.EncodeToString(l.secrets[32]), "32 32 32", "0x20, 0x20"} {
			if strings.Contains(printed, secret) {
				t.Errorf("printed: %s", printed)
			}
		}
	}
}

func TestSelect(t *testing.T) {
	l := newLab()
	named := func(material any, id string) *Key { return must(must(New(material)).With(id, "")) }
	r, e, s := named(l.rsa, "a"), named(l.p256, "b"), named(l.secrets[16], "c")
	anonymous := must(New(l.rsa))
	onlyDir := must(s.With("", "dir"))
	for _, row := range []struct {
		name          string
		keys          []*Key
		alg, enc, kid string
		noKid         bool
		want          *Key
		err           error
	}{
		{name: "by kid", keys: []*Key{r, e, s}, alg: "RSA-OAEP", enc: "A128GCM", kid: "a", want: r},
		{name: "the only key", keys: []*Key{e}, alg: "ECDH-ES", enc: "A128GCM", noKid: true, want: e},
		{name: "anonymous key fits any kid", keys: []*Key{anonymous, e}, alg: "RSA-OAEP", enc: "A128GCM", kid: "x", want: anonymous},
		{name: "one kid, two types", keys: []*Key{r, named(l.p256, "a")}, alg: "RSA-OAEP", enc: "A128GCM", kid: "a", want: r},
		{name: "one kid, two algorithms", keys: []*Key{must(s.With("", "A128KW")), onlyDir}, alg: "dir", enc: "A128GCM", kid: "c", want: onlyDir},
		{name: "no keys", alg: "dir", enc: "A128GCM", kid: "a", err: jwk.ErrUnknownKeyID},
		{name: "no keys, no kid", alg: "dir", enc: "A128GCM", noKid: true, err: jwk.ErrUnknownKeyID},
		{name: "unknown kid", keys: []*Key{r, e}, alg: "RSA-OAEP", enc: "A128GCM", kid: "A", err: jwk.ErrUnknownKeyID},
		{name: "empty kid", keys: []*Key{r}, alg: "RSA-OAEP", enc: "A128GCM", err: jwk.ErrUnknownKeyID},
		{name: "no kid, two keys", keys: []*Key{r, e}, alg: "RSA-OAEP", enc: "A128GCM", noKid: true, err: jwk.ErrAmbiguousKey},
		{name: "kid and anonymous", keys: []*Key{anonymous, r}, alg: "RSA-OAEP", enc: "A128GCM", kid: "a", err: jwk.ErrAmbiguousKey},
		{name: "kid twice", keys: []*Key{r, r}, alg: "RSA-OAEP", enc: "A128GCM", kid: "a", err: jwk.ErrAmbiguousKey},
		{name: "kid of another type", keys: []*Key{r, e}, alg: "RSA-OAEP", enc: "A128GCM", kid: "b", err: jwk.ErrKeyMismatch},
		{name: "another key length", keys: []*Key{s}, alg: "A256KW", enc: "A128GCM", noKid: true, err: jwk.ErrKeyMismatch},
		{name: "dir with another length", keys: []*Key{s}, alg: "dir", enc: "A256GCM", noKid: true, err: jwk.ErrKeyMismatch},
		{name: "unknown algorithm", keys: []*Key{r}, alg: "RSA1_5", enc: "A128GCM", kid: "a", err: jwk.ErrKeyMismatch},
	} {
		got, err := NewSet(row.keys...).Select(row.alg, row.enc, row.kid, !row.noKid)
		if got != row.want || !errors.Is(err, row.err) {
			t.Errorf("%s: %v, %v, want %v, %v", row.name, got, err, row.want, row.err)
		}
	}
	var none *Set
	if _, err := none.Select("dir", "A128GCM", "a", true); !errors.Is(err, jwk.ErrUnknownKeyID) || none.Len() != 0 {
		t.Errorf("nil set: %v", err)
	}
	if NewSet(nil, r).Len() != 1 {
		t.Error("a nil key is kept")
	}
}
