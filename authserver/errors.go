// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"encoding/json"
	"net/http"
)

// Error codes of JSON answers: OAuth 2.0's (RFC 6749 §5.2, RFC 6750 §3.1) and those of DESIGN §4.
const (
	codeInvalidRequest = "invalid_request"
	codeInvalidToken   = "invalid_token"
	codeAccessDenied   = "access_denied"
	codeUnavailable    = "temporarily_unavailable"
	codeNotFound       = "not_found"
	codeServerError    = "server_error"
)

// noStore is the value of Cache-Control on every answer that depends on a credential. Header values of this package are
// shared between answers: they are never appended to.
var noStore = []string{"no-store"}

var jsonType = []string{"application/json"}

// errorBody is every error's body: RFC 6749 §5.2 in form, elsewhere too.
type errorBody struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// writeError answers with a JSON error that no cache keeps. The description is for the caller: it holds nothing that
// the caller sent.
func writeError(w http.ResponseWriter, status int, code, description string) {
	writeJSON(w, status, errorBody{Error: code, Description: description})
}

// writeJSON answers with v as JSON that no cache keeps. A value that cannot be encoded is a fault of this program and
// answered with 500.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"server_error","error_description":"the answer could not be encoded"}`)
	}
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = noStore
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that is gone is no concern of ours
}
