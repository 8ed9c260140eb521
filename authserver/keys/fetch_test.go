// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

const loopback = "127.0.0.1/32"

// secretBody is in every hostile answer and must be in no message.
const secretBody = "UPSTREAM-BODY"

// holdsBody tells whether a message repeats the answer, in any case: media types are made lower-case.
func holdsBody(message string) bool {
	return strings.Contains(strings.ToUpper(message), secretBody)
}

// fetchOnce gets a handler's document through a real engine and returns the source's status.
func fetchOnce(t *testing.T, src Source, o Options) Status {
	t.Helper()
	engine := New(o)
	defer engine.Close()
	_, err := engine.Find(t.Context(), src, ask("a"))
	s := engine.Status(src)
	if s.Reason != ReasonReady && s.Reason != ReasonNoUsableKey && !errors.Is(err, ErrUnavailable) {
		t.Errorf("after %s: got error %v, want ErrUnavailable", s.Reason, err)
	}
	if holdsBody(s.Message) || err != nil && holdsBody(err.Error()) {
		t.Errorf("the upstream's body is told: %q, %v", s.Message, err)
	}
	return s
}

func TestAnswersOfKeyServers(t *testing.T) {
	good := jwks("a")
	large := `{"keys":[],"padding":"` + strings.Repeat("x", 900<<10) + `"}`
	hundredAndOne := jwks(strings.Split(strings.Repeat("k,", 101), ",")[:101]...)
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		reason  Reason
		message string
	}{
		{"good", text("application/jwk-set+json", good), ReasonReady, "1 key"},
		{"other content type", text("text/plain; charset=utf-8", good), ReasonReady, "1 key"},
		{"bad content type", text(";;;", good), ReasonReady, "1 key"},
		{"some keys unusable", text("application/json", strings.Replace(good, "[", `[{"kty":"oct","k":"AAAA"},{"kty":"OKP","crv":"Ed25519","use":"enc","x":"AAAA"},`, 1)),
			ReasonReady, "1 key, 2 problems: keys[0]: "},
		{"no keys", text("application/json", `{"keys":[]}`), ReasonNoUsableKey, "no key that can verify a token"},
		{"only a secret", text("application/json", `{"keys":[{"kty":"oct","k":"`+strings.Repeat("A", 64)+`"}]}`), ReasonNoUsableKey, "no key that can verify a token, 1 problem: keys[0]: a symmetric key in a public document"},
		{"too many keys", text("application/json", hundredAndOne), ReasonBadContent, "101 keys, at most 100"},
		{"900 KB", text("application/json", large), ReasonTooLarge, "is larger than 512 KiB: publish only current signature keys there"},
		{"html", text("text/html; charset=utf-8", "<html>"+secretBody), ReasonBadContent, " (text/html) is not a JWK Set"},
		{"a type of its own making", text("text/"+secretBody, "<html>"), ReasonBadContent, " is not a JWK Set: reading JWKS"},
		{"cut off", text("application/json", good[:len(good)-2]), ReasonBadContent, "is not a JWK Set"},
		{"two documents", text("application/json", good+good), ReasonBadContent, "is not a JWK Set"},
		{"empty", text("application/json", ""), ReasonBadContent, "is not a JWK Set"},
		{"500", status(500), ReasonBadStatus, "answered with status 500, expected 200"},
		{"404", status(404), ReasonBadStatus, "status 404"},
		{"204", status(204), ReasonBadStatus, "status 204"},
		{"206", status(206), ReasonBadStatus, "status 206"},
		{"302 to nowhere", status(302), ReasonBadStatus, "status 302"},
		{"redirect to a private address", redirect("https://10.0.0.1/keys"), ReasonAddressNotAllowed, "private address 10.0.0.1 is not allowed: add 10.0.0.1/32"},
		{"redirect to metadata", redirect("http://169.254.169.254/latest"), ReasonAddressNotAllowed, "cloud metadata address 169.254.169.254 is never dialled"},
		{"redirect to http outside", redirect("http://93.184.216.34/keys"), ReasonAddressNotAllowed, "use https://"},
		{"redirects for ever", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, ReasonBadRedirect, "name the final URL in jwksURI"},
		{"gzip bomb", bomb(t), ReasonBadContent, "compresses its answer"},
		{"half a body", hang, ReasonUnreachable, "did not answer in time"},
		{"slow loris", drip, ReasonUnreachable, "did not answer in time"},
		{"no HTTP", raw(secretBody + "\r\n\r\n"), ReasonUnreachable, "gave no answer that is HTTP"},
		{"bad header", raw("HTTP/1.1 200 OK\r\n" + secretBody + "\r\n\r\n"), ReasonUnreachable, "gave no answer that is HTTP"},
		{"headers for ever", raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 200<<10) + "\r\n\r\n"), ReasonUnreachable, "gave no answer that is HTTP"},
		{"broken chunk", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + secretBody), ReasonUnreachable, "gave no answer that is HTTP"},
		{"hangs up", raw(""), ReasonUnreachable, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(tt.handler)
			defer server.Close()
			limit := 10 * time.Second
			if tt.name == "half a body" || tt.name == "slow loris" {
				limit = 100 * time.Millisecond
			}
			s := fetchOnce(t, Source{URL: server.URL, AllowedCIDRs: loopback}, Options{FetchTimeout: limit})
			if s.Reason != tt.reason || !strings.Contains(s.Message, tt.message) {
				t.Errorf("got %s: %s\nwant %s: …%s…", s.Reason, s.Message, tt.reason, tt.message)
			}
			if len(s.Message) > 1<<10 {
				t.Errorf("the message has %d bytes", len(s.Message))
			}
		})
	}
}

