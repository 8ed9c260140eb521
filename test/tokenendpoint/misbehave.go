// SPDX-License-Identifier: Apache-2.0

package tokenendpoint

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Behaviour answers in place of the endpoint.
type Behaviour func(http.ResponseWriter, *http.Request)

// Answer gives a status and a body, as JSON.
func Answer(status int, body string) Behaviour { return AnswerAs(status, "application/json", body) }

// AnswerAs gives a status and a body of a media type.
func AnswerAs(status int, mediaType, body string) Behaviour {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// Busy answers 503 with Retry-After.
func Busy(after time.Duration) Behaviour {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", strconv.Itoa(int(after.Seconds())))
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// Redirect sends the client on.
func Redirect(status int, target string) Behaviour {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target, status) }
}

// Huge answers with so many bytes of JSON, a good answer at their end.
func Huge(n int) Behaviour {
	return Answer(http.StatusOK, `{"padding":"`+strings.Repeat("x", n)+`","access_token":"t","token_type":"Bearer","expires_in":60}`)
}

// Echo sends the form back as the error code and everywhere else, as a broken server may: none of it may be told on.
func Echo() Behaviour {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, maxBody))
		told := string(body) + " " + r.Header.Get("Authorization")
		w.Header().Set("Location", "/?"+told)
		w.Header().Set("Retry-After", told)
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": told, "error_description": told, "error_uri": told})
	}
}

// Hang answers nothing until the client gives up or the channel is closed.
func Hang(until <-chan struct{}) Behaviour {
	return func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server sees the client go only once the body is read
		select {
		case <-until:
		case <-r.Context().Done():
		}
	}
}

// Cut closes the connection in the middle of the answer.
func Cut() Behaviour {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"access_token":"t",`)
		panic(http.ErrAbortHandler)
	}
}
