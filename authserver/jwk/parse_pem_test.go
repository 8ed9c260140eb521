// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestParsePEM(t *testing.T) {
	l := newLab()
	spki := func(public any) string { return block("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(public))) }
	rsaPEM, ecPEM, edPEM := spki(&l.rsa.PublicKey), spki(&l.p256.PublicKey), spki(l.ed.Public())
	pkcs1 := block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&l.rsa.PublicKey))
	cert := block("CERTIFICATE", certificate(t, l, &l.p384.PublicKey, "issuer", nil).Raw)
	for _, row := range []struct {
		name, text string
		want       []*Key
	}{
		{"SPKI RSA", rsaPEM, []*Key{l.of("RS256")}},
		{"SPKI EC", ecPEM, []*Key{l.of("ES256")}},
		{"SPKI Ed25519", edPEM, []*Key{l.of("EdDSA")}},
		{"PKCS#1", pkcs1, []*Key{l.of("RS256")}},
		{"certificate, expired", cert, []*Key{l.of("ES384")}},
		{"several", rsaPEM + ecPEM + cert, []*Key{l.of("RS256"), l.of("ES256"), l.of("ES384")}},
		{"text around", "Public key of acme:\n" + rsaPEM + "\n# end\n", []*Key{l.of("RS256")}},
		{"CRLF", strings.ReplaceAll(rsaPEM, "\n", "\r\n"), []*Key{l.of("RS256")}},
		{"no newline at the end", strings.TrimSpace(rsaPEM), []*Key{l.of("RS256")}},
		{"two unrelated certificates", cert + block("CERTIFICATE", certificate(t, l, &l.p256.PublicKey, "another", nil).Raw), []*Key{l.of("ES384"), l.of("ES256")}},
	} {
		got, err := ParsePEM([]byte(row.text))
		if err != nil || len(got) != len(row.want) {
			t.Errorf("%s: %v %v", row.name, got, err)
			continue
		}
		for i := range got {
			if !got[i].Equal(row.want[i]) {
				t.Errorf("%s: key %d is %v, want %v", row.name, i, got[i], row.want[i])
			}
		}
	}
}

func TestParsePEMRefuses(t *testing.T) {
	l := newLab()
	spki := func(public any) string { return block("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(public))) }
	good := spki(&l.rsa.PublicKey)
	pkcs8 := block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(l.rsa)))
	sec1 := block("EC PARAMETERS", []byte{6, 0}) + block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(l.p256)))
	p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	ca := certificate(t, l, &l.rsa.PublicKey, "CA", nil)
	leaf := certificate(t, l, &l.p256.PublicKey, "leaf", ca)
	for _, row := range []struct{ name, text, want string }{
		{"empty", "", "there is no PEM block"},
		{"JWK", `{"kty":"RSA"}`, "there is no PEM block"},
		{"ssh", "ssh-rsa AAAA", "there is no PEM block"},
		{"PKCS#8 private", pkcs8, "openssl pkey"},
		{"PKCS#1 private", block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(l.rsa)), "openssl pkey"},
		{"SEC 1 private", sec1, "openssl pkey"},
		{"encrypted private", block("ENCRYPTED PRIVATE KEY", []byte("x")), "openssl pkey"},
		{"public and private", good + pkcs8, "openssl pkey"},
		{"request", block("CERTIFICATE REQUEST", []byte("x")), "only PUBLIC KEY, RSA PUBLIC KEY and CERTIFICATE"},
		{"garbage", block("PUBLIC KEY", []byte("xxxx")), "PEM block 1: the content is not a valid public key"},
		{"PKCS#1 under the name of SPKI", block("PUBLIC KEY", x509.MarshalPKCS1PublicKey(&l.rsa.PublicKey)), "PEM block 1"},
		{"garbage certificate", good + block("CERTIFICATE", []byte("xxxx")), "PEM block 2: the content is not a valid certificate"},
		{"cut", good[:len(good)-30], "PEM block 1 does not decode"},
		{"second block cut", good + good[:100], "PEM block 2 does not decode"},
		{"P-224", spki(&p224.PublicKey), "use P-256, P-384 or P-521"},
		{"X25519", spki(must(ecdh.X25519().GenerateKey(rand.Reader)).PublicKey()), "is not supported"},
		{"RSA with e = 3", block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsa.PublicKey{N: l.rsa.N, E: 3})), "RSA exponent is 3"},
		{"a certificate with its issuer", block("CERTIFICATE", leaf.Raw) + block("CERTIFICATE", ca.Raw), "certificate 1 was issued by certificate 2"},
		{"101 blocks", strings.Repeat(block("X", nil), 101), "at most 100"},
		{"more than 512 KiB", strings.Repeat("x", 512<<10+1), "at most 524288 are allowed"},
	} {
		if keys, err := ParsePEM([]byte(row.text)); err == nil || keys != nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, %v, want %q", row.name, keys, err, row.want)
		}
	}
}

// FuzzParsePEM guards that no text panics and each accepted key is a sound public one.
func FuzzParsePEM(f *testing.F) {
	l := newLab()
	for _, public := range []any{&l.rsa.PublicKey, &l.p256.PublicKey, l.ed.Public()} {
		f.Add([]byte(block("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(public)))))
	}
	f.Add([]byte(block("CERTIFICATE", certificate(f, l, &l.p256.PublicKey, "x", nil).Raw)))
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\n-----BEGIN PUBLIC KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := ParsePEM(text)
		if err != nil {
			return
		}
		if len(keys) == 0 || bytes.Contains(text, []byte("PRIVATE KEY-----")) {
			t.Fatal("accepted nothing, or a private key")
		}
		for _, k := range keys {
			if k.fits == 0 || k.Type() == "oct" {
				t.Fatalf("accepted %v", k)
			}
		}
	})
}
