// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// endpoint is a token endpoint that notes who came when. It does not check signatures: what is asked of it is when, not whether.
type endpoint struct {
	url      string
	server   *http.Server
	lifetime time.Duration

	mu   sync.Mutex
	came map[string][]time.Time // by sub
}

func startEndpoint(lifetime time.Duration) (*endpoint, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the token endpoint: %w", err)
	}
	e := &endpoint{url: "http://" + listener.Addr().String() + "/token", lifetime: lifetime, came: map[string][]time.Time{}}
	e.server = &http.Server{Handler: e, ReadHeaderTimeout: time.Minute}
	go func() { _ = e.server.Serve(listener) }()
	return e, nil
}

func (e *endpoint) stop() { _ = e.server.Close() }

// ServeHTTP gives a token of 800 characters.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	subject, err := subjectOf(r.PostFormValue("assertion"))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	e.mu.Lock()
	e.came[subject] = append(e.came[subject], time.Now())
	e.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":%d}`, strings.Repeat("t", 800), int(e.lifetime.Seconds()))
}

func subjectOf(assertion string) (string, error) {
	_, rest, _ := strings.Cut(assertion, ".")
	part, _, _ := strings.Cut(rest, ".")
	payload, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return "", err
	}
	var claims struct{ Sub string }
	return claims.Sub, json.Unmarshal(payload, &claims)
}

// renewals are, of each provider that was asked for twice, the parts of a token's life between the two. all tells that each provider was.
func (e *endpoint) renewals(providers int) (parts []float64, all bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, times := range e.came {
		if len(times) > 1 {
			parts = append(parts, float64(times[1].Sub(times[0]))/float64(e.lifetime))
		}
	}
	return parts, len(parts) == providers
}
