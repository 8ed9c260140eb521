// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MaxCABundle is the largest CA bundle read, in bytes: that of a ConfigMap or Secret.
const MaxCABundle = 1 << 20

// ParseCABundle reads PEM certificates; text between them is a comment. Unlike x509.CertPool.AppendCertsFromPEM it
// passes nothing over: a bundle of which only a part was understood is an error, told at once and not at the first
// handshake.
func ParseCABundle(bundle []byte) (*x509.CertPool, error) {
	text, err := NormalizeCABundle(bundle)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	// The pool keeps the bytes and parses a certificate again when a chain needs it, which takes a fraction of the memory of
	// parsed ones.
	pool.AppendCertsFromPEM([]byte(text))
	return pool, nil
}

// NormalizeCABundle checks a bundle as [ParseCABundle] does and returns it as its certificates alone, each once and in
// their order: neither comments nor line lengths make another bundle.
func NormalizeCABundle(bundle []byte) (string, error) {
	if len(bundle) > MaxCABundle {
		return "", fmt.Errorf("CA bundle has %d bytes, at most %d are allowed", len(bundle), MaxCABundle)
	}
	var out strings.Builder
	seen := map[string]bool{}
	count, begun := 0, bytes.Count(bundle, []byte("-----BEGIN "))
	for {
		block, rest := pem.Decode(bundle)
		if block == nil {
			break
		}
		bundle = rest
		if block.Type != "CERTIFICATE" {
			return "", fmt.Errorf("CA bundle entry %d is %s: only CERTIFICATE blocks belong there", count+1, blockType(block.Type))
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return "", fmt.Errorf("parsing certificate %d of the CA bundle: %w", count+1, err)
		}
		count++
		if seen[string(block.Bytes)] {
			continue
		}
		seen[string(block.Bytes)] = true
		if err := pem.Encode(&out, &pem.Block{Type: block.Type, Bytes: block.Bytes}); err != nil {
			return "", fmt.Errorf("writing certificate %d of the CA bundle: %w", count, err)
		}
	}
	switch {
	case begun != count: // pem.Decode skips a block that it cannot read
		return "", fmt.Errorf("CA bundle begins %d PEM blocks, but only %d of them can be read", begun, count)
	case count == 0:
		return "", errors.New("CA bundle holds no certificate: expected PEM blocks that begin with -----BEGIN CERTIFICATE-----")
	}
	return out.String(), nil
}

// blockTypes are the ones worth telling; any other text may be anything.
var blockTypes = []string{
	"PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "EC PARAMETERS", "PUBLIC KEY", "RSA PUBLIC KEY",
	"TRUSTED CERTIFICATE", "X509 CRL", "CERTIFICATE REQUEST", "PKCS7", "CMS",
}

func blockType(name string) string {
	if slices.Contains(blockTypes, name) {
		return fmt.Sprintf("%q", name)
	}
	return "of another type"
}
