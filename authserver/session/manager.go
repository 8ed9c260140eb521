// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/singleflight"

	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

const (
	// MaxSessions is how many browsers one user can be logged in with; the one least recently seen goes first.
	MaxSessions = 50
	// maxClient bounds Session.Client, in bytes.
	maxClient = 256
)

// ErrNoSession says that a cookie stands for no session: it has ended, expired or never was.
var ErrNoSession = errors.New("no session has this cookie")

// Accounts tell who may go on, and sign access tokens: [login.Service] is the one in use.
type Accounts interface {
	Current(ctx context.Context, snap *login.Snapshot, provider, subject string, ref login.Ref) (*login.Account, error)
	AccessToken(snap *login.Snapshot, a *login.Account, now time.Time) (token string, expires time.Time, err error)
}

// Options are what a manager works with. All but Renewer are required.
type Options struct {
	Store    store.Sessions
	Accounts Accounts
	// Renewer asks providers again; nil asks none.
	Renewer Renewer
	Now     func() time.Time
	Random  io.Reader
	// Log gets which sessions ended and why, by subject; never a cookie, a token or an address.
	Log *slog.Logger
}

// Manager keeps browsers' sessions. Its methods may be called from several goroutines.
type Manager struct {
	Options
	cache    *cache
	flights  singleflight.Group
	renewals chan struct{} // has room for those under way
}

var _ login.Sessions = (*Manager)(nil)

// New makes a manager.
func New(o Options) *Manager {
	return &Manager{Options: o, cache: newCache(maxCached, maxCachedBytes), renewals: make(chan struct{}, maxRenewals)}
}

// data is what a session remembers of its login, as JSON in store.Session.Data.
type data struct {
	Ref login.Ref `json:"ref"`
	// Upstream is the idp.Upstream of the login, sealed under a key that the cookie's value yields; empty for none.
	Upstream []byte `json:"upstream,omitempty"`
	// Renewable tells that it holds a refresh token, and Renewed when the provider was last asked.
	Renewable bool      `json:"renewable,omitempty"`
	Renewed   time.Time `json:"renewed,omitzero"`
}

// Begin says what a session remembers beside the account.
type Begin struct {
	// Upstream is what the provider gave; it is stored sealed.
	Upstream idp.Upstream
	// UpstreamSession and UpstreamSubject are the provider's hashes for back-channel logout; zero for none.
	UpstreamSession, UpstreamSubject store.Hash
	// Client says for people which browser it is.
	Client string
}

// Begin begins a session, whose cookie's value is made here and now: nobody can have known it before the login.
func (m *Manager) Begin(ctx context.Context, snap *login.Snapshot, a *login.Account, b Begin) (value string, s store.Session, err error) {
	raw := make([]byte, valueLength)
	if _, err := io.ReadFull(m.Random, raw); err != nil {
		return "", store.Session{}, fmt.Errorf("beginning a session: %w", err)
	}
	value = encoding.EncodeToString(raw)
	now := m.Now()
	d := data{Ref: a.Ref}
	if !b.Upstream.Zero() {
		key, err := UpstreamKey(value)
		if err != nil {
			return "", store.Session{}, err
		}
		if d.Upstream, err = m.sealUpstream(key, b.Upstream); err != nil {
			return "", store.Session{}, err
		}
		d.Renewable, d.Renewed = b.Upstream.RefreshToken != "", now
	}
	text, err := json.Marshal(d)
	if err != nil {
		return "", store.Session{}, fmt.Errorf("encoding a session: %w", err)
	}
	s = store.Session{
		Key: Key(value), Owner: a.Subject, Provider: a.Provider, UpstreamSession: b.UpstreamSession, UpstreamSubject: b.UpstreamSubject,
		Data: text, Client: cut(b.Client, maxClient), CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(snap.RefreshTokenLifetime()),
	}
	if err := m.Store.CreateSession(ctx, s, MaxSessions); err != nil {
		return "", store.Session{}, err
	}
	return value, s, nil
}

// Key is what names the session of a cookie's value in the store.
func Key(value string) store.Hash { return sha256.Sum256([]byte(value)) }

// ID names a session towards its owner. It is of no use to others, nor for logging in.
func ID(key store.Hash) string {
	sum := sha256.Sum256(append([]byte("gatehouse session ID v1\x00"), key[:]...))
	return hex.EncodeToString(sum[:16])
}

// Token returns an own access token that stands for the session of a cookie's value. ErrNoSession if there is none; any other
// error is a fault, and nobody can tell.
func (m *Manager) Token(ctx context.Context, snap *login.Snapshot, value string) (string, error) {
	e, err := m.find(ctx, snap, value)
	if err != nil {
		return "", err
	}
	return e.token, nil
}

