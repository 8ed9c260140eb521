// SPDX-License-Identifier: Apache-2.0

package jwe

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/gatehouse-auth/gatehouse/authserver/jwe/jwetest"
)

// TestAlgorithms decrypts with each pair of rows and each kind of key what go-jose's own
// encrypter made, and what package jwetest made with party info.
func TestAlgorithms(t *testing.T) {
	l := newLab()
	const plaintext = "some text that is no multiple of sixteen bytes"
	for i := range keyAlgorithms {
		for j := range contentAlgorithms {
			alg, enc := &keyAlgorithms[i], &contentAlgorithms[j]
			for _, p := range l.pairs(alg, enc) {
				encrypter, err := jose.NewEncrypter(jose.ContentEncryption(enc.name), jose.Recipient{Algorithm: jose.KeyAlgorithm(alg.name), Key: p.to}, nil)
				if err != nil {
					t.Fatal(err)
				}
				theirs := must(must(encrypter.Encrypt([]byte(plaintext))).CompactSerialize())
				b64 := base64.RawURLEncoding.EncodeToString
				ours := jwetest.Seal(t, jwetest.Input{
					Key: p.to, Alg: alg.name, Enc: enc.name, Plaintext: plaintext, PartyU: []byte("Alice"), PartyV: []byte("Bob"),
					Header: fmt.Sprintf(`{"alg":%q,"enc":%q,"apu":%q,"apv":%q,"epk":%s}`, alg.name, enc.name, b64([]byte("Alice")), b64([]byte("Bob")), epkOf(alg)),
				}).String()
				for _, raw := range []string{theirs, ours} {
					if got, err := p.key.Decrypt(message(t, raw)); err != nil || string(got) != plaintext {
						t.Errorf("%s with %s: %q %v", alg.name, enc.name, got, err)
					}
				}
			}
		}
	}
}

// epkOf is the place of an ephemeral key in a header, or another value where none is due.
func epkOf(alg *keyAlgorithm) string {
	if alg.kty == "EC" {
		return jwetest.EPK
	}
	return "null"
}

// TestTampered guards that every part is authenticated, and that the error is the same.
func TestTampered(t *testing.T) {
	l := newLab()
	for i := range keyAlgorithms {
		for j := range contentAlgorithms {
			alg, enc := &keyAlgorithms[i], &contentAlgorithms[j]
			key, good := l.sealed(t, alg.name, enc.name, "text")
			for name, change := range map[string]func(m *Message){
				"encrypted key, first bit": func(m *Message) { m.EncryptedKey = tamper(m.EncryptedKey, 0) },
				"encrypted key, last bit":  func(m *Message) { m.EncryptedKey = tamper(m.EncryptedKey, len(m.EncryptedKey)-1) },
				"encrypted key, shorter":   func(m *Message) { m.EncryptedKey = shorter(m.EncryptedKey) },
				"encrypted key, longer":    func(m *Message) { m.EncryptedKey = slices.Concat(m.EncryptedKey, make([]byte, 8)) },
				"encrypted key, zeros":     func(m *Message) { m.EncryptedKey = make([]byte, max(8, len(m.EncryptedKey))) },
				"iv, first bit":            func(m *Message) { m.IV = flip(m.IV, 0) },
				"iv, shorter":              func(m *Message) { m.IV = shorter(m.IV) },
				"iv, longer":               func(m *Message) { m.IV = slices.Concat(m.IV, []byte{0}) },
				"iv, none":                 func(m *Message) { m.IV = nil },
				"ciphertext, first bit":    func(m *Message) { m.Ciphertext = flip(m.Ciphertext, 0) },
				"ciphertext, last bit":     func(m *Message) { m.Ciphertext = flip(m.Ciphertext, len(m.Ciphertext)-1) },
				"ciphertext, none":         func(m *Message) { m.Ciphertext = nil },
				"ciphertext, a block more": func(m *Message) { m.Ciphertext = slices.Concat(m.Ciphertext, make([]byte, 16)) },
				"tag, first bit":           func(m *Message) { m.Tag = flip(m.Tag, 0) },
				"tag, last bit":            func(m *Message) { m.Tag = flip(m.Tag, len(m.Tag)-1) },
				"tag, shorter":             func(m *Message) { m.Tag = shorter(m.Tag) },
				"tag, four bytes":          func(m *Message) { m.Tag = m.Tag[:4] },
				"tag, none":                func(m *Message) { m.Tag = nil },
				"tag, longer":              func(m *Message) { m.Tag = slices.Concat(m.Tag, []byte{0}) },
				"tag and ciphertext swap a byte": func(m *Message) {
					m.Ciphertext, m.Tag = slices.Concat(m.Ciphertext, m.Tag[:1]), m.Tag[1:]
				},
				"header":             func(m *Message) { m.AAD = flip(m.AAD, 3) },
				"no header":          func(m *Message) { m.AAD = nil },
				"unknown alg":        func(m *Message) { m.Algorithm = "RSA1_5" },
				"unknown enc":        func(m *Message) { m.ContentAlgorithm = "A192CBC-HS384" },
				"alg none":           func(m *Message) { m.Algorithm = "none" },
				"alg of another key": func(m *Message) { m.Algorithm = map[bool]string{true: "A128KW", false: "RSA-OAEP"}[alg.kty == "RSA"] },
			} {
				m := *good
				change(&m)
				if got, err := key.Decrypt(&m); err != ErrDecryption || got != nil { //nolint:errorlint // the very same value
					t.Errorf("%s with %s, %s: %q %v", alg.name, enc.name, name, got, err)
				}
			}
			if got, err := key.Decrypt(good); err != nil || string(got) != "text" {
				t.Errorf("%s with %s: the tests changed the message: %q %v", alg.name, enc.name, got, err)
			}
		}
	}
}

