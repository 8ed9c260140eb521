// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// maxKey is the longest text of a key, in bytes.
const maxKey = 64 << 10

// ParseKey reads a private key: one JWK (RFC 7517), or one PEM block of PKCS#8, PKCS#1 or SEC 1, before which EC PARAMETERS may stand. A JWK's alg and kid are used; other
// keys sign with the first algorithm of their type (RSA: RS256) and without kid. The error says what is wrong and holds nothing of the key.
func ParseKey(text []byte) (*Key, error) {
	read, err := readKey(text, []string{"RSA", "EC", "OKP"})
	if err != nil {
		return nil, err
	}
	return newKey(read.material, read.id, read.algorithm)
}

// ParseKeyFor reads a key that signs with the algorithm: a private key as [ParseKey] does, or for HS256, HS384 and HS512 an oct JWK or the bytes of a secret, at least
// 32, 48 or 64 and at most 1024 of them. Of a secret that is text one line break at its end is dropped, which editors leave; one that is not is taken as it is. keyID is
// the kid; "" is that of a JWK, or none. The error says what is wrong and holds nothing of the key.
func ParseKeyFor(text []byte, algorithm, keyID string) (*Key, error) {
	row, ok := jwk.Algorithm(algorithm)
	if !ok {
		return nil, fmt.Errorf("the algorithm is not supported: use one of %v", jwk.AlgorithmNames())
	}
	read, err := readKeyOf(text, row)
	if err != nil {
		return nil, err
	}
	if read.algorithm != "" && read.algorithm != algorithm {
		return nil, fmt.Errorf("the JWK's alg is not %s: set the algorithm to the JWK's, or use another key", algorithm)
	}
	if keyID == "" {
		keyID = read.id
	}
	return newKey(read.material, keyID, algorithm)
}

func readKeyOf(text []byte, row jwk.Alg) (readResult, error) {
	if row.Type != "oct" {
		return readKey(text, []string{"RSA", "EC", "OKP"})
	}
	switch {
	case len(text) > maxKey:
		return readResult{}, errTooLong(len(text))
	case bytes.Contains(text, []byte("-----BEGIN ")):
		return readResult{}, fmt.Errorf("it holds PEM, and %s signs with a secret: use one of RS256 to EdDSA, or a secret of at least %d bytes", row.Name, row.MinSecret)
	case isJWK(text) && isText(text):
		return readKey(text, []string{"oct"})
	}
	return readResult{material: trimSecret(text)}, nil
}

// trimSecret drops one line break from the end of text. What is no text is kept: there the byte is as good as another.
func trimSecret(text []byte) []byte {
	trimmed := bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	if !isText(trimmed) || len(trimmed) == len(text) || text[len(text)-1] != '\n' {
		trimmed = text
	}
	return slices.Clone(trimmed)
}

// isText tells whether the bytes are what a person writes in one or more lines.
func isText(b []byte) bool {
	return utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) })
}

func isJWK(text []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) }

// readResult is what a text says: the material, a crypto.Signer or []byte, and the kid and alg of a JWK.
type readResult struct {
	material      any
	id, algorithm string
}

// readKey reads PEM, or a JWK of one of the types.
func readKey(text []byte, types []string) (readResult, error) {
	if len(text) > maxKey {
		return readResult{}, errTooLong(len(text))
	}
	if isJWK(text) {
		return readJWK(text, types)
	}
	private, err := readPEM(text)
	return readResult{material: private}, err
}

func errTooLong(n int) error {
	return fmt.Errorf("the private key has %d bytes, at most %d are allowed", n, maxKey)
}

func readJWK(text []byte, types []string) (readResult, error) {
	members, err := jwk.ReadMembers(text)
	if err != nil {
		return readResult{}, fmt.Errorf("reading the private JWK: %w", err)
	}
	for _, name := range []string{"kty", "crv", "alg", "kid", "use"} {
		if _, err := members.Text(name); err != nil {
			return readResult{}, fmt.Errorf("reading the private JWK: %w", err)
		}
	}
	if _, ok := members["keys"]; ok {
		return readResult{}, errors.New("reading the private JWK: it is a JWK Set: leave only the one key")
	}
	kty, _ := members.Text("kty")
	if !slices.Contains(types, kty) {
		return readResult{}, fmt.Errorf("reading the private JWK: kty is not supported here: use %s", strings.Join(types, ", "))
	}
	if err := checkMaterial(members, kty); err != nil {
		return readResult{}, fmt.Errorf("reading the private JWK: %w", err)
	}
	if err := members.CheckUse("sig", "sign"); err != nil {
		return readResult{}, fmt.Errorf("reading the private JWK: %w", err)
	}
	var parsed jose.JSONWebKey
	if parsed.UnmarshalJSON(text) != nil { // whose words may hold a number of the key
		return readResult{}, errors.New("reading the private JWK: the members do not make a valid private key")
	}
	out := readResult{material: parsed.Key}
	_, private := parsed.Key.(crypto.Signer)
	if _, secret := parsed.Key.([]byte); !private && !secret {
		return readResult{}, errors.New("reading the private JWK: the members do not make a valid private key")
	}
	out.id, _ = members.Text("kid")
	out.algorithm, _ = members.Text("alg")
	return out, nil
}

func checkMaterial(members jwk.Members, kty string) error {
	if kty == "oct" {
		return members.CheckBase64("k")
	}
	if _, ok := members["d"]; !ok {
		return errors.New("it is a public key: the private one has a member d")
	}
	return nil
}

func readPEM(text []byte) (crypto.Signer, error) {
	block, rest := pem.Decode(text)
	if block != nil && block.Type == "EC PARAMETERS" { // which openssl ecparam -genkey writes before the key
		block, rest = pem.Decode(rest)
	}
	switch {
	case block == nil:
		return nil, errors.New("the private key is neither a JWK nor PEM: expected a block that begins with -----BEGIN PRIVATE KEY-----")
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, errors.New("the private key's PEM has something after its first block: leave only the private key")
	}
	var parsed any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		parsed, err = x509.ParseECPrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("the private key is encrypted: store it without a password, as in openssl pkcs8 -topk8 -nocrypt")
	default:
		return nil, errors.New("the PEM block is no private key: expected PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY")
	}
	private, ok := parsed.(crypto.Signer)
	if err != nil || !ok || block.Headers["Proc-Type"] != "" {
		return nil, errors.New("the PEM block does not hold a private key that can be read")
	}
	return private, nil
}
