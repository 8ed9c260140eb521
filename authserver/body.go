// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
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
