// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestAllowedAddressIsReached(t *testing.T) {
	server := serve(t, ok)
	body, err := get(t, NewClient(Rules{AllowedCIDRs: loopback}, Options{}), server.at("127.0.0.1"))
	if body != "ok" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestRefusedAddressIsNotConnectedTo(t *testing.T) {
	server := serve(t, ok)
	z := &zone{answers: map[string][][]string{"idp.test.": {{"127.0.0.2"}}}}
	client := NewClient(Rules{AllowedCIDRs: loopback}, Options{Resolver: z.resolver()})
	for _, host := range []string{"127.0.0.2", "::ffff:127.0.0.2", "idp.test."} {
		_, err := get(t, client, server.at(host))
		wantRefused(t, err, "127.0.0.2")
		if !strings.Contains(fmt.Sprint(err), "add 127.0.0.2/32, or the network it belongs to, to AuthServer spec.outbound.allowedCIDRs") {
			t.Errorf("%s: message %q does not tell the fix", host, err)
		}
	}
	if n := server.hits.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

// A name that was harmless when somebody looked is judged again by each connect.
func TestRebinding(t *testing.T) {
	server := serve(t, ok)
	z := &zone{answers: map[string][][]string{"rebind.test.": {{"127.0.0.1"}, {"127.0.0.2"}}}}
	client := NewClient(Rules{AllowedCIDRs: loopback}, Options{Resolver: z.resolver()})
	if body, err := get(t, client, server.at("rebind.test.")); body != "ok" {
		t.Fatalf("the first answer was not reached: %v", err)
	}
	client.CloseIdleConnections()
	_, err := get(t, client, server.at("rebind.test."))
	wantRefused(t, err, "127.0.0.2")
	if n := server.hits.Load(); n != 1 {
		t.Errorf("%d requests arrived, want 1", n)
	}
}

// Every address of a name is judged; a refused one is passed over for an allowed one, never tried.
func TestSeveralAddresses(t *testing.T) {
	server := serve(t, ok)
	z := &zone{answers: map[string][][]string{
		"mixed.test.":   {{"127.0.0.2", "::1", "127.0.0.1", "fd00:ec2::254"}},
		"refused.test.": {{"127.0.0.3", "::1"}},
	}}
	client := NewClient(Rules{AllowedCIDRs: loopback}, Options{Resolver: z.resolver()})
	if body, err := get(t, client, server.at("mixed.test.")); body != "ok" {
		t.Errorf("the allowed address was not reached: %v", err)
	}
	_, err := get(t, client, server.at("refused.test."))
	if !errors.Is(err, ErrAddressNotAllowed) || !strings.Contains(err.Error(), "of refused.test.") {
		t.Errorf("got %v, want a refusal that names the host", err)
	}
	if n := server.strangers.Load(); n != 0 {
		t.Errorf("%d connections to addresses outside the list", n)
	}
}

// What a refused address loses to a network error must still be told: it is what can be put right.
func TestRefusalIsToldBeforeOtherErrors(t *testing.T) {
	closed, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(closed.Addr().String())
	_ = closed.Close()
	z := &zone{answers: map[string][][]string{"two.test.": {{"127.0.0.1", "10.9.8.7"}}}}
	client := NewClient(Rules{AllowedCIDRs: loopback}, Options{Resolver: z.resolver()})
	_, err = get(t, client, "http://two.test.:"+port)
	wantRefused(t, err, "10.9.8.7")
}

func TestMetadataThroughEveryURL(t *testing.T) {
	z := &zone{answers: map[string][][]string{
		"metadata.test.": {{"169.254.169.254"}}, "metadata6.test.": {{"64:ff9b::a9fe:a9fe", "fd00:ec2::254", "2002:a9fe:a9fe::1"}},
		"0xa9fea9fe.": {{"169.254.169.254"}},
	}}
	client := NewClient(Rules{AllowedCIDRs: everything}, Options{Resolver: z.resolver()})
	for _, host := range []string{
		"169.254.169.254", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[0:0:0:0:0:ffff:a9fe:a9fe]",
		"[64:ff9b::169.254.169.254]", "[2002:a9fe:a9fe::1]", "[fd00:ec2::254]", "[fd00:0ec2:0::0254]", "[fe80::a9fe:a9fe%25lo]",
		"100.100.100.200", "169.254.170.2", "metadata.test.", "metadata6.test.", "0xa9fea9fe.",
	} {
		for _, scheme := range []string{"http", "https"} {
			if _, err := get(t, client, scheme+"://"+host+"/latest/meta-data/"); !errors.Is(err, ErrAddressNotAllowed) {
				t.Errorf("%s://%s: got %v, want a refused address", scheme, host, err)
			} else if !strings.Contains(err.Error(), "is never dialled") {
				t.Errorf("%s://%s: message %q promises a fix", scheme, host, err)
			}
		}
	}
}

// Numbers that C libraries take for addresses are names here, and no names either.
func TestNumericNamesAreNotAddresses(t *testing.T) {
	z := &zone{}
	client := NewClient(Rules{AllowedCIDRs: everything}, Options{Resolver: z.resolver()})
	for _, host := range []string{"169.254.169.254.", "2852039166", "0251.0376.0251.0376", "169.254.43518", "0xa9.0xfe.0xa9.0xfe", "127.1"} {
		var dns *net.DNSError
		if _, err := get(t, client, "http://"+host+"/"); !errors.As(err, &dns) {
			t.Errorf("%s: got %v, want no such host", host, err)
		}
	}
}

func TestPlainHTTPOnlyInsideTheList(t *testing.T) {
	_, err := get(t, NewClient(Rules{AllowedCIDRs: loopback}, Options{}), "http://93.184.216.34/keys")
	var refused *AddressError
	if !errors.As(err, &refused) || !refused.PlainHTTP || !strings.Contains(err.Error(), "use https://") {
		t.Errorf("got %v, want plain http refused", err)
	}
}

func TestURLsThatNoRequestMayHave(t *testing.T) {
	server := serve(t, ok)
	client := NewClient(Rules{AllowedCIDRs: loopback}, Options{})
	for _, prefix := range []string{"http://user:secret@", "http://user@", "ftp://", "file://"} {
		u := strings.Replace(server.at("127.0.0.1"), "http://", prefix, 1)
		if _, err := get(t, client, u); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", u, err)
		}
	}
	if n := server.hits.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

// The environment is read once per process, so a test that sets it would prove little: the client must not look.
func TestNoProxy(t *testing.T) {
	both := NewClient(Rules{AllowedCIDRs: everything}, Options{}).Transport.(*transport)
	if both.plain.Proxy != nil || both.secure.Proxy != nil {
		t.Error("the client asks for a proxy, which would dial unchecked")
	}
}

func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(ok))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())

	if body, err := get(t, NewClient(Rules{AllowedCIDRs: loopback, RootCAs: roots}, Options{}), server.URL); body != "ok" {
		t.Errorf("with its CA: %v", err)
	}
	var unknown x509.UnknownAuthorityError
	if _, err := get(t, NewClient(Rules{AllowedCIDRs: loopback}, Options{}), server.URL); !errors.As(err, &unknown) {
		t.Errorf("without its CA: got %v, want an unknown authority", err)
	}

	old := httptest.NewUnstartedServer(http.HandlerFunc(ok))
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	old.StartTLS()
	defer old.Close()
	oldRoots := x509.NewCertPool()
	oldRoots.AddCert(old.Certificate())
	if _, err := get(t, NewClient(Rules{AllowedCIDRs: loopback, RootCAs: oldRoots}, Options{}), old.URL); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
}

func TestTimeouts(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	hang := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	drip := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	for name, tt := range map[string]struct {
		server  *counted
		options Options
	}{
		"headers": {hang, Options{ResponseHeaderTimeout: 20 * time.Millisecond, Timeout: time.Hour}},
		"body":    {drip, Options{Timeout: 50 * time.Millisecond}},
	} {
		_, err := get(t, NewClient(Rules{AllowedCIDRs: loopback}, tt.options), tt.server.at("127.0.0.1"))
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%s: got %v, want a timeout", name, err)
		}
	}
}

func TestRefusedRequestClosesItsBody(t *testing.T) {
	closed := make(chan struct{})
	body := closer{strings.NewReader("x"), func() { close(closed) }}
	req := &http.Request{Method: http.MethodPost, URL: &url.URL{Scheme: "ftp", Host: "127.0.0.1"}, Body: body}
	if _, err := NewClient(Rules{}, Options{}).Transport.RoundTrip(req); err == nil {
		t.Fatal("ftp was allowed")
	}
	<-closed
}

type closer struct {
	io.Reader
	close func()
}

func (c closer) Close() error { c.close(); return nil }
