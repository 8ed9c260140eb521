// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"testing"
)

func TestParseCIDRs(t *testing.T) {
	for _, tt := range []struct{ in, want, wantErr string }{
		{"10.96.0.0/12", "10.96.0.0/12", ""},
		{"fd00:10::/64", "fd00:10::/64", ""},
		{"::ffff:10.0.0.0/104", "10.0.0.0/8", ""},
		{"10.0.0.1/8", "", `[0]: "10.0.0.1/8" has bits set after its length: write 10.0.0.0/8`},
		{"10.0.0.1", "", `[0]: "10.0.0.1" is an address, not a network: write 10.0.0.1/32`},
		{"fd00::1", "", `[0]: "fd00::1" is an address, not a network: write fd00::1/128`},
		{"10.0.0.0/33", "", `[0]: "10.0.0.0/33" is not a network such as 10.96.0.0/12 or fd00:10::/64`},
		{"cluster", "", `[0]: "cluster" is not a network such as 10.96.0.0/12 or fd00:10::/64`},
		{"", "", `[0]: "" is not a network such as 10.96.0.0/12 or fd00:10::/64`},
	} {
		got, err := ParseCIDRs([]string{tt.in})
		switch {
		case tt.wantErr != "":
			if err == nil || err.Error() != tt.wantErr {
				t.Errorf("%q: got error %v, want %s", tt.in, err, tt.wantErr)
			}
		case err != nil || got[0].String() != tt.want:
			t.Errorf("%q: got %v %v, want %s", tt.in, got, err, tt.want)
		}
	}
}

func TestFormatCIDRsIsCanonical(t *testing.T) {
	list := func(s ...string) (out []netip.Prefix) {
		for _, p := range s {
			out = append(out, netip.MustParsePrefix(p))
		}
		return out
	}
	const want = "10.0.0.0/8,192.168.0.0/16,fd00::/8"
	for _, l := range [][]netip.Prefix{
		list("10.0.0.0/8", "192.168.0.0/16", "fd00::/8"),
		list("fd00::/8", "192.168.9.9/16", "::ffff:10.0.0.0/104", "10.1.1.1/8"),
	} {
		if got := FormatCIDRs(l); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	rules, err := Profile{AllowedCIDRs: want}.Rules()
	if err != nil || FormatCIDRs(rules.AllowedCIDRs) != want {
		t.Errorf("read back as %v, %v", rules.AllowedCIDRs, err)
	}
}

// certificate is a PEM certificate; the test server's.
func certificate(t *testing.T) string {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

// authority is another PEM certificate, made here.
func authority(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestParseCABundle(t *testing.T) {
	cert := certificate(t)
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("secret")}))
	junk := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("junk")}))
	for name, tt := range map[string]struct{ in, wantErr string }{
		"one":            {cert, ""},
		"with comments":  {"# Subject: acme\n" + cert + "\n# another\n" + cert, ""},
		"empty":          {"", "holds no certificate"},
		"text":           {"acme", "holds no certificate"},
		"private key":    {cert + key, `entry 2 is "PRIVATE KEY"`},
		"something else": {cert + strings.ReplaceAll(key, "PRIVATE KEY", "hunter2"), "entry 2 is of another type"},
		"junk":           {cert + junk, "parsing certificate 2"},
		"cut off":        {cert + cert[:len(cert)/2], "begins 2 PEM blocks, but only 1 of them"},
		"broken first":   {strings.Replace(cert, "\n", "\n!!!", 1) + cert, "begins 2 PEM blocks, but only 1 of them"},
		"too long":       {strings.Repeat(" ", MaxCABundle+1), "at most 1048576"},
	} {
		_, err := ParseCABundle([]byte(tt.in))
		switch {
		case tt.wantErr == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)):
			t.Errorf("%s: got %v, want %q", name, err, tt.wantErr)
		}
	}
}

