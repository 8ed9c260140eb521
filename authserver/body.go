// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// readBody reads a body of exactly that media type, in UTF-8 where a charset is named. Anything else is answered: 415, 413
// for more than maxBody, 400 for a body that breaks off.
func readBody(w http.ResponseWriter, r *http.Request, mediaType string) (body []byte, ok bool) {
	types := r.Header.Values("Content-Type")
	got, parameters, err := "", map[string]string(nil), error(nil)
	if len(types) == 1 {
		got, parameters, err = mime.ParseMediaType(types[0])
	}
	charset, named := parameters["charset"]
	if err != nil || got != mediaType || named && !strings.EqualFold(charset, "utf-8") || r.Header.Get("Content-Encoding") != "" {
		writeError(w, http.StatusUnsupportedMediaType, codeInvalidRequest, "the body must have Content-Type "+mediaType+" and no Content-Encoding")
		return nil, false
	}
	body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		writeError(w, http.StatusRequestEntityTooLarge, codeInvalidRequest, "the body is longer than 64 KiB")
		return nil, false
	case err != nil:
		writeError(w, http.StatusBadRequest, codeInvalidRequest, "the body could not be read")
		return nil, false
	}
	return body, true
}

// bodyPatience is how long a connection stays open for the rest of a body that nobody reads.
const bodyPatience = 500 * time.Millisecond

// leaveBody is for handlers that read no body and are about to answer. It makes net/http send the answer at once: by default it
// reads a body to its end first, and a gateway may announce one that it never sends (nginx's auth_request does, with
// proxy_pass_request_body off and Content-Length left in). What does come is not the next request, nor is there any agreement
// on where a body ends that came with both Content-Length and Transfer-Encoding (RFC 9112 §6.3): so the connection is closed.
// A request without a body keeps its connection.
func leaveBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 { // -1 is chunked
		return
	}
	w.Header()["Connection"] = connectionClose
	c := http.NewResponseController(w)
	// Neither fails on a connection that a server reads; a recorder in a test has no such thing.
	_ = c.EnableFullDuplex()
	_ = c.SetReadDeadline(time.Now().Add(bodyPatience)) // after the answer net/http still reads, so that it is not lost to a reset
}
