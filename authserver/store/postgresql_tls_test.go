// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
	"github.com/gatehouse-auth/gatehouse/test/postgres"
)

// authority is a CA of a test.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	bundle      string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA of a test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	a := authority{key: key, bundle: block("CERTIFICATE", der)}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// issue makes the certificate and key of a server on 127.0.0.1, which is not for the name localhost.
func (a authority) issue(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, private.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(block("CERTIFICATE", der)), []byte(block("PRIVATE KEY", pkcs8))
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// TestPrivateCAs guards which servers a CA bundle lets in, and that it lets in none that would not be verified.
func TestPrivateCAs(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	certificate, key := ours.issue(t)
	dsn := postgres.New(t, postgres.Options{Certificate: certificate, Key: key}).DSN(t)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	with := func(host, mode string) string {
		c := *u
		c.Host, c.RawQuery = host+":"+u.Port(), mode
		return c.String()
	}
	pairs := fmt.Sprintf("host=127.0.0.1,127.0.0.1 port=1,%s user=gatehouse password=%s dbname=%s sslmode=verify-full", u.Port(), postgres.Password, u.Path[1:])
	const untrusted, unverified, fine = "the server's certificate is not trusted", "sslmode=verify-full or verify-ca", ""
	for _, c := range []struct {
		what, dsn, bundle, want string
	}{
		{"verify-full", with("127.0.0.1", "sslmode=verify-full"), ours.bundle, fine},
		{"verify-ca", with("127.0.0.1", "sslmode=verify-ca"), ours.bundle, fine},
		{"a bundle of several", with("127.0.0.1", "sslmode=verify-full"), others.bundle + ours.bundle, fine},
		{"the second host", pairs, ours.bundle, fine},
		{"another name", with("localhost", "sslmode=verify-full"), ours.bundle, untrusted},
		{"another name, which does not count", with("localhost", "sslmode=verify-ca"), ours.bundle, fine},
		{"no bundle", with("127.0.0.1", "sslmode=verify-full"), "", untrusted},
		{"no bundle, verify-ca", with("127.0.0.1", "sslmode=verify-ca"), "", untrusted},
		{"another bundle", with("127.0.0.1", "sslmode=verify-full"), others.bundle, untrusted},
		{"another bundle, verify-ca", with("127.0.0.1", "sslmode=verify-ca"), others.bundle, untrusted},
		{"another bundle, the second host", pairs, others.bundle, untrusted},
		{"require", with("127.0.0.1", "sslmode=require"), ours.bundle, unverified},
		{"prefer", with("127.0.0.1", "sslmode=prefer"), ours.bundle, unverified},
		{"allow", with("127.0.0.1", "sslmode=allow"), ours.bundle, unverified},
		{"disable", with("127.0.0.1", "sslmode=disable"), ours.bundle, unverified},
		{"nothing said", with("127.0.0.1", ""), ours.bundle, unverified},
		{"no bundle and no demand", with("127.0.0.1", "sslmode=require"), "", fine},
		{"no PEM", with("127.0.0.1", "sslmode=verify-full"), "hunter2", "holds no certificate"},
	} {
		s, err := store.OpenPostgreSQL(t.Context(), c.dsn, store.WithCABundle(c.bundle))
		if err == nil {
			err = errors.Join(s.Ping(t.Context()), s.Close())
		}
		switch {
		case c.want == fine && err != nil, c.want != fine && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want %q", c.what, err, c.want)
		case errors.Is(err, store.ErrUnavailable) != (c.want == untrusted):
			t.Errorf("%s: whether it may work later is wrong: %v", c.what, err)
		}
	}
}
