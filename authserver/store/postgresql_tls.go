// SPDX-License-Identifier: Apache-2.0

package store

import (
	"crypto/tls"
	"crypto/x509"
	"errors"

	"github.com/jackc/pgx/v5"
)

var (
	errBundle     = errors.New("the CA bundle holds no certificate in PEM")
	errUnverified = errors.New("a CA bundle goes with sslmode=verify-full or verify-ca in the DSN: with any other the server's certificate is not verified")
)

// trust has each connection verify the server's certificate by the bundle. One that would not verify it at all is refused: whoever
// names CAs counts on it.
func trust(config *pgx.ConnConfig, bundle string) error {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(bundle)) {
		return errBundle
	}
	ways := []*tls.Config{config.TLSConfig} // one for each host, and for each way that sslmode lets it be tried
	for _, f := range config.Fallbacks {
		ways = append(ways, f.TLSConfig)
	}
	for _, way := range ways {
		// verify-ca verifies by itself, by the same roots, as no host's name counts there.
		if way == nil || way.InsecureSkipVerify && way.VerifyPeerCertificate == nil {
			return errUnverified
		}
		way.RootCAs = roots
	}
	return nil
}
