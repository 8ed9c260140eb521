// SPDX-License-Identifier: Apache-2.0

package jwe

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Bounds of a PEM document.
const (
	maxPEMLength = 512 << 10 // bytes
	maxPEMKeys   = 100
)

// ParsePEM reads private keys from PEM: PKCS#8 (`PRIVATE KEY`), PKCS#1 (`RSA PRIVATE KEY`) or
// SEC 1 (`EC PRIVATE KEY`), not encrypted. At most 512 KiB and 100 blocks. Another block type
// and a block that does not decode are errors; `EC PARAMETERS`, which openssl writes beside a
// key, and text around blocks are passed over.
func ParsePEM(data []byte) ([]*Key, error) {
	if len(data) > maxPEMLength {
		return nil, fmt.Errorf("PEM has %d bytes, at most %d are allowed", len(data), maxPEMLength)
	}
	begun := bytes.Count(data, []byte("-----BEGIN"))
	if begun > maxPEMKeys {
		return nil, fmt.Errorf("PEM has %d blocks, at most %d are allowed", begun, maxPEMKeys)
	}
	var keys []*Key
	for i := 1; i <= begun; i++ {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return nil, fmt.Errorf("PEM block %d does not decode: look for a cut line or a missing -----END line", i)
		}
		if block.Type == "EC PARAMETERS" {
			continue
		}
		private, err := parseBlock(block)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d: %w", i, err)
		}
		key, err := New(private)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d: %w", i, err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no key: it starts with -----BEGIN PRIVATE KEY-----, RSA PRIVATE KEY or EC PRIVATE KEY")
	}
	return keys, nil
}

// parseBlock returns a private key.
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
	case strings.HasSuffix(block.Type, "PUBLIC KEY") || block.Type == "CERTIFICATE":
		return nil, errPublic
	default:
		return nil, errors.New("only PRIVATE KEY, RSA PRIVATE KEY and EC PRIVATE KEY hold a private key")
	}
	if err != nil { // the library's words may quote bytes of the block
		return nil, fmt.Errorf("the content is not a valid %s", strings.ToLower(block.Type))
	}
	return private, nil
}
