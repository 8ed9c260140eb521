package outbound

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// MaxCABundle is the largest CA bundle read, in bytes: that of a ConfigMap or Secret.
const MaxCABundle = 1 << 20

// ParseCABundle reads PEM certificates; text between them is a comment. Unlike x509.CertPool.AppendCertsFromPEM it
// passes nothing over: a bundle of which only a part was understood is an error, told at once and not at the first
// handshake.
func ParseCABundle(bundle []byte) (*x509.CertPool, error) {
	if len(bundle) > MaxCABundle {
		return nil, fmt.Errorf("CA bundle has %d bytes, at most %d are allowed", len(bundle), MaxCABundle)
	}
	pool := x509.NewCertPool()
	count, begun := 0, bytes.Count(bundle, []byte("-----BEGIN "))
	for {
		block, rest := pem.Decode(bundle)
		if block == nil {
			break
		}
		bundle = rest
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("CA bundle entry %d is %q: only CERTIFICATE blocks belong there", count+1, block.Type)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("parsing certificate %d of the CA bundle: %w", count+1, err)
		}
		pool.AddCert(cert)
		count++
	}
	switch {
	case begun != count: // pem.Decode skips a block that it cannot read
		return nil, fmt.Errorf("CA bundle begins %d PEM blocks, but only %d of them can be read", begun, count)
	case count == 0:
		return nil, errors.New("CA bundle holds no certificate: expected PEM blocks that begin with -----BEGIN CERTIFICATE-----")
	}
	return pool, nil
}
