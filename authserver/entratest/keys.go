// SPDX-License-Identifier: Apache-2.0

package entratest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1 thumbprint (RFC 7517 §4.8)
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"time"
)

// key is a signing key with the certificate that it is published with.
type key struct {
	id      string
	private *rsa.PrivateKey
	cert    []byte // DER
}

func newKey(now time.Time) (*key, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("generating a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, fmt.Errorf("choosing a serial number: %w", err)
	}
	name := pkix.Name{CommonName: "accounts.accesscontrol.windows.net"}
	cert := &x509.Certificate{SerialNumber: serial, Subject: name, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(5, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, private.Public(), private)
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	sum := sha1.Sum(der) //nolint:gosec // see the import
	return &key{id: base64.RawURLEncoding.EncodeToString(sum[:]), private: private, cert: der}, nil
}

// jwk is the key as it is published: for signatures, with its certificate, without alg.
func (k *key) jwk() map[string]any {
	return map[string]any{
		"kty": "RSA", "use": "sig", "kid": k.id, "x5t": k.id,
		"n":   base64.RawURLEncoding.EncodeToString(k.private.N.Bytes()),
		"e":   "AQAB",
		"x5c": []string{base64.StdEncoding.EncodeToString(k.cert)},
	}
}

// keysV1 is /<directory>/discovery/keys: the same for every directory.
func (c *Cloud) keysV1() map[string]any {
	var out []any
	for _, k := range c.keys {
		out = append(out, k.jwk())
	}
	return map[string]any{"keys": out}
}

// keysV2 is /<directory>/discovery/v2.0/keys. Each key says whose it is: anybody's, or one directory's.
func (c *Cloud) keysV2() map[string]any {
	var out []any
	publish := func(k *key, directory string) {
		jwk := k.jwk()
		jwk["issuer"] = c.authority + "/" + directory + "/v2.0"
		jwk["cloud_instance_name"] = "microsoftonline.com"
		out = append(out, jwk)
	}
	for _, k := range c.keys {
		publish(k, template)
	}
	publish(c.consumers, Consumers)
	return map[string]any{"keys": out}
}
