// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// ParsePEM reads public keys from PEM: SPKI (`PUBLIC KEY`), PKCS#1 (`RSA PUBLIC KEY`)
// or certificates, whose names and dates are not checked. At most 512 KiB and 100
// blocks. A private key, another block type, a block that does not decode, or a
// certificate together with its issuer is an error; text around blocks is passed over.
func ParsePEM(data []byte) ([]*Key, error) {
	if len(data) > maxSetLength {
		return nil, fmt.Errorf("PEM has %d bytes, at most %d are allowed", len(data), maxSetLength)
	}
	if bytes.Contains(data, []byte("PRIVATE KEY-----")) {
		return nil, ErrPrivate
	}
	begun := bytes.Count(data, []byte("-----BEGIN"))
	if begun == 0 {
		return nil, errors.New("there is no PEM block: it starts with -----BEGIN PUBLIC KEY-----, RSA PUBLIC KEY or CERTIFICATE")
	}
	if begun > maxSetKeys {
		return nil, fmt.Errorf("PEM has %d blocks, at most %d are allowed", begun, maxSetKeys)
	}
	keys := make([]*Key, 0, begun)
	var certs []*x509.Certificate
	for i := 1; i <= begun; i++ {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return nil, fmt.Errorf("PEM block %d does not decode: look for a cut line or a missing -----END line", i)
		}
		material, err := parseBlock(block)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d: %w", i, err)
		}
		if c, ok := material.(*x509.Certificate); ok {
			certs, material = append(certs, c), c.PublicKey
		}
		key, err := New(material)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d: %w", i, err)
		}
		keys = append(keys, key)
	}
	if err := checkNoChain(certs); err != nil {
		return nil, err
	}
	return keys, nil
}

// parseBlock returns a public key or a certificate.
func parseBlock(block *pem.Block) (any, error) {
	var material any
	var err error
	switch {
	case block.Type == "PUBLIC KEY":
		material, err = x509.ParsePKIXPublicKey(block.Bytes)
	case block.Type == "RSA PUBLIC KEY":
		material, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case block.Type == "CERTIFICATE":
		material, err = x509.ParseCertificate(block.Bytes)
	default:
		return nil, errors.New("only PUBLIC KEY, RSA PUBLIC KEY and CERTIFICATE hold a public key")
	}
	if err != nil { // the library's words may quote bytes of the block
		return nil, fmt.Errorf("the content is not a valid %s", strings.ToLower(block.Type))
	}
	return material, nil
}

// checkNoChain refuses a certificate together with the one that issued it: every key
// given here verifies tokens, and a CA's key should not.
func checkNoChain(certs []*x509.Certificate) error {
	for i, leaf := range certs {
		for j, ca := range certs {
			if i != j && !leaf.Equal(ca) && bytes.Equal(leaf.RawIssuer, ca.RawSubject) && leaf.CheckSignatureFrom(ca) == nil {
				return fmt.Errorf("certificate %d was issued by certificate %d, whose key must not verify tokens: give only the first", i+1, j+1)
			}
		}
	}
	return nil
}