// Account returns whose session it is. Errors are those of Token.
func (m *Manager) Account(ctx context.Context, snap *login.Snapshot, value string) (*login.Account, *store.Session, error) {
	e, err := m.find(ctx, snap, value)
	if err != nil {
		return nil, nil, err
	}
	return e.account, &e.session, nil
}

// List returns an owner's sessions, the last seen first.
func (m *Manager) List(ctx context.Context, owner string) ([]store.Session, error) {
	return m.Store.OwnerSessions(ctx, owner, m.Now())
}

// End ends a session, and the refresh-token families that began with it; one that does not exist is no error.
func (m *Manager) End(ctx context.Context, key store.Hash) error {
	if err := m.Store.EndSession(ctx, key); err != nil {
		return err
	}
	m.cache.drop(func(k store.Hash, _ *entry) bool { return k == key })
	return nil
}

// EndByID ends the owner's session with that ID, or all but that one where others is set, and returns their number.
func (m *Manager) EndByID(ctx context.Context, owner, id string, others bool) (int, error) {
	list, err := m.List(ctx, owner)
	if err != nil {
		return 0, err
	}
	ended := 0
	for i := range list {
		if (ID(list[i].Key) == id) == others {
			continue
		}
		if err := m.End(ctx, list[i].Key); err != nil {
			return ended, err
		}
		ended++
	}
	return ended, nil
}

// EndUpstream ends the sessions that a provider names, and returns their number: by the session's hash or, where that is zero,
// by the subject's. With both these are the one session, and the subject's that the provider gave no session hash for.
func (m *Manager) EndUpstream(ctx context.Context, provider string, session, subject store.Hash) (int, error) {
	n, err := m.Store.EndUpstream(ctx, provider, session, subject)
	if err != nil {
		return 0, err
	}
	none := store.Hash{}
	m.cache.drop(func(_ store.Hash, e *entry) bool {
		if e.session.Provider != provider {
			return false
		}
		if session != none && e.session.UpstreamSession != none {
			return e.session.UpstreamSession == session
		}
		return subject != none && e.session.UpstreamSubject == subject
	})
	return n, nil
}

// Forget drops what is remembered of an owner's sessions, so that the store is asked when they are used next.
func (m *Manager) Forget(owner string) {
	m.cache.drop(func(_ store.Hash, e *entry) bool { return e.session.Owner == owner })
}

// Upstream returns what the provider gave for the session of a cookie's value, for a logout there; the zero Upstream for a
// session without, or one that is over.
func (m *Manager) Upstream(ctx context.Context, value string) (idp.Upstream, error) {
	s, err := m.Store.Session(ctx, Key(value), m.Now())
	if errors.Is(err, store.ErrNotFound) {
		return idp.Upstream{}, nil
	}
	if err != nil {
		return idp.Upstream{}, err
	}
	d, err := decode(&s)
	if err != nil || d.Upstream == nil {
		return idp.Upstream{}, err
	}
	key, err := UpstreamKey(value)
	if err != nil {
		return idp.Upstream{}, err
	}
	return openUpstream(key, d.Upstream)
}

// UpstreamKey is what opens the upstream tokens of the session of a cookie's value.
func UpstreamKey(value string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, []byte(value), nil, infoUpstream, 32)
	if err != nil {
		return nil, fmt.Errorf("deriving the key of a session: %w", err)
	}
	return key, nil
}

func (m *Manager) sealUpstream(key []byte, u idp.Upstream) ([]byte, error) {
	text, err := json.Marshal(u) //nolint:gosec // it is sealed below, and goes nowhere else
	if err != nil {
		return nil, errors.New("encoding upstream tokens failed")
	}
	aead, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	return seal(aead, m.Random, text, "")
}

func openUpstream(key []byte, sealed []byte) (u idp.Upstream, err error) {
	aead, err := newGCM(key)
	if err != nil {
		return u, err
	}
	text, err := open(aead, sealed, "")
	if err != nil {
		return u, err
	}
	if err := json.Unmarshal(text, &u); err != nil {
		return idp.Upstream{}, errors.New("reading upstream tokens: they are not JSON")
	}
	return u, nil
}

func decode(s *store.Session) (d data, err error) {
	if err := json.Unmarshal(s.Data, &d); err != nil {
		return d, errors.New("reading a session: its data is not JSON")
	}
	return d, nil
}

// cut shortens a text to at most n bytes, at the end of a character: a database refuses a part of one.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
