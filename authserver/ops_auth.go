// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync/atomic"
)

// opsAuth knows the operations token, as a hash. Without one it lets nobody in.
type opsAuth struct {
	sum atomic.Pointer[[sha256.Size]byte]
}

// set takes a token, white space around it aside. An empty or overlong one changes nothing: a file may be on its way.
func (a *opsAuth) set(token string) {
	token = strings.TrimSpace(token)
	if token == "" || len(token) > maxOpsToken {
		return
	}
	sum := sha256.Sum256([]byte(token))
	a.sum.Store(&sum)
}

// admits tells whether the request carries the token, in a time that does not depend on how much of it is right.
func (a *opsAuth) admits(r *http.Request) bool {
	want := a.sum.Load()
	given := r.Header["Authorization"]
	if want == nil || len(given) != 1 {
		return false
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	sum := sha256.Sum256([]byte(strings.TrimLeft(token, " ")))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(sum[:], want[:]) == 1
}

// guarded wraps a handler of the operations listener that needs the token.
func (s *Server) guarded(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.opsAuth.admits(r) {
			leaveBody(w, r)
			w.Header()["Www-Authenticate"] = []string{`Bearer realm="gatehouse-ops"`}
			writeError(w, http.StatusUnauthorized, codeInvalidToken, "this needs the operations token as a Bearer token: that of Secret gatehouse-<server>-ops, or of --ops-token-file")
			return
		}
		h(w, r)
	}
}
