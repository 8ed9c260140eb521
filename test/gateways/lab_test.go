// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/test/served"
)

// patience is how long a program may take on a busy machine.
const patience = 2 * time.Minute

// lab is what stands behind a gateway: the auth server, seen through a tap, and the application.
type lab struct {
	acme, globex *served.Signer
	auth         *tap
	app          *echo
	// certificate and key are files with which gateways speak TLS; "" for none.
	certificate, key string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{acme: served.NewSigner(t, "ES256", "k1"), globex: served.NewSigner(t, "ES256", "k1"), app: newEcho(t)}
	l.auth = newTap(t, served.Start(t, policy("acme", l.acme.JWKS(t), `  - issuer: https://away.acme.example
    jwksURI: http://127.0.0.1:1/keys
  claimMappings:
    username: {claim: sub, prefixWithTenant: true}
    email: {claim: email}
    groups: {claim: groups}
    headers: [{name: X-Acme-Plan, claim: plan}]
  claimValidationRules:
  - {expression: "claims.plan != 'expired'", message: the plan has expired}
`)+policy("globex", l.globex.JWKS(t), globexMappings+"  default: true\n")))
	return l
}

// policy is the document of a tenant's policy, whose issuer signs with a key of the set; more are the lines after that, which may begin with another issuer.
func policy(tenant, jwks, more string) string {
	return fmt.Sprintf(`---
apiVersion: auth.gatehouse.dev/v1alpha1
kind: TenantJWTPolicy
metadata: {name: %[1]s, namespace: default}
spec:
  tenantID: %[1]s
  algorithms: [ES256]
  issuers:
  - issuer: https://idp.%[1]s.example
    keys: [{jwks: '%[2]s'}]
%[3]s`, tenant, jwks, more)
}

// globexMappings are those of globex's policy wherever there is one.
const globexMappings = `  claimMappings:
    username: {claim: sub}
    headers: [{name: X-Globex-Region, claim: region}]
`

// acmeClaims are those of a token that acme's policy accepts.
var acmeClaims = served.Claims{"iss": "https://idp.acme.example", "sub": "bob", "email": "bob@acme.example", "groups": []string{"dev", "ops"}, "plan": "gold"}

// bob is who the application is told that it is; a header without a value is one not sent.
var bob = map[string]string{"X-Auth-Request-User": "acme/bob", "X-Auth-Request-Preferred-Username": "bob", "X-Auth-Request-Email": "bob@acme.example",
	"X-Auth-Request-Groups": "dev,ops", "X-Auth-Tenant": "acme", "X-Acme-Plan": "gold"}

// identityHeaders are all names by which this server's applications are told who somebody is.
var identityHeaders = []string{"X-Auth-Request-User", "X-Auth-Request-Preferred-Username", "X-Auth-Request-Email", "X-Auth-Request-Groups", "X-Auth-Tenant",
	"X-Acme-Plan", "X-Globex-Region"}

// received is a request as it arrived.
type received struct {
	Method, Target, Proto string
	Header                http.Header
	Body                  string
}

// identity is what an application makes of the identity headers. One that folds -, _ and ., as CGI does, sees the same.
func (r *received) identity() (map[string]string, error) {
	known := map[string]string{}
	for _, name := range identityHeaders {
		known[fold(name)] = name
	}
	got := map[string]string{}
	for name, values := range r.Header {
		is, ok := known[fold(name)]
		switch {
		case !ok:
			continue
		case name != is:
			return nil, fmt.Errorf("%s came through", name)
		case len(values) != 1:
			return nil, fmt.Errorf("%s is there %d times", name, len(values))
		}
		if values[0] != "" {
			got[is] = values[0]
		}
	}
	return got, nil
}

func fold(name string) string {
	return strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
}

// echo is an application that says what it was sent.
type echo struct{ address string }

func newEcho(t *testing.T) *echo {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		text, _ := json.Marshal(&received{Method: r.Method, Target: r.RequestURI, Proto: r.Proto, Header: r.Header, Body: string(body)})
		w.Header().Set("X-App", "reached")
		if r.Method == http.MethodHead {
			w.Header().Set("X-Echo", string(text))
			return
		}
		if r.URL.Path == "/fails" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = w.Write(text)
	}))
	t.Cleanup(s.Close)
	return &echo{strings.TrimPrefix(s.URL, "http://")}
}

// tap passes bytes between gateway and auth server and keeps what the gateway sent, so that it can be seen exactly.
type tap struct {
	address  string
	listener net.Listener

	mu    sync.Mutex
	bytes map[net.Conn]*bytes.Buffer
	order []net.Conn
}

func newTap(t *testing.T, target string) *tap {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{address: listener.Addr().String(), listener: listener, bytes: map[net.Conn]*bytes.Buffer{}}
	t.Cleanup(p.close)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go p.pass(c, target)
		}
	}()
	return p
}

// close ends the connections, and takes no more.
func (p *tap) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.order {
		_ = c.Close()
	}
}

func (p *tap) pass(gateway net.Conn, target string) {
	server, err := net.Dial("tcp", target)
	if err != nil {
		_ = gateway.Close()
		return
	}
	p.mu.Lock()
	p.bytes[gateway] = &bytes.Buffer{}
	p.order = append(p.order, gateway)
	p.mu.Unlock()
	go func() {
		_, _ = io.Copy(gateway, server)
		_ = gateway.Close()
	}()
	_, _ = io.Copy(io.MultiWriter(tapWriter{p, gateway}, server), gateway) // kept before it can be answered
	_ = server.Close()
}

type tapWriter struct {
	p *tap
	c net.Conn
}

func (w tapWriter) Write(b []byte) (int, error) {
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	return w.p.bytes[w.c].Write(b)
}

// take returns the requests that the auth server was sent since the last take.
func (p *tap) take(t *testing.T) []*received {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []*received
	for _, c := range p.order {
		r := bufio.NewReader(bytes.NewReader(p.bytes[c].Bytes()))
		p.bytes[c].Reset()
		for {
			request, err := http.ReadRequest(r)
			if err != nil {
				break
			}
			body, _ := io.ReadAll(request.Body)
			all = append(all, &received{Method: request.Method, Target: request.RequestURI, Proto: request.Proto, Header: request.Header, Body: string(body)})
		}
	}
	return all
}

// answer is what a client got.
type answer struct {
	*http.Response
	body string
}

// send writes a request byte for byte and reads the answer. method tells whether the answer has a body.
func send(t *testing.T, address, method, raw string) *answer {
	t.Helper()
	c, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	return &answer{response, string(body)}
}

// reached is what the application was sent; nil if it was not asked.
func (a *answer) reached(t *testing.T) *received {
	t.Helper()
	if a.Header.Get("X-App") == "" {
		return nil
	}
	text := a.body
	if a.Request.Method == http.MethodHead {
		text = a.Header.Get("X-Echo")
	}
	got := new(received)
	if err := json.Unmarshal([]byte(text), got); err != nil {
		t.Fatalf("the application's answer: %v", err)
	}
	return got
}
