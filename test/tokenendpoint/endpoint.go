// SPDX-License-Identifier: Apache-2.0

package tokenendpoint

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// Grant is the grant type of RFC 7523 §2.1.
const Grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// Path of the endpoint.
const Path = "/oauth2/token"

// Options say what a request must be. What is empty must be absent, unless its comment says otherwise.
type Options struct {
	// Algorithm and Key verify assertions: a public key, or the bytes of a secret.
	Algorithm string
	Key       any
	KeyID     string
	// Type is typ; JWT by default.
	Type string
	// Header holds the further members of the header, all of them required and none beside them; Claims those of the claims. Values are as encoding/json takes
	// them; json.Number and json.RawMessage keep digits.
	Header, Claims map[string]any

	Issuer, Subject string
	// Audience is URL() by default.
	Audience string
	// Lifetime is exp - iat to the second; by default at most an hour.
	Lifetime time.Duration

	// GrantType is [Grant] by default.
	GrantType string
	// Parameters are further ones of the form.
	Parameters map[string]string
	// Client authenticates beside the assertion; nil for nobody.
	Client *Client

	// ExpiresIn of the tokens; 1h by default.
	ExpiresIn time.Duration
	// TLS serves https, with the certificate of net/http/httptest.
	TLS bool
	// URL is where the endpoint is reached from outside; Start sets it.
	URL string
	// Now defaults to time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Type == "" {
		o.Type = "JWT"
	}
	if o.GrantType == "" {
		o.GrantType = Grant
	}
	if o.ExpiresIn == 0 {
		o.ExpiresIn = time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Endpoint is the fake. Its methods may be called while it serves.
type Endpoint struct {
	options Options
	front   *httptest.Server // nil for one that New made

	mu       sync.Mutex
	instead  Behaviour
	requests int
	tokens   []string
	refusals []string
	used     map[string]bool // jti, of grants and of clients
}

// New returns an endpoint that has yet to be reached at Options.URL.
func New(o Options) *Endpoint {
	return &Endpoint{options: o.withDefaults(), used: map[string]bool{}}
}

// Start runs an endpoint on a loopback address until the test ends.
func Start(tb testing.TB, o Options) *Endpoint {
	tb.Helper()
	e := New(o)
	e.front = httptest.NewUnstartedServer(e)
	if o.TLS {
		e.front.StartTLS()
	} else {
		e.front.Start()
	}
	tb.Cleanup(e.front.Close)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.options.URL == "" {
		e.options.URL = e.front.URL + Path
	}
	if e.options.Audience == "" {
		e.options.Audience = e.options.URL
	}
	return e
}

// URL is the token endpoint's.
func (e *Endpoint) URL() string { return e.options.URL }

// Server is what [Start] runs, for its certificate and client.
func (e *Endpoint) Server() *httptest.Server { return e.front }

// Requests counts them all, good or bad.
func (e *Endpoint) Requests() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.requests
}

// Tokens are those given out, in their order.
func (e *Endpoint) Tokens() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.tokens)
}

// Refusals are the causes of what was refused, in their order.
func (e *Endpoint) Refusals() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.refusals)
}

// Misbehave puts b in the endpoint's place; nil ends it.
func (e *Endpoint) Misbehave(b Behaviour) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.instead = b
}

// Down ends the endpoint before the test does: who asks is refused the connection.
func (e *Endpoint) Down() { e.front.Close() }

// ServeHTTP implements [http.Handler].
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	e.requests++
	instead := e.instead
	e.mu.Unlock()
	if instead != nil {
		instead(w, r)
		return
	}
	if f := e.check(r); f != nil {
		e.mu.Lock()
		e.refusals = append(e.refusals, f.cause)
		e.mu.Unlock()
		if f.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Basic")
		}
		writeJSON(w, f.status, map[string]any{"error": f.code, "error_description": "this request was refused"})
		return
	}
	token := rand.Text()
	e.mu.Lock()
	e.tokens = append(e.tokens, token)
	e.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(e.options.ExpiresIn.Seconds())})
}

// spend remembers a jti, and says whether it was new.
func (e *Endpoint) spend(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.used[id] {
		return false
	}
	e.used[id] = true
	return true
}
