// SPDX-License-Identifier: Apache-2.0

package login

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// MaxFamilies is how many logins of one user can be refreshed; the least recently used one goes first.
const MaxFamilies = 50

var (
	// ErrDisabled says that the server has no Password provider (login) or no store (refresh): 404 not_found.
	ErrDisabled = errors.New("password login is off")
	// ErrInvalidCredentials says that user or password is wrong, not which: 401 invalid_credentials.
	ErrInvalidCredentials = errors.New("e-mail address or password is wrong")
	// ErrInvalidGrant says that a refresh token or a code cannot be used (RFC 6749 §5.2): 400 invalid_grant.
	ErrInvalidGrant = errors.New("the refresh token or code is invalid, expired, used or revoked")
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

// Store is what a Service keeps, and the users that it reads.
type Store interface {
	store.Families
	store.Users
	store.Codes
	store.Counters
}

// Sessions are the browsers' sessions that refresh tokens began in.
type Sessions interface {
	// Renew notes that a session is in use and, with the key that opens the provider's tokens that it keeps (see [Issue]), asks
	// the provider, if it is time to, whether the user may go on. ErrEnded says that the session is over, by its time or by
	// the provider, and its tokens may be forgotten; a provider that is away is no error.
	Renew(ctx context.Context, snap *Snapshot, session store.Hash, key []byte) error
}

// A Service logs users in. Its fields are set once, before its use; then it is safe for concurrent use.
type Service struct {
	Store    Store
	Verifier *password.Verifier
	// Lockout is StoreLockout over Store unless another is set.
	Lockout Lockout
	// Sessions is asked at each refresh of a login with a session; nil: nobody is.
	Sessions Sessions
	Now      func() time.Time
	Random   io.Reader
	// Log gets what an administrator has to know: who logged in from where, who failed to, which families were revoked and why;
	// by subject, never with a token, and never with a name or an address as somebody typed it.
	Log *slog.Logger
	// Observe is told the result of every attempt with a password; nil: nobody is.
	Observe func(Result)

	proxyTold sync.Once
}

// Credentials are one attempt to log in.
type Credentials struct {
	Email, Password string
	// Client is the address that the attempt came from.
	Client netip.Addr
	// Forwarded tells that another address was named by a connection that is not trusted to name one ([clientaddr.Ignored]): Client
	// may be a proxy's, and be that of everybody.
	Forwarded bool
}

// Login is Authenticate, then Issue of tokens without a session.
func (s *Service) Login(ctx context.Context, snap *Snapshot, c Credentials) (*Grant, error) {
	a, err := s.Authenticate(ctx, snap, c)
	if err != nil {
		return nil, err
	}
	return s.Issue(ctx, snap, a, Issue{})
}
