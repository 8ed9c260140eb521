// SPDX-License-Identifier: Apache-2.0

package entratest

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// DefaultTokenService is what v1.0 issuers begin with in the global cloud.
	DefaultTokenService = "https://sts.windows.net/"
	// Consumers is the ID of the directory of personal accounts.
	Consumers = "9188040d-6c67-4c5b-b112-36a304b66dad"
	// template stands for the directory's ID where a document is for all of them.
	template = "{tenantid}"
)

// Options tune a [Cloud]. Zero values mean the defaults.
type Options struct {
	// TokenService is what v1.0 issuers begin with, [DefaultTokenService].
	TokenService string
	// Now is the clock for tokens; time.Now.
	Now func() time.Time
}

// Cloud is a fake Entra ID. Its methods may be called from several goroutines.
type Cloud struct {
	options Options

	mu          sync.Mutex
	authority   string
	directories map[string]bool
	keys        []*key // those published; the last one signs
	consumers   *key
	requests    map[string]int
}

// New returns a cloud without directories. [Cloud.SetAuthority] must follow, since the handler's address is known only when
// it listens.
func New(o Options) (*Cloud, error) {
	if o.TokenService == "" {
		o.TokenService = DefaultTokenService
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Cloud{options: o, directories: map[string]bool{}, requests: map[string]int{}}
	var err error
	if c.consumers, err = newKey(o.Now()); err != nil {
		return nil, err
	}
	return c, c.Rotate()
}

// SetAuthority sets the URL at which the cloud is reached, without a slash at the end: https://login.microsoftonline.com of
// the real one.
func (c *Cloud) SetAuthority(url string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.authority = strings.TrimRight(url, "/")
}

// Directory returns the directory with the ID, a GUID in lower case; it exists from then on.
func (c *Cloud) Directory(id string) *Directory {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.directories[id] = true
	return &Directory{cloud: c, id: id}
}

// Rotate publishes a new key and signs with it from now on; those before stay published.
func (c *Cloud) Rotate() error {
	k, err := newKey(c.options.Now())
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys = append(c.keys, k)
	return nil
}

// Withdraw takes all keys back but the one that signs.
func (c *Cloud) Withdraw() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys = c.keys[len(c.keys)-1:]
}

// Requests returns how often a path was asked for.
func (c *Cloud) Requests(path string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests[path]
}

// ServeHTTP answers for metadata and keys. A directory that does not exist is a 400, as at the real one.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests[r.URL.Path]++
	directory, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if !c.directories[directory] && !shared[directory] && directory != Consumers {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_tenant", "error_codes": []int{90002}, "error_description": "AADSTS90002: Tenant not found."})
		return
	}
	switch rest {
	case "v2.0/.well-known/openid-configuration":
		answer(w, http.StatusOK, c.metadataV2(directory))
	case ".well-known/openid-configuration":
		answer(w, http.StatusOK, c.metadataV1(directory))
	case "discovery/v2.0/keys":
		answer(w, http.StatusOK, c.keysV2())
	case "discovery/keys":
		answer(w, http.StatusOK, c.keysV1())
	default:
		http.NotFound(w, r)
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=86400, private")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}
