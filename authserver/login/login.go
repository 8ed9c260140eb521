// SPDX-License-Identifier: Apache-2.0

package login

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/refresh"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// MaxFamilies is how many logins of one user can be refreshed; the least recently used one goes first.
const MaxFamilies = 50

var (
	// ErrDisabled says that the server has no Password provider (login) or no store (refresh): 404 not_found.
	ErrDisabled = errors.New("password login is off")
	// ErrInvalidCredentials says that user or password is wrong, not which: 401 invalid_credentials.
	ErrInvalidCredentials = errors.New("e-mail address or password is wrong")
	// ErrInvalidGrant says that a refresh token cannot be used (RFC 6749 §5.2): 400 invalid_grant.
	ErrInvalidGrant = errors.New("the refresh token is invalid, expired, used or revoked")
)

// LockedError says that there were too many failures: 429 too_many_attempts.
type LockedError struct {
	// RetryAfter is when the next attempt is looked at.
	RetryAfter time.Duration
}

// Error implements error.
func (e *LockedError) Error() string {
	return fmt.Sprintf("too many failed attempts, try again in %s", e.RetryAfter.Round(time.Second))
}

// A Service logs users in. Its fields are set once, before its use; then it is safe for concurrent use.
type Service struct {
	Store    store.Families
	Verifier *password.Verifier
	Lockout  Lockout
	Now      func() time.Time
	Random   io.Reader
	// Log gets what an administrator has to know: which families were revoked and why, by subject; never a token or an address.
	Log *slog.Logger
}

// Credentials are one attempt to log in.
type Credentials struct {
	Email, Password string
	// Client is the address that the attempt came from.
	Client netip.Addr
}

// A Grant is what a client gets.
type Grant struct {
	AccessToken      string
	ExpiresIn        time.Duration
	RefreshToken     string
	RefreshExpiresIn time.Duration
}

// Login checks credentials against the snapshot's directory. Errors are ErrDisabled, ErrInvalidCredentials, a LockedError,
// password.ErrBusy, or a fault of store, signer or randomness.
func (s *Service) Login(ctx context.Context, snap *Snapshot, c Credentials) (*Grant, error) {
	d := snap.directory
	if d == nil {
		return nil, ErrDisabled
	}
	email := Fold(c.Email)
	attempt := NewAttempt(email, c.Client)
	wait, err := s.Lockout.Check(ctx, attempt, s.Now())
	if err != nil {
		return nil, fmt.Errorf("reading the lockout: %w", err)
	}
	if wait > 0 {
		return nil, &LockedError{RetryAfter: wait}
	}
	user, hash := d.find(email)
	match, err := s.Verifier.Verify(ctx, hash, []byte(c.Password))
	if err != nil {
		return nil, fmt.Errorf("checking a password: %w", err)
	}
	ok := match && user != nil
	// Attempts that ran beside this one may have locked the account: then even the right password is not told.
	wait, err = s.Lockout.Report(ctx, attempt, s.Now(), ok)
	switch {
	case err != nil:
		return nil, fmt.Errorf("writing the lockout: %w", err)
	case wait > 0:
		return nil, &LockedError{RetryAfter: wait}
	case !ok:
		return nil, ErrInvalidCredentials
	}
	return s.begin(ctx, snap, user)
}

// begin issues the first tokens of a new family.
func (s *Service) begin(ctx context.Context, snap *Snapshot, a *account) (*Grant, error) {
	now := s.Now()
	access, err := s.access(snap, a, now)
	if err != nil {
		return nil, err
	}
	first, err := refresh.New(s.Random)
	if err != nil {
		return nil, err
	}
	data, err := a.familyData()
	if err != nil {
		return nil, err
	}
	err = s.Store.CreateFamily(ctx, store.Family{
		Key: first.Family(), Owner: a.subject, Data: data, Current: first.Hash(),
		CreatedAt: now, IssuedAt: now, ExpiresAt: now.Add(snap.refreshLifetime),
	}, MaxFamilies)
	if err != nil {
		return nil, err
	}
	return &Grant{AccessToken: access, ExpiresIn: snap.accessLifetime, RefreshToken: first.Text(), RefreshExpiresIn: snap.refreshLifetime}, nil
}

// access signs an access token for a.
func (s *Service) access(snap *Snapshot, a *account, now time.Time) (string, error) {
	id := make([]byte, 16)
	if _, err := io.ReadFull(s.Random, id); err != nil {
		return "", fmt.Errorf("making a token's ID: %w", err)
	}
	return snap.signer.Sign(&issue.AccessToken{
		Issuer: snap.issuer, Subject: a.subject, Audience: snap.audience,
		IssuedAt: now, Expiry: now.Add(snap.accessLifetime), ID: base64.RawURLEncoding.EncodeToString(id), ClientID: issue.ClientID,
		Organization: snap.directory.organization, PreferredUsername: a.user.Username, Email: a.user.Email, Name: a.user.Name, Groups: a.user.Groups,
	})
}
