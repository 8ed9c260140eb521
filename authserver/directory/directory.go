// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// Store is what a directory needs of a store.
type Store interface {
	store.Users
	store.Sessions
	store.Counters
}

// Directory keeps accounts. Its fields are set once, before its use; then it is safe for concurrent use.
type Directory struct {
	Store Store
	// Now is the clock, Random where IDs and salts come from.
	Now    func() time.Time
	Random io.Reader
	// Hash makes the PHC string of a new password, within the server's bounds of memory; nil computes it at once.
	Hash func(ctx context.Context, secret []byte) (string, error)
	// Log gets the audit events.
	Log *slog.Logger
}

var (
	// ErrUserDisabled says that the account is disabled: whoever logs in is refused.
	ErrUserDisabled = errors.New("the user is disabled")
	// ErrOrganizationFull says that providers have made as many users of the organization as may be; whoever is known logs in.
	ErrOrganizationFull = fmt.Errorf("the organization has %d users of providers, and no more are made: remove some, or have claimValidationRules say who may log in", store.MaxUsersOfOrganization)
	// ErrNotPersistent says that the store would lose an administrator's user with the process that runs it.
	ErrNotPersistent = errors.New("users cannot be added: the store lives only as long as the server's pod or process. Set spec.store.embedded.persistentVolumeClaim, or spec.store.type PostgreSQL, of the AuthServer (gatehouse serve: --data-dir)")
	// ErrUserNotFound says that no user goes by that ID, username or e-mail address.
	ErrUserNotFound = errors.New("there is no such user")
)

// InvalidError says that a field of a user cannot be as given. Neither message nor field hold the value.
type InvalidError struct {
	// Field is its JSON name: "email", "password", …
	Field   string
	Problem string
}

// Error implements error.
func (e *InvalidError) Error() string { return e.Field + ": " + e.Problem }

// ConflictError says that the directory as it stands does not allow a change.
type ConflictError struct{ Problem string }

// Error implements error.
func (e *ConflictError) Error() string { return e.Problem }

// conflict turns the store's word for a taken name into one for administrators.
func conflict(err error) error {
	var taken *store.TakenError
	if !errors.As(err, &taken) {
		return err
	}
	if taken.Field == "email" {
		return &ConflictError{"email: another user logs in with this address and a password"}
	}
	return &ConflictError{taken.Field + ": another user of the organization has it"}
}

// newID makes the ID of a user: a random UUID (RFC 9562 section 5.4).
func (d *Directory) newID() (string, error) {
	id, err := uuid.NewRandomFromReader(d.Random)
	if err != nil {
		return "", fmt.Errorf("making a user's ID: %w", err)
	}
	return id.String(), nil
}

// hash makes the PHC string of a new password.
func (d *Directory) hash(ctx context.Context, secret []byte) (string, error) {
	if d.Hash != nil {
		return d.Hash(ctx, secret)
	}
	return password.Hash(secret, d.Random)
}

// For returns the directory for one request: its audit events tell the client, an address or a network.
func (d *Directory) For(client string) *Directory {
	c := *d
	c.Log = d.Log.With("client", client)
	return &c
}

// tell writes an audit event about a user.
func (d *Directory) tell(ctx context.Context, event, message string, u *store.User, more ...slog.Attr) {
	d.Log.LogAttrs(ctx, slog.LevelInfo, message, append([]slog.Attr{
		slog.String("event", event), slog.String("user", u.ID), slog.String("organization", u.Organization),
	}, more...)...)
}