func TestSourcesThatCannotBeFetched(t *testing.T) {
	closed, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	server := httptest.NewServer(text("application/json", jwks("a")))
	defer server.Close()
	secure := httptest.NewTLSServer(text("application/json", jwks("a")))
	defer secure.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}))
	noDNS := outbound.NewClients(outbound.Options{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no name server")
	}}})

	for _, tt := range []struct {
		name    string
		src     Source
		reason  Reason
		message string
	}{
		{"with its CA", Source{URL: secure.URL, AllowedCIDRs: loopback, CABundle: outbound.NewBundle(ca)}, ReasonReady, "1 key"},
		{"without its CA", Source{URL: secure.URL, AllowedCIDRs: loopback}, ReasonTLSFailed, "set caBundleRef to its CA"},
		{"https to a plain port", Source{URL: strings.Replace(server.URL, "http:", "https:", 1), AllowedCIDRs: loopback}, ReasonTLSFailed, "does not speak TLS"},
		{"not allowed", Source{URL: server.URL}, ReasonAddressNotAllowed, "loopback address 127.0.0.1 is not allowed: add 127.0.0.1/32, or the network it belongs to, to AuthServer spec.outbound.allowedCIDRs"},
		{"refused", Source{URL: "http://" + closed.Addr().String(), AllowedCIDRs: loopback}, ReasonUnreachable, "connection refused"},
		{"no DNS", Source{URL: "https://idp.test/keys"}, ReasonUnreachable, "the name of idp.test could not be resolved"},
		{"no URL", Source{URL: "keys"}, ReasonInvalidSource, `use https://`},
		{"no host", Source{URL: "https:///keys"}, ReasonInvalidSource, "names no host"},
		{"scheme", Source{URL: "file:///etc/passwd"}, ReasonInvalidSource, "jwksURI is neither https:// nor http://"},
		{"password", Source{URL: "https://u:" + secretBody + "@idp.test/"}, ReasonInvalidSource, "user name or password"},
		{"unreadable password", Source{URL: "https://u:" + secretBody + "%@idp.test/"}, ReasonInvalidSource, "not a URL"},
		{"CA bundle", Source{URL: secure.URL, AllowedCIDRs: loopback, CABundle: outbound.NewBundle(secretBody)}, ReasonInvalidSource, "holds no certificate"},
		{"CIDRs", Source{URL: secure.URL, AllowedCIDRs: "10.0.0.0"}, ReasonInvalidSource, "write 10.0.0.0/32"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := fetchOnce(t, tt.src, Options{Clients: noDNS})
			if s.Reason != tt.reason || !strings.Contains(s.Message, tt.message) {
				t.Errorf("got %s: %s\nwant %s: …%s…", s.Reason, s.Message, tt.reason, tt.message)
			}
		})
	}
}

// The certificate of a test server names 127.0.0.1 and example.com, not 127.0.0.2.
func TestCertificateForAnotherName(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.2:0")
	if err != nil {
		t.Skipf("no second loopback address: %v", err)
	}
	server := httptest.NewUnstartedServer(text("application/json", jwks("a")))
	_ = server.Listener.Close()
	server.Listener = listener
	server.StartTLS()
	defer server.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	s := fetchOnce(t, Source{URL: server.URL, AllowedCIDRs: "127.0.0.0/8", CABundle: outbound.NewBundle(ca)}, Options{})
	if s.Reason != ReasonTLSFailed || !strings.Contains(s.Message, "is for another name") {
		t.Errorf("got %s: %s", s.Reason, s.Message)
	}
}

// What is fetched is asked for as a polite client does, and nothing of a caller goes along.
func TestRequest(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		_, _ = io.WriteString(w, jwks("a"))
	}))
	defer server.Close()
	fetchOnce(t, Source{URL: server.URL, AllowedCIDRs: loopback}, Options{})
	names := make([]string, 0, len(got))
	for name := range got {
		names = append(names, name)
	}
	if len(names) != 2 || got.Get("User-Agent") != "gatehouse" || !strings.HasPrefix(got.Get("Accept"), "application/jwk-set+json") {
		t.Errorf("headers %v", got)
	}
}

// FuzzExplain feeds documents to parser and status: no panic, and no message that is unfit for a condition.
func FuzzExplain(f *testing.F) {
	f.Add(jwks("a"), "application/json")
	f.Add("<html>", "text/html")
	f.Add(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"\u0000\n","x":"AAAA"}]}`, "x/y; z=\x00")
	f.Fuzz(func(t *testing.T, body, contentType string) {
		set, problems, err := jwk.ParsePublicSet([]byte(body))
		result := fetched{set: set, problems: problems}
		if err != nil {
			header := http.Header{"Content-Type": {contentType}}
			result = fetched{failure: explain(&contentError{mediaTypeOf(header), err}, &keySet, "idp.test")}
		}
		o := Options{}.withDefaults()
		now := time.Now()
		s := (&view{}).after(result, now, now, time.Minute, &o).status(now)
		for _, r := range s.Message {
			if r != '…' && (r < ' ' || r > '~') {
				t.Errorf("message holds %q", r)
			}
		}
		if len(s.Message) > 2<<10 {
			t.Errorf("message of %d bytes", len(s.Message))
		}
		if _, err := json.Marshal(s); err != nil {
			t.Error(err)
		}
	})
}
