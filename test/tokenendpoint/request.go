// SPDX-License-Identifier: Apache-2.0

package tokenendpoint

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
)

// maxBody bounds a request, in bytes.
const maxBody = 64 << 10

// fault is why a request is refused: the answer's status and code (RFC 6749 §5.2), and the cause for the test.
type fault struct {
	status      int
	code, cause string
}

func badRequest(cause string) *fault {
	return &fault{http.StatusBadRequest, "invalid_request", "request: " + cause}
}

func badGrant(cause string) *fault {
	return &fault{http.StatusBadRequest, "invalid_grant", "assertion: " + cause}
}

func badClient(cause string) *fault {
	return &fault{http.StatusUnauthorized, "invalid_client", "client: " + cause}
}

// check judges a request, in the order of real servers: its form, the client, the grant.
func (e *Endpoint) check(r *http.Request) *fault {
	form, f := readForm(r)
	if f != nil {
		return f
	}
	if f := e.checkClient(r, form); f != nil {
		return f
	}
	if form.Get("grant_type") != e.options.GrantType {
		return &fault{http.StatusBadRequest, "unsupported_grant_type", "request: grant_type is another one"}
	}
	known := append(slices.Collect(maps.Keys(e.options.Parameters)), "grant_type", "assertion", "client_id", "client_secret", "client_assertion", "client_assertion_type")
	for name := range form {
		if !slices.Contains(known, name) {
			return badRequest("the parameter " + name + " was not asked for")
		}
	}
	for name, want := range e.options.Parameters {
		if !form.Has(name) || form.Get(name) != want {
			return badRequest("the parameter " + name + " is missing or another one")
		}
	}
	return e.checkGrant(form.Get("assertion"))
}

// readForm reads a form of which every parameter stands once (RFC 6749 §3.2).
func readForm(r *http.Request) (url.Values, *fault) {
	switch {
	case r.Method != http.MethodPost:
		return nil, badRequest("the method is " + r.Method)
	case len(r.Header.Values("Content-Type")) != 1 || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded":
		return nil, badRequest("the media type is not application/x-www-form-urlencoded")
	case len(r.Header.Values("Accept")) != 1 || r.Header.Get("Accept") != "application/json":
		return nil, badRequest("Accept is not application/json")
	case r.URL.Path != Path || r.URL.RawQuery != "":
		return nil, badRequest("the path is another one, or there is a query")
	case len(r.Cookies()) > 0:
		return nil, badRequest("a cookie was sent")
	case r.ContentLength < 0 || r.ContentLength > maxBody:
		return nil, badRequest("the body is chunked or too long")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return nil, badRequest("the body cannot be read")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, badRequest("the body is not form-encoded")
	}
	for name, list := range form {
		if len(list) > 1 {
			return nil, badRequest("the parameter " + name + " is there twice")
		}
	}
	return form, nil
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(fmt.Sprintf("writing an answer: %v", err))
	}
}
