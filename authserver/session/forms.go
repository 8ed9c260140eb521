// SPDX-License-Identifier: Apache-2.0

package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
)

// formLength is that of the random value in the form cookie, in bytes.
const formLength = 16

// Forms tell our own forms from forged ones, those before a login included: a form carries a token that only the holder of the
// key can have made for the browser's form cookie, the form's purpose and the session. Each POST is held against its origin too.
type Forms struct {
	cookies *Cookies
	key     []byte
	random  io.Reader
}

// Token returns what a form of that purpose carries, and the cookie to set with it; nil if the browser has one. session is the
// value of the browser's session cookie, "" for none: a form of another session is none of this one.
func (f *Forms) Token(lines []string, purpose, session string) (token string, set *http.Cookie, err error) {
	value, ok := f.read(lines)
	if !ok {
		raw := make([]byte, formLength)
		if _, err := io.ReadFull(f.random, raw); err != nil {
			return "", nil, fmt.Errorf("making a form's cookie: %w", err)
		}
		value = encoding.EncodeToString(raw)
		set = f.cookies.of(f.cookies.form, value, 0)
	}
	return encoding.EncodeToString(f.mac(value, purpose, session)), set, nil
}

// Check tells whether a form that came with these cookies carries such a token.
func (f *Forms) Check(lines []string, purpose, session, token string) bool {
	value, ok := f.read(lines)
	if !ok {
		return false
	}
	got, err := encoding.DecodeString(token)
	return err == nil && hmac.Equal(got, f.mac(value, purpose, session))
}

// read returns the form cookie. Of two, none counts.
func (f *Forms) read(lines []string) (string, bool) {
	value, sent := "", 0
	for _, p := range readAll(lines, f.cookies.form) {
		if p.name == f.cookies.form {
			value, sent = p.value, sent+1
		}
	}
	raw, err := encoding.DecodeString(value)
	return value, sent == 1 && err == nil && len(raw) == formLength
}

func (f *Forms) mac(value, purpose, session string) []byte {
	mac := hmac.New(sha256.New, f.key)
	_, _ = fmt.Fprintf(mac, "%s\x00%s\x00%s", value, purpose, session) // never fails; none of them holds a NUL
	return mac.Sum(nil)
}

// SameOrigin tells whether a request that changes something can come from a page of this origin, by what the browser says of
// it: Sec-Fetch-Site where it is sent (Fetch Metadata §2), else Origin (RFC 6454 §7). Without both, the form's token decides.
func (p Places) SameOrigin(h http.Header) bool {
	if site := h.Values("Sec-Fetch-Site"); len(site) > 0 {
		return len(site) == 1 && site[0] == "same-origin"
	}
	origin := h.Values("Origin")
	return len(origin) == 0 || len(origin) == 1 && origin[0] == p.origin
}

// Navigated tells whether a GET is one by which somebody goes to a page in a window of its own: not a frame, an image or a script.
// Browsers that do not say so get the same as those that say no.
func Navigated(h http.Header) bool {
	return h.Get("Sec-Fetch-Mode") == "navigate" && h.Get("Sec-Fetch-Dest") == "document"
}

// OwnNavigation is Navigated from a page of this very origin.
func OwnNavigation(h http.Header) bool {
	return Navigated(h) && h.Get("Sec-Fetch-Site") == "same-origin"
}
