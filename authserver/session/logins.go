// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"cmp"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// LoginTime is how long a login at a provider may take.
const LoginTime = 10 * time.Minute

const (
	// maxLogins is how many logins of one browser may be under way, each in a tab of its own; the oldest goes first.
	maxLogins = 8
	// maxLoginBytes bounds their cookies together: gateways refuse headers that are longer than a few KiB.
	maxLoginBytes = 6 << 10
	// maxLogin bounds the cookie of one: browsers drop a cookie whose name and value have more than 4096 bytes (RFC 6265bis §5.6), and the login would never come back.
	maxLogin    = 3584
	stateLength = 24
	// markLength is how much of the state names the cookie.
	markLength = 8
	timeLength = 8
)

// ErrNoLogin says that no login of this browser at this provider is under way with that state: it was never begun here, has
// taken too long, or what the browser holds of it was changed.
var ErrNoLogin = errors.New("no login is under way with this state")

// ErrLoginTooLong says that no cookie holds what a login has to remember. Its text is for whoever wrote the link.
var ErrLoginTooLong = errors.New("return_to, redirect_uri and state are too long for a login at a provider: no cookie holds them")

// A Login is one login at a provider, from the redirect there to the callback. The browser holds it, sealed.
type Login struct {
	// State, Nonce and Verifier (PKCE, RFC 7636) are of this login alone.
	State    string `json:"-"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	// ReturnTo is where it leads, as sent: it is judged again when it counts.
	ReturnTo string `json:"returnTo,omitempty"`
	// Handoff is set where an application waits for a code.
	Handoff *Handoff `json:"handoff,omitempty"`
	// Expires is its end.
	Expires time.Time `json:"-"`
}

// Handoff is what an application asked for that sent a browser here for a code.
type Handoff struct {
	RedirectURI string `json:"redirectURI"`
	State       string `json:"state,omitempty"`
	Challenge   string `json:"challenge"`
}

// Challenge is the S256 code challenge of the login's verifier (RFC 7636 §4.2).
func (l *Login) Challenge() string {
	sum := sha256.Sum256([]byte(l.Verifier))
	return encoding.EncodeToString(sum[:])
}

// ID names the login among those that were used.
func (l *Login) ID() [sha256.Size]byte { return sha256.Sum256([]byte(l.State)) }

// Logins seal what a login needs to remember into a cookie of its own, bound to the cookie's name (so to its state) and to the
// provider: all replicas have the key, and none has to remember anything.
type Logins struct {
	cookies *Cookies
	aead    cipher.AEAD
	random  io.Reader
	now     func() time.Time
}

// NewLogins makes logins and forms whose keys come from a secret that all replicas share (HKDF, RFC 5869).
func NewLogins(cookies *Cookies, secret []byte, random io.Reader, now func() time.Time) (*Logins, *Forms, error) {
	aead, err := newAEAD(secret, infoLogins)
	if err != nil {
		return nil, nil, err
	}
	key, err := hkdf.Key(sha256.New, secret, nil, infoForms, 32)
	if err != nil {
		return nil, nil, fmt.Errorf("deriving the key of forms: %w", err)
	}
	return &Logins{cookies: cookies, aead: aead, random: random, now: now}, &Forms{cookies: cookies, key: key, random: random}, nil
}

// Begin begins a login at a provider, for what l says of ReturnTo and Handoff, and fills in the rest. set are the cookies to set:
// its own, and the removal of those that are one too many. ErrLoginTooLong if l has more than a cookie holds.
func (s *Logins) Begin(lines []string, provider string, l *Login) (set []*http.Cookie, err error) {
	for _, part := range []struct {
		into   *string
		length int
	}{{&l.State, stateLength}, {&l.Nonce, stateLength}, {&l.Verifier, 32}} {
		raw := make([]byte, part.length)
		if _, err := io.ReadFull(s.random, raw); err != nil {
			return nil, fmt.Errorf("beginning a login: %w", err)
		}
		*part.into = encoding.EncodeToString(raw)
	}
	l.Expires = s.now().Add(LoginTime)
	value, err := s.seal(provider, l)
	if err != nil {
		return nil, err
	}
	set = s.tidy(lines, len(value))
	return append(set, s.cookies.of(s.name(l.State), value, LoginTime)), nil
}

// name is that of the cookie of a login with that state.
func (s *Logins) name(state string) string { return s.cookies.login + state[:markLength] }

// seal makes the cookie's value: the end in plain, so that the oldest can be told, and the rest sealed and bound to it.
func (s *Logins) seal(provider string, l *Login) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // it is in no page, and would make six bytes of each &
	if err := encoder.Encode(sealedLogin{State: l.State, Login: l}); err != nil {
		return "", fmt.Errorf("encoding a login: %w", err)
	}
	end := binary.BigEndian.AppendUint64(nil, uint64(l.Expires.Unix()))
	sealed, err := seal(s.aead, s.random, text.Bytes(), place(s.name(l.State), provider, end))
	if err != nil {
		return "", err
	}
	value := encoding.EncodeToString(append(end, sealed...))
	if len(value) > maxLogin {
		return "", ErrLoginTooLong
	}
	return value, nil
}

type sealedLogin struct {
	State string `json:"state"`
	*Login
}

// place is what a sealed login is bound to.
func place(cookie, provider string, end []byte) string {
	return cookie + "\x00" + provider + "\x00" + string(end)
}

// Take returns the login of this browser at this provider that a callback's state names, or ErrNoLogin, and the cookie that
// removes it. A login can be taken again until its end where the browser keeps the cookie: that it is used once is for the caller
// to see to, by its ID.
func (s *Logins) Take(lines []string, provider, state string) (l *Login, done *http.Cookie, err error) {
	if raw, err := encoding.DecodeString(state); err != nil || len(raw) != stateLength {
		return nil, nil, ErrNoLogin
	}
	name := s.name(state)
	var value string
	for _, p := range readAll(lines, name) {
		if p.name != name {
			continue
		}
		if value != "" {
			return nil, nil, ErrNoLogin // two, of which one is not ours
		}
		value = p.value
	}
	raw, err := encoding.DecodeString(value)
	if err != nil || len(raw) < timeLength {
		return nil, nil, ErrNoLogin
	}
	text, err := open(s.aead, raw[timeLength:], place(name, provider, raw[:timeLength]))
	if err != nil {
		return nil, nil, ErrNoLogin
	}
	found := sealedLogin{Login: &Login{}}
	if err := json.Unmarshal(text, &found); err != nil {
		return nil, nil, fmt.Errorf("reading a login: %w", err)
	}
	found.Login.State, found.Expires = found.State, end(raw)
	if subtle.ConstantTimeCompare([]byte(found.State), []byte(state)) != 1 || !s.now().Before(found.Expires) {
		return nil, nil, ErrNoLogin
	}
	return found.Login, s.cookies.none(name), nil
}

func end(raw []byte) time.Time { return time.Unix(int64(binary.BigEndian.Uint64(raw)), 0) }

// tidy removes cookies of logins so that one more, of that length, has room: those that are over or were changed, then the oldest.
func (s *Logins) tidy(lines []string, length int) (remove []*http.Cookie) {
	type login struct {
		pair
		end time.Time
	}
	var kept []login
	total := length
	for _, p := range readAll(lines, s.cookies.login) {
		raw, err := encoding.DecodeString(p.value)
		if err != nil || len(raw) < timeLength || !s.now().Before(end(raw)) {
			remove = s.remove(remove, p.name)
			continue
		}
		kept = append(kept, login{p, end(raw)})
		total += len(p.value)
	}
	slices.SortStableFunc(kept, func(a, b login) int { return cmp.Compare(a.end.Unix(), b.end.Unix()) })
	for len(kept) >= maxLogins || len(kept) > 0 && total > maxLoginBytes {
		remove = s.remove(remove, kept[0].name)
		total -= len(kept[0].value)
		kept = kept[1:]
	}
	return remove
}

// remove adds the removal of a cookie. Only names that this server can have given are named in an answer; there is room for so
// many, and no more.
func (s *Logins) remove(list []*http.Cookie, name string) []*http.Cookie {
	if len(list) >= 4*maxLogins || len(name) != len(s.cookies.login)+markLength {
		return list
	}
	if _, err := encoding.DecodeString(name[len(s.cookies.login):]); err != nil {
		return list
	}
	return append(list, s.cookies.none(name))
}

// String hides what a login holds.
func (l *Login) String() string { return "login until " + strconv.FormatInt(l.Expires.Unix(), 10) }

// GoString hides it too.
func (l *Login) GoString() string { return l.String() }
