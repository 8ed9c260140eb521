// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// maxBody bounds every request's body, in bytes.
const maxBody = 64 << 10

// routes is a table of exact raw paths and their methods. GET answers HEAD too.
type routes map[string]map[string]http.HandlerFunc

// add puts a handler into the table.
func (t routes) add(method, path string, h http.HandlerFunc) {
	if t[path] == nil {
		t[path] = make(map[string]http.HandlerFunc)
	}
	t[path][method] = h
	if method == http.MethodGet {
		t[path][http.MethodHead] = h
	}
}

// methods are those of a path, as a header lists them.
func (t routes) methods(path string) string {
	return strings.Join(slices.Sorted(maps.Keys(t[path])), ", ")
}

// serve answers a request by the table: 404 for another path, 405 for another method, 413 for a body that says it is too
// long. A body that says nothing is cut at maxBody, and reading on is an error (*http.MaxBytesError).
func (t routes) serve(w http.ResponseWriter, r *http.Request, path string) {
	methods, ok := t[path]
	if !ok {
		writeError(w, http.StatusNotFound, codeNotFound, "there is nothing at this path")
		return
	}
	h, ok := methods[r.Method]
	if !ok {
		allowed := t.methods(path)
		w.Header().Set("Allow", allowed)
		writeError(w, http.StatusMethodNotAllowed, codeInvalidRequest, "use "+allowed)
		return
	}
	if r.ContentLength > maxBody {
		w.Header().Set("Connection", "close")
		writeError(w, http.StatusRequestEntityTooLarge, codeInvalidRequest, "the body is longer than 64 KiB")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	h(w, r)
}
