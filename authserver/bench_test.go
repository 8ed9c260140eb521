// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// sink is a ResponseWriter that keeps nothing.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(status int)      { s.status = status }

// BenchmarkVerify is the handler without the network and without remembered decisions. Compare with BenchmarkFloor of the
// same run: one raw RSA-2048 PKCS#1 v1.5 verification of the same tokens and nothing else.
func BenchmarkVerify(b *testing.B) {
	l := newLab(b, nil)
	l.loader.decisions = nil
	benchVerify(b, l)
}

// BenchmarkRemembered is the handler asked for few tokens again and again.
func BenchmarkRemembered(b *testing.B) { benchVerify(b, newLab(b, nil)) }

// BenchmarkHandedOut is the handler asked for a credential by few callers again and again. Compare with BenchmarkRemembered.
func BenchmarkHandedOut(b *testing.B) {
	l := newLab(b, renderWith(b, policies(b), plainCredential("api", devs)))
	benchRequests(b, l, "/credentials/api")
}

func benchVerify(b *testing.B, l *lab) {
	if err := l.Load(render(b, baseOf(nil), 1, policies(b)...)); err != nil {
		b.Fatal(err)
	}
	benchRequests(b, l, "/verify/acme")
}

func benchRequests(b *testing.B, l *lab, target string) {
	requests := make([]*http.Request, 64)
	for i := range requests {
		token := cast().acme.sign(b, nil, acmeClaims.with(obj{"jti": strconv.Itoa(i), "scope": strings.Repeat("read ", 50)}))
		requests[i] = &http.Request{Method: http.MethodGet, RequestURI: target, URL: &url.URL{Path: target},
			Header: http.Header{"Authorization": {"Bearer " + token}, "X-Jwt-Tenant-Id": {"acme"}}}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		w := sink{header: make(http.Header, 8)}
		l.publicHandler.ServeHTTP(&w, requests[i%len(requests)])
		if w.status != 0 {
			b.Fatal(w.status)
		}
	}
}

// BenchmarkRefusal is a token with a bad signature: it must not cost more than a good one.
func BenchmarkRefusal(b *testing.B) {
	l := newLab(b, render(b, baseOf(nil), 1, policies(b)...))
	l.refusals.limit.SetLimit(refusalsPerSecond)
	r := &http.Request{Method: http.MethodGet, RequestURI: "/verify/acme", URL: &url.URL{Path: "/verify/acme"},
		Header: http.Header{"X-Jwt-Token": {cast().mallory.sign(b, nil, acmeClaims)}}}
	b.ReportAllocs()
	for b.Loop() {
		w := sink{header: make(http.Header, 8)}
		l.publicHandler.ServeHTTP(&w, r)
		if w.status != http.StatusUnauthorized {
			b.Fatal(w.status)
		}
	}
}

func BenchmarkFloor(b *testing.B) {
	token := cast().acme.sign(b, nil, acmeClaims)
	key := &cast().acme.private.(*rsa.PrivateKey).PublicKey
	input, text := token[:strings.LastIndexByte(token, '.')], token[strings.LastIndexByte(token, '.')+1:]
	sig, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		sum := sha256.Sum256([]byte(input))
		if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig); err != nil {
			b.Fatal(err)
		}
	}
}
