// SPDX-License-Identifier: Apache-2.0

package optest

import (
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Paths of the endpoints, for [OP.Calls] and Behaviour.Handlers.
const (
	PathMetadata   = "/.well-known/openid-configuration"
	PathAuthorize  = "/authorize"
	PathToken      = "/token"
	PathJWKS       = "/jwks"
	PathUserInfo   = "/userinfo"
	PathEndSession = "/logout"
)

// Client is the one client that the provider knows.
type Client struct {
	ID, Secret string
	// Method is client_secret_basic, client_secret_post, private_key_jwt or none; empty stands for the first.
	Method string
	// Key verifies the assertions of private_key_jwt.
	Key crypto.PublicKey
	// RedirectURIs that are allowed; none allows all.
	RedirectURIs []string
}

// Options say what kind of provider it is.
type Options struct {
	// Plain serves http instead of https.
	Plain bool
	// Address to listen on, such as 192.0.2.1:0, for servers that are not on this machine; a port on loopback by default. The
	// certificate is for loopback alone.
	Address string
	// Client defaults to one named gatehouse with a secret of the characters that encodings get wrong.
	Client Client
	// Now defaults to time.Now.
	Now func() time.Time
}

// Behaviour is how the provider departs from what it should do. Functions change what is about to be sent; the zero value is a good provider.
type Behaviour struct {
	Metadata      func(metadata map[string]any)
	Callback      func(parameters url.Values)
	TokenAnswer   func(answer map[string]any)
	IDTokenHeader func(header map[string]any)
	IDToken       func(claims map[string]any)
	// Signature takes the place of the ID token's signature.
	Signature func(input string, good []byte) []byte
	UserInfo  func(claims map[string]any)
	// BeforeSigning runs when the token endpoint is about to make an ID token.
	BeforeSigning func(op *OP)
	// Algorithm signs ID tokens; empty stands for RS256. HS256 uses the client secret.
	Algorithm string
	// Handlers take the place of endpoints, by path.
	Handlers map[string]http.HandlerFunc
}

// OP is a running provider. Its methods may be called from several goroutines.
type OP struct {
	// User is what is told of whoever logs in, beside what the protocol adds. Change it before the login.
	User map[string]any

	options Options
	server  *httptest.Server

	mu        sync.Mutex
	behaviour Behaviour
	calls     map[string]int
	keys      []*signingKey
	codes     map[string]*grant
	access    map[string]*grant
	refresh   map[string]*grant
	used      map[string]bool // jti of client assertions
	last      url.Values      // the last authorization request
	ended     url.Values      // the last logout request
}

// grant is one login.
type grant struct {
	nonce, challenge, redirectURI string
	scope                         string
	spent                         bool
}

// Start starts a provider that ends with the test.
func Start(tb testing.TB, o Options) *OP {
	tb.Helper()
	if o.Client.ID == "" {
		o.Client.ID = "gate house:1"
	}
	if o.Client.Secret == "" && (o.Client.Method == "" || o.Client.Method == "client_secret_basic" || o.Client.Method == "client_secret_post") {
		o.Client.Secret = "s3cret+with/%41:&=colon and more text"
	}
	if o.Client.Method == "" {
		o.Client.Method = "client_secret_basic"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	op := &OP{
		options: o, calls: map[string]int{}, codes: map[string]*grant{}, access: map[string]*grant{}, refresh: map[string]*grant{}, used: map[string]bool{},
		User: map[string]any{
			"sub": "248289761001", "preferred_username": "jane", "email": "jane@corp.example", "email_verified": true,
			"name": "Jane Doe", "groups": []string{"dev", "ops"},
		},
	}
	op.Rotate()
	mux := http.NewServeMux()
	for path, h := range map[string]http.HandlerFunc{
		PathMetadata: op.metadata, PathAuthorize: op.authorize, PathToken: op.token, PathJWKS: op.jwks, PathUserInfo: op.userInfo, PathEndSession: op.endSession,
	} {
		mux.HandleFunc(path, op.counted(path, h))
	}
	op.server = httptest.NewUnstartedServer(mux)
	if o.Address != "" {
		listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", o.Address)
		if err != nil {
			tb.Fatal(err)
		}
		_ = op.server.Listener.Close() // the one on loopback, which nobody has used
		op.server.Listener = listener
	}
	if o.Plain {
		op.server.Start()
	} else {
		op.server.StartTLS()
	}
	tb.Cleanup(op.server.Close)
	return op
}

// counted counts the call and lets the behaviour's handler answer in the endpoint's place.
func (op *OP) counted(path string, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		op.mu.Lock()
		op.calls[path]++
		instead := op.behaviour.Handlers[path]
		op.mu.Unlock()
		if instead != nil {
			instead(w, r)
			return
		}
		h(w, r)
	}
}

// Issuer returns the provider's issuer.
func (op *OP) Issuer() string { return op.server.URL }

// URL returns the URL of a path.
func (op *OP) URL(path string) string { return op.server.URL + path }

// Client returns the client that it knows.
func (op *OP) Client() Client { return op.options.Client }

// CABundle returns the certificate to trust, in PEM; "" for a plain one.
func (op *OP) CABundle() string {
	if op.options.Plain {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: op.server.Certificate().Raw}))
}

// Browser returns an HTTP client that trusts the provider and follows no redirect.
func (op *OP) Browser() *http.Client {
	c := *op.server.Client()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// Stop closes the provider's connections and listener: it is away from now on.
func (op *OP) Stop() { op.server.Close() }

// Behave sets how the provider departs from what it should do.
func (op *OP) Behave(b Behaviour) {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.behaviour = b
}

// Calls returns how often an endpoint was asked.
func (op *OP) Calls(path string) int {
	op.mu.Lock()
	defer op.mu.Unlock()
	return op.calls[path]
}

// LastAuthorization returns the parameters of the last authorization request.
func (op *OP) LastAuthorization() url.Values {
	op.mu.Lock()
	defer op.mu.Unlock()
	return maps.Clone(op.last)
}

// LastLogout returns the parameters of the last request of the end-session endpoint, nil without one.
func (op *OP) LastLogout() url.Values {
	op.mu.Lock()
	defer op.mu.Unlock()
	return maps.Clone(op.ended)
}

// user returns a copy of User.
func (op *OP) user() map[string]any { return maps.Clone(op.User) }

// random returns 128 random bits.
func random() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}