// tamper flips a bit, or makes a key where there is none.
func tamper(b []byte, i int) []byte {
	if len(b) == 0 {
		return make([]byte, 40)
	}
	return flip(b, i)
}

func shorter(b []byte) []byte {
	if len(b) == 0 {
		return []byte{0}
	}
	return b[:len(b)-1]
}

// TestContentKeyLengths guards that a content key of another length, which anybody can wrap
// for RSA, is not used: a random one takes its place.
func TestContentKeyLengths(t *testing.T) {
	l := newLab()
	key := must(New(l.rsa))
	for _, size := range []int{1, 15, 17, 24, 31, 32, 64} {
		wrapped := make([]byte, size)
		_, _ = rand.Read(wrapped)
		// The content is encrypted under what is left, or filled up with zeros, at the right length.
		used := make([]byte, 16)
		copy(used, wrapped)
		raw := jwetest.Seal(t, jwetest.Input{Key: &l.rsa.PublicKey, Alg: "RSA-OAEP", Enc: "A128GCM", Plaintext: "x", CEK: used})
		if _, err := key.Decrypt(message(t, raw.String())); err != nil {
			t.Fatalf("the key as it should be: %v", err)
		}
		raw.EncryptedKey = must(rsa.EncryptOAEP(keyAlgorithms[0].oaep.New(), rand.Reader, &l.rsa.PublicKey, wrapped, nil))
		if _, err := key.Decrypt(message(t, raw.String())); !errors.Is(err, ErrDecryption) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// TestUnwrapped guards that a failed unwrapping ends in a fresh random key of the right
// length, and not in a known one.
func TestUnwrapped(t *testing.T) {
	fails := func() ([]byte, error) { return nil, errors.New("x") }
	short := func() ([]byte, error) { return []byte{1}, nil }
	seen := map[string]bool{string(make([]byte, 32)): true}
	for range 4 {
		for _, unwrap := range []func() ([]byte, error){fails, short} {
			cek := unwrapped(32, unwrap)
			if len(cek) != 32 || seen[string(cek)] {
				t.Errorf("content key %x", cek)
			}
			seen[string(cek)] = true
		}
	}
	want := bytes.Repeat([]byte{7}, 32)
	if got := unwrapped(32, func() ([]byte, error) { return want, nil }); !bytes.Equal(got, want) {
		t.Errorf("content key %x", got)
	}
}

// TestEphemeralKeys guards that nothing but a public point of the key's own curve is used. Each
// row changes the message's own key, so that the message would decrypt if it were used.
func TestEphemeralKeys(t *testing.T) {
	l := newLab()
	_, m := l.sealed(t, "ECDH-ES", "A128GCM", "x")
	for name := range ephemeralKeys(t, l, m) {
		for _, alg := range []string{"ECDH-ES", "ECDH-ES+A128KW"} {
			key, m := l.sealed(t, alg, "A128GCM", "x")
			m.EphemeralKey = []byte(ephemeralKeys(t, l, m)[name])
			if _, err := key.Decrypt(m); err != ErrDecryption { //nolint:errorlint // the very same value
				t.Errorf("%s, epk %s: %v", alg, name, err)
			}
		}
	}
	key, m := l.sealed(t, "ECDH-ES", "A128GCM", "x")
	m.EphemeralKey = []byte(strings.TrimSuffix(string(m.EphemeralKey), "}") + `,"kid":"x","use":"sig"}`)
	if _, err := key.Decrypt(m); err != nil {
		t.Errorf("members that do not count: %v", err)
	}
}

// ephemeralKeys are keys that must not be used, most made of a message's own.
func ephemeralKeys(t *testing.T, l *lab, m *Message) map[string]string {
	b64 := base64.RawURLEncoding.EncodeToString
	var good struct{ Kty, Crv, X, Y string }
	if err := json.Unmarshal(m.EphemeralKey, &good); err != nil {
		t.Fatal(err)
	}
	p := elliptic.P256().Params()
	zero := b64(make([]byte, 32))
	point := func(kty, crv, x, y string) string {
		return fmt.Sprintf(`{"kty":%q,"crv":%q,"x":%q,"y":%q}`, kty, crv, x, y)
	}
	other := func(k *ecdsa.PrivateKey) string {
		return string(must((&jose.JSONWebKey{Key: &k.PublicKey}).MarshalJSON()))
	}
	return map[string]string{
		"absent":                       "",
		"null":                         "null",
		"a string":                     `"` + good.X + `"`,
		"an array":                     `[` + string(m.EphemeralKey) + `]`,
		"empty":                        "{}",
		"of a P-384 key":               other(l.p384),
		"of a P-521 key":               other(l.p521),
		"P-384 by name":                point("EC", "P-384", good.X, good.Y),
		"secp256k1 by name":            point("EC", "secp256k1", good.X, good.Y),
		"no curve":                     point("EC", "", good.X, good.Y),
		"kty OKP":                      point("OKP", "P-256", good.X, good.Y),
		"an X25519 key":                `{"kty":"OKP","crv":"X25519","x":"` + zero + `"}`,
		"an RSA key":                   string(must((&jose.JSONWebKey{Key: &l.rsa.PublicKey}).MarshalJSON())),
		"a symmetric key":              `{"kty":"oct","k":"` + zero + `"}`,
		"point at infinity":            point("EC", "P-256", zero, zero),
		"x and y exchanged":            point("EC", "P-256", good.Y, good.X),
		"y changed":                    point("EC", "P-256", good.X, b64(flip(must(base64.RawURLEncoding.DecodeString(good.Y)), 31))),
		"point of order 2 elsewhere":   point("EC", "P-256", good.X, zero),
		"x of the field's order":       point("EC", "P-256", b64(p.P.Bytes()), good.Y),
		"x short":                      point("EC", "P-256", b64(make([]byte, 31)), good.Y),
		"x with a zero byte in front":  point("EC", "P-256", b64(append([]byte{0}, must(base64.RawURLEncoding.DecodeString(good.X))...)), good.Y),
		"y with stray bits":            point("EC", "P-256", good.X, stray(good.Y)),
		"x padded":                     point("EC", "P-256", good.X+"=", good.Y),
		"x with a line break":          point("EC", "P-256", good.X[:4]+"\n"+good.X[4:], good.Y),
		"x empty, all in y":            point("EC", "P-256", "", good.X+good.Y),
		"x's last byte in y":           point("EC", "P-256", b64(bytesOf(good.X)[:31]), b64(append(bytesOf(good.X)[31:], bytesOf(good.Y)...))),
		"x a number":                   `{"kty":"EC","crv":"P-256","x":1,"y":"` + good.Y + `"}`,
		"no y":                         `{"kty":"EC","crv":"P-256","x":"` + good.X + `"}`,
		"compressed":                   `{"kty":"EC","crv":"P-256","x":"` + good.X + `","y":true}`,
		"a private key":                strings.TrimSuffix(string(m.EphemeralKey), "}") + `,"d":"` + zero + `"}`,
		"kty twice":                    strings.TrimSuffix(string(m.EphemeralKey), "}") + `,"kty":"EC"}`,
		"another valid point":          other(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))),
		"names in capitals":            `{"KTY":"EC","CRV":"P-256","X":"` + good.X + `","Y":"` + good.Y + `"}`,
		"something after it":           string(m.EphemeralKey) + "{}",
		"a megabyte":                   `{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 1<<20) + `","y":""}`,
		"coordinates in standard base": point("EC", "P-256", "+/"+good.X[2:], good.Y),
	}
}

