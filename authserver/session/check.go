// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

const (
	// CheckInterval is how long a session is taken for what it was when it was last looked at.
	CheckInterval = 10 * time.Second
	// touchInterval is how often it is noted that a session is in use.
	touchInterval = time.Minute
	// retryInterval is how long a session that could not be looked at goes on before the store is asked again.
	retryInterval = 2 * time.Second
	// removalPatience is how long a provider must be missing before its sessions end for good. One that is made anew is gone for a
	// moment, and a replica may not know yet one at which somebody has just logged in.
	removalPatience = 5 * time.Minute
	// checkWait bounds a look into the store; staleWait where the session can go on without.
	checkWait, staleWait = 5 * time.Second, time.Second
)

// reasonShortened is why a session is over that its own time has not ended.
const reasonShortened = "refreshTokenLifetime was shortened"

// idle tells whether a session has been out of use for as long as the configuration of today allows.
func idle(snap *login.Snapshot, s *store.Session, now time.Time) bool {
	return !now.Before(s.SeenAt.Add(snap.RefreshTokenLifetime()))
}

// removed tells whether a session's provider is gone, disabled or another one for good: the configuration says so, and no replica has let the
// session be used for a while. Without a store a configuration says nothing of providers.
func removed(snap *login.Snapshot, s *store.Session, ref login.Ref, now time.Time) bool {
	return snap.Store() && !snap.Stands(s.Provider, ref) && now.Sub(s.SeenAt) >= removalPatience
}

// entry is what was found of a session. It is immutable.
type entry struct {
	snap    *login.Snapshot
	session store.Session // without Data
	account *login.Account
	// token stands for the session until expires.
	token   string
	expires time.Time
	// checked is when the store was asked, next when it is asked again.
	checked, next time.Time
}

// fresh tells whether the session need not be looked at.
func (e *entry) fresh(snap *login.Snapshot, now time.Time) bool {
	return e != nil && e.snap == snap && now.Before(e.next) && now.Before(e.expires) && !now.Before(e.checked)
}

// find returns what is known of a session, from the store if that is too long ago. One look at a session is under way at a time.
func (m *Manager) find(ctx context.Context, snap *login.Snapshot, value string) (*entry, error) {
	key := Key(value)
	known := m.cache.get(key)
	if known.fresh(snap, m.Now()) {
		return known, nil
	}
	wait := checkWait
	if known != nil {
		wait = staleWait
	}
	found := m.flights.DoChan(flightKey(key, snap), func() (any, error) {
		// Whoever began the look may be gone before the others.
		look, cancel := context.WithTimeout(context.WithoutCancel(ctx), wait)
		defer cancel()
		return m.check(look, snap, key, value)
	})
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case r := <-found:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*entry), nil
	}
}

func flightKey(key store.Hash, snap *login.Snapshot) string { return fmt.Sprintf("%s%p", key[:], snap) }

// check looks at a session: whether it is there, whether its user may go on, and what token stands for it.
func (m *Manager) check(ctx context.Context, snap *login.Snapshot, key store.Hash, value string) (*entry, error) {
	turn, now := m.cache.turn(), m.Now()
	s, err := m.Store.Session(ctx, key, now)
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrNoStore):
		m.cache.remove(key)
		return nil, ErrNoSession
	case err != nil:
		return m.goOn(snap, key, now, turn, err)
	case idle(snap, &s, now):
		return nil, m.over(ctx, &s, reasonShortened, true)
	}
	d, err := decode(&s)
	if err != nil {
		return nil, err
	}
	account, err := m.Accounts.Current(ctx, snap, s.Provider, s.Owner, d.Ref)
	if ended, ok := errors.AsType[*login.EndedError](err); ok {
		return nil, m.over(ctx, &s, ended.Reason, ended.Final || removed(snap, &s, d.Ref, now))
	}
	if err != nil {
		return m.goOn(snap, key, now, turn, err)
	}
	if err := m.touch(ctx, snap, &s, now); err != nil {
		return nil, err
	}
	e, err := m.enter(snap, s, account, now)
	if err != nil {
		return nil, err
	}
	m.cache.put(key, e, turn)
	m.renewBehind(snap, s, d, value)
	return e, nil
}

// enter makes what is remembered. The token of before stands on while it says the same and has half of its life before it: so
// the store can be away for that long, and decisions about it can be remembered.
func (m *Manager) enter(snap *login.Snapshot, s store.Session, a *login.Account, now time.Time) (*entry, error) {
	e := &entry{snap: snap, session: s, account: a, checked: now, next: now.Add(CheckInterval)}
	e.session.Data = nil
	if known := m.cache.get(s.Key); known != nil && known.snap == snap && 2*known.expires.Sub(now) > snap.AccessTokenLifetime() && reflect.DeepEqual(known.account, a) {
		e.token, e.expires = known.token, known.expires
		return e, nil
	}
	var err error
	e.token, e.expires, err = m.Accounts.AccessToken(snap, a, now)
	return e, err
}

// goOn is for a store that is away: a session that was looked at before goes on until the token that stands for it ends, if its
// provider is still there and still the same.
func (m *Manager) goOn(snap *login.Snapshot, key store.Hash, now time.Time, turn uint64, cause error) (*entry, error) {
	known := m.cache.get(key)
	if known == nil || !now.Before(known.expires) || !snap.Stands(known.session.Provider, known.account.Ref) {
		return nil, fmt.Errorf("looking at a session: %w", cause)
	}
	e := *known
	e.snap, e.next = snap, now.Add(retryInterval)
	m.cache.put(key, &e, turn)
	return &e, nil
}

// over refuses a session, and ends it where it cannot come back.
func (m *Manager) over(ctx context.Context, s *store.Session, reason string, final bool) error {
	defer m.cache.drop(func(k store.Hash, _ *entry) bool { return k == s.Key }) // when the store has none: see drop
	if !final {
		return ErrNoSession
	}
	if err := m.Store.EndSession(ctx, s.Key); err != nil {
		m.Log.WarnContext(ctx, "a session that is over could not be removed", "user", s.Owner, "error", err)
		return ErrNoSession
	}
	m.Log.LogAttrs(ctx, slog.LevelInfo, "session ended", slog.String("event", logs.EventSessionRevoked),
		slog.String("user", s.Owner), slog.String("provider", s.Provider), slog.String("reason", reason))
	return ErrNoSession
}

// touch notes that the session is in use, so that it lasts, but not at each use. A store that cannot write does not end it.
func (m *Manager) touch(ctx context.Context, snap *login.Snapshot, s *store.Session, now time.Time) error {
	if now.Sub(s.SeenAt) < touchInterval {
		return nil
	}
	expires := now.Add(snap.RefreshTokenLifetime())
	err := m.Store.TouchSession(ctx, s.Key, now, expires)
	if errors.Is(err, store.ErrNotFound) {
		m.cache.remove(s.Key)
		return ErrNoSession
	}
	if err == nil {
		s.SeenAt, s.ExpiresAt = now, expires
	}
	return nil
}