// TestNormalizeCABundle guards the size of what is served: comments and repetitions are the author's, not the server's.
func TestNormalizeCABundle(t *testing.T) {
	cert, other := certificate(t), authority(t)
	block, _ := pem.Decode([]byte(cert))
	block.Headers = map[string]string{"Comment": "acme"}
	for name, tt := range map[string]struct{ in, want string }{
		"as it is":      {cert + other, cert + other},
		"another order": {other + cert, other + cert},
		"comments":      {"# acme\n" + strings.Repeat("A", 10_000) + "\n" + cert + "between" + "\n" + other + "end", cert + other},
		"line ends":     {strings.ReplaceAll(cert, "\n", "\r\n"), cert},
		"headers":       {string(pem.EncodeToMemory(block)), cert},
		"repeated":      {cert + other + cert, cert + other},
	} {
		got, err := NormalizeCABundle([]byte(tt.in))
		if err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
		again, err := NormalizeCABundle([]byte(got))
		if err != nil || again != got {
			t.Errorf("%s: again %q, %v", name, again, err)
		}
		want := x509.NewCertPool()
		want.AppendCertsFromPEM([]byte(tt.want))
		if pool, err := ParseCABundle([]byte(tt.in)); err != nil || !pool.Equal(want) {
			t.Errorf("%s: the pool lacks a certificate, or holds one too many: %v", name, err)
		}
	}
}

func TestBundle(t *testing.T) {
	a, b := NewBundle(strings.Repeat("a", 100)), NewBundle(strings.Repeat("a", 99)+"a")
	if a != b || a == NewBundle("b") || a == NewBundle("") || NewBundle("") != (Bundle{}) {
		t.Error("bundles are not equal by their text")
	}
	if a.PEM() != strings.Repeat("a", 100) || (Bundle{}).PEM() != "" {
		t.Error("the text is another one")
	}
	if text := fmt.Sprintf("%v %+v", a, Profile{CABundle: a}); strings.Contains(text, "aaa") {
		t.Errorf("printed: %s", text)
	}
}

func TestClientsAreSharedByProfile(t *testing.T) {
	clients := NewClients(Options{})
	profiles := []Profile{{}, {AllowedCIDRs: "10.0.0.0/8"}, {CABundle: NewBundle(certificate(t))}}
	for i, p := range profiles {
		first, err := clients.Get(p)
		if err != nil {
			t.Fatal(err)
		}
		for j, other := range profiles {
			second, err := clients.Get(other)
			if err != nil || (first == second) != (i == j) {
				t.Errorf("profiles %d and %d: same client %v, %v", i, j, first == second, err)
			}
		}
		runtime.KeepAlive(first)
	}
	for _, bad := range []Profile{{AllowedCIDRs: "10.0.0.0"}, {CABundle: NewBundle("x")}} {
		if _, err := clients.Get(bad); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}

// A policy that is gone must not leave its CA bundle behind.
func TestClientsForgetWhatNobodyHolds(t *testing.T) {
	clients := NewClients(Options{})
	if _, err := clients.Get(Profile{AllowedCIDRs: "10.0.0.0/8"}); err != nil {
		t.Fatal(err)
	}
	left := func() int {
		clients.mu.Lock()
		defer clients.mu.Unlock()
		return len(clients.live)
	}
	for range 1000 {
		if left() == 0 {
			return
		}
		runtime.GC()
		runtime.Gosched()
	}
	t.Errorf("%d clients left", left())
}

// What a process denies itself holds for each client of its pool, on the address that is dialled: after DNS, too.
func TestClientsDeny(t *testing.T) {
	s := serve(t, ok)
	allowed := Profile{AllowedCIDRs: "127.0.0.0/8,::/0,0.0.0.0/0"}
	for _, host := range []string{"127.0.0.1", "0.0.0.0", "localhost"} {
		client, err := NewClients(Options{DeniedCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}).Get(allowed)
		if err != nil {
			t.Fatal(err)
		}
		_, err = get(t, client, s.at(host))
		var refused *AddressError
		if !errors.As(err, &refused) || !refused.Denied {
			t.Errorf("%s: %v, want it denied", host, err)
		}
	}
	if n := s.hits.Load(); n != 0 {
		t.Errorf("the server was asked %d times", n)
	}
	client, err := NewClients(Options{}).Get(allowed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, client, s.at("127.0.0.1")); err != nil {
		t.Errorf("nothing is denied: %v", err)
	}
}
