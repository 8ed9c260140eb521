// SPDX-License-Identifier: Apache-2.0

package clientkey

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// maxLength bounds a key in bytes: the largest RSA key takes 3.3 KiB as PEM.
const maxLength = 32 << 10

var (
	errPublic = errors.New("the key is public: give the private key whose public half is registered at the provider")
	errShape  = errors.New("there is no key: it is PEM that starts with -----BEGIN PRIVATE KEY-----, RSA PRIVATE KEY or EC PRIVATE KEY, or one JWK in JSON")
)

// Parse reads one private key: PEM in PKCS#8, PKCS#1 or SEC 1, not encrypted, or a JWK, at most 32 KiB. More than one key, a public key and a key of
// another kind are errors, which hold nothing of the value.
func Parse(data []byte) (*Key, error) {
	switch trimmed := bytes.TrimSpace(data); {
	case len(data) > maxLength:
		return nil, fmt.Errorf("it has %d bytes, at most %d are allowed", len(data), maxLength)
	case bytes.HasPrefix(trimmed, []byte("{")):
		return parseJWK(trimmed)
	case bytes.Contains(data, []byte("-----BEGIN ")):
		return parsePEM(data)
	}
	return nil, errShape
}

// parsePEM reads the one private key among the blocks. openssl writes EC PARAMETERS beside a key, and others the certificate of it.
func parsePEM(data []byte) (*Key, error) {
	var found *Key
	for n := bytes.Count(data, []byte("-----BEGIN ")); n > 0; n-- {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return nil, errors.New("the PEM does not decode: look for a cut line or a missing -----END line")
		}
		if block.Type == "EC PARAMETERS" || block.Type == "CERTIFICATE" {
			continue
		}
		private, err := parseBlock(block)
		if err != nil {
			return nil, err
		}
		if found != nil {
			return nil, errors.New("there is more than one key: keep the one that is registered at the provider")
		}
		if found, err = newKey(private, "", ""); err != nil {
			return nil, err
		}
	}
	if found == nil {
		return nil, errPublic
	}
	return found, nil
}

func parseBlock(block *pem.Block) (private any, err error) {
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["Proc-Type"] != "":
		return nil, errors.New("the key is encrypted: decrypt it with `openssl pkey -in private.pem`")
	case block.Type == "PRIVATE KEY":
		private, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case block.Type == "RSA PRIVATE KEY":
		private, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case block.Type == "EC PRIVATE KEY":
		private, err = x509.ParseECPrivateKey(block.Bytes)
	case strings.HasSuffix(block.Type, "PUBLIC KEY"):
		return nil, errPublic
	default:
		return nil, errShape
	}
	if err != nil { // the library's words may quote bytes of the block
		return nil, fmt.Errorf("the content is not a valid %s", strings.ToLower(block.Type))
	}
	return private, nil
}

// parseJWK reads one JWK with exact member names, none of them twice.
func parseJWK(text []byte) (*Key, error) {
	members, err := jwk.ReadMembers(text)
	if err != nil {
		return nil, fmt.Errorf("reading the JWK: %w", err)
	}
	if _, set := members["keys"]; set {
		return nil, errors.New("it is a set of keys: give the one private JWK itself")
	}
	fields := map[string]string{}
	for _, name := range []string{"kty", "kid", "alg", "use", "crv"} {
		if fields[name], err = members.Text(name); err != nil {
			return nil, fmt.Errorf("reading the JWK: %w", err)
		}
	}
	if err := members.CheckUse("sig", "sign"); err != nil {
		return nil, fmt.Errorf("reading the JWK: %w", err)
	}
	if _, private := members["d"]; !private && fields["kty"] != "oct" {
		return nil, errPublic
	}
	if fields["kty"] == "oct" {
		return nil, errors.New("a symmetric key (kty oct) is a client secret: use ClientSecretBasic or ClientSecretPost")
	}
	var parsed jose.JSONWebKey
	if parsed.UnmarshalJSON(text) != nil { // whose words may hold a number of the key
		return nil, errors.New("reading the JWK: the members do not make a valid private key")
	}
	return newKey(parsed.Key, fields["kid"], fields["alg"])
}
