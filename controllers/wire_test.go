// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"io"
	"net/http"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
)

// wire sees every request that the operator sends to the API server, and can refuse some.
type wire struct {
	mu     sync.Mutex
	writes []string
	refuse func(*http.Request) int
}

func (w *wire) tap(config *rest.Config) {
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return tapped(func(req *http.Request) (*http.Response, error) {
			if code := w.note(req); code != 0 {
				return refusal(req, code), nil
			}
			return next.RoundTrip(req)
		})
	})
}

type tapped func(*http.Request) (*http.Response, error)

func (f tapped) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func (w *wire) note(req *http.Request) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse != nil {
		if code := w.refuse(req); code != 0 {
			return code
		}
	}
	if req.Method != http.MethodGet && !strings.Contains(req.URL.Path, "/events") {
		w.writes = append(w.writes, req.Method+" "+req.URL.Path)
	}
	return 0
}

// refusing answers requests with the status code that f returns, unless that is 0; nil ends it.
func (w *wire) refusing(f func(*http.Request) int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuse = f
}

// forget drops what was seen.
func (w *wire) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes = nil
}

// in lists the writes to one namespace, events aside.
func (w *wire) in(namespace string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, s := range w.writes {
		if strings.Contains(s, "/namespaces/"+namespace+"/") {
			out = append(out, s)
		}
	}
	return out
}

func refusal(req *http.Request, code int) *http.Response {
	reason := map[int]string{http.StatusForbidden: "Forbidden", http.StatusInternalServerError: "InternalError"}[code]
	body := `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"refused by the test","reason":"` + reason + `"}`
	return &http.Response{
		StatusCode: code, Status: http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
	}
}