func bytesOf(text string) []byte { return must(base64.RawURLEncoding.DecodeString(text)) }

// stray sets a bit that base64url leaves over after 32 bytes.
func stray(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return text[:len(text)-1] + string(alphabet[strings.IndexByte(alphabet, text[len(text)-1])+1])
}

// TestPartyInfo guards that apu and apv are part of the derivation.
func TestPartyInfo(t *testing.T) {
	l := newLab()
	key, good := l.sealed(t, "ECDH-ES+A256KW", "A256GCM", "x")
	for name, change := range map[string]func(m *Message){
		"apu": func(m *Message) { m.PartyU = []byte("x") },
		"apv": func(m *Message) { m.PartyV = []byte("x") },
	} {
		m := *good
		change(&m)
		if _, err := key.Decrypt(&m); !errors.Is(err, ErrDecryption) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzDecrypt guards that no message makes it panic, and that what decrypts here go-jose
// decrypts too, to the same.
func FuzzDecrypt(f *testing.F) {
	l := newLab()
	for i := range keyAlgorithms {
		for j := range contentAlgorithms {
			_, m := l.sealed(f, keyAlgorithms[i].name, contentAlgorithms[j].name, "text")
			f.Add(uint8(i), uint8(j), m.EphemeralKey, m.EncryptedKey, m.IV, m.Ciphertext, m.Tag, m.AAD)
		}
	}
	f.Fuzz(func(t *testing.T, i, j uint8, epk, encryptedKey, iv, ciphertext, tag, aad []byte) {
		alg, enc := &keyAlgorithms[int(i)%len(keyAlgorithms)], &contentAlgorithms[int(j)%len(contentAlgorithms)]
		p := l.pairs(alg, enc)[0]
		got, err := p.key.Decrypt(&Message{
			Algorithm: alg.name, ContentAlgorithm: enc.name, EphemeralKey: epk,
			EncryptedKey: encryptedKey, IV: iv, Ciphertext: ciphertext, Tag: tag, AAD: aad,
		})
		if err != nil {
			if err != ErrDecryption || got != nil { //nolint:errorlint // the very same value
				t.Fatalf("%q %v", got, err)
			}
			return
		}
		b64 := base64.RawURLEncoding.EncodeToString
		raw := string(aad) + "." + b64(encryptedKey) + "." + b64(iv) + "." + b64(ciphertext) + "." + b64(tag)
		parsed, err := jose.ParseEncryptedCompact(raw, []jose.KeyAlgorithm{jose.KeyAlgorithm(alg.name)}, []jose.ContentEncryption{jose.ContentEncryption(enc.name)})
		if err != nil {
			return // aad need not be a header here
		}
		theirs, err := parsed.Decrypt(p.key.material)
		if err != nil || !bytes.Equal(got, theirs) {
			t.Fatalf("%q here, by go-jose %q %v", got, theirs, err)
		}
	})
}
