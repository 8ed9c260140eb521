// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

const (
	// maxRenewals is how many providers this server asks at once behind requests.
	maxRenewals = 16
	// renewWait bounds one of these.
	renewWait = 30 * time.Second
)

// Renewer asks a provider ("namespace/name") whether the owner of a session may go on, and brings the user up to date. An error
// that is [idp.ErrEnded] ends the session; with any other the provider is away, or nobody can tell, and the session goes on with the
// Upstream that comes beside it: u, or what the provider gave in its place before it failed.
type Renewer interface {
	Renew(ctx context.Context, provider, owner string, u idp.Upstream) (idp.Upstream, error)
}

// due tells whether it is time to ask the provider again.
func (m *Manager) due(snap *login.Snapshot, d *data) bool {
	return m.Renewer != nil && d.Renewable && m.Now().Sub(d.Renewed) >= snap.AccessTokenLifetime()
}

// renewBehind asks the provider again behind the request that shows that it is time to.
func (m *Manager) renewBehind(snap *login.Snapshot, s store.Session, d data, value string) {
	if !m.due(snap, &d) {
		return
	}
	select {
	case m.renewals <- struct{}{}:
	default:
		return // at the next look
	}
	go func() {
		defer func() { <-m.renewals }()
		ctx, cancel := context.WithTimeout(context.Background(), renewWait)
		defer cancel()
		key, err := UpstreamKey(value)
		if err == nil {
			err = m.renew(ctx, &s, d, key)
		}
		if err != nil && !errors.Is(err, login.ErrEnded) {
			m.Log.WarnContext(ctx, "a session could not be renewed", "event", logs.EventRenewalFailed, "user", s.Owner, "provider", s.Provider, "error", err)
		}
	}()
}

// Renew notes that a session is in use, as /verify does, so that who only refreshes tokens stays logged in. It then asks the
// session's provider whether its owner may go on, if it is time to: once in an accessTokenLifetime, by the one replica that takes
// the turn. key is that of [UpstreamKey], nil for a session without tokens of a provider. ErrEnded ([login.ErrEnded]) says that the
// session is over; a provider that is away is no error. It implements [login.Sessions].
func (m *Manager) Renew(ctx context.Context, snap *login.Snapshot, session store.Hash, key []byte) error {
	now := m.Now()
	s, err := m.Store.Session(ctx, session, now)
	switch {
	case err == nil && idle(snap, &s, now):
		_ = m.over(ctx, &s, reasonShortened, true) // it says that there is no session
		return &login.EndedError{Reason: reasonShortened, Final: true}
	case err == nil:
		err = m.touch(ctx, snap, &s, now)
	}
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, ErrNoSession) {
		return &login.EndedError{Reason: "the session has ended", Final: true}
	}
	if err != nil || key == nil {
		return err
	}
	d, err := decode(&s)
	if err != nil || !m.due(snap, &d) {
		return err
	}
	return m.renew(ctx, &s, d, key)
}

// renew takes the turn, asks, and stores what the provider gives.
func (m *Manager) renew(ctx context.Context, s *store.Session, d data, key []byte) error {
	upstream, err := openUpstream(key, d.Upstream)
	if err != nil {
		return err
	}
	d.Renewed = m.Now()
	claimed, mine, err := m.replace(ctx, s, s.Data, d)
	if err != nil || !mine {
		return err // another replica has the turn
	}
	next, err := m.Renewer.Renew(ctx, s.Provider, s.Owner, upstream)
	switch {
	case errors.Is(err, idp.ErrEnded):
		const reason = "the provider or a claim rule says no"
		_ = m.over(ctx, s, reason, true) // it says that there is no session
		return &login.EndedError{Reason: reason, Final: true}
	case errors.Is(err, idp.ErrNoRefresh): // no more
		d.Renewable = false
	case err != nil:
		m.Log.LogAttrs(ctx, slog.LevelWarn, "a provider could not be asked; the session goes on", slog.String("event", logs.EventRenewalFailed),
			slog.String("user", s.Owner), slog.String("provider", s.Provider), slog.String("error", err.Error()))
		if next.RefreshToken == upstream.RefreshToken {
			return nil
		}
		fallthrough // else the next time the provider would be asked with a refresh token that it has spent
	default:
		d.Renewable = next.RefreshToken != ""
		if d.Upstream, err = m.sealUpstream(key, next); err != nil {
			return err
		}
	}
	_, _, err = m.replace(context.WithoutCancel(ctx), s, claimed, d)
	m.cache.drop(func(k store.Hash, _ *entry) bool { return k == s.Key }) // the user may have changed
	return err
}

// replace swaps a session's data if it still is old.
func (m *Manager) replace(ctx context.Context, s *store.Session, old []byte, d data) (text []byte, mine bool, err error) {
	if text, err = json.Marshal(d); err != nil {
		return nil, false, errors.New("encoding a session failed")
	}
	mine, err = m.Store.ReplaceSessionData(ctx, s.Key, old, text)
	return text, mine, err
}
