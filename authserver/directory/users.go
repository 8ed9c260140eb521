// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/fold"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// NewUser is a user whom an administrator adds, to log in with e-mail address and password.
type NewUser struct {
	Email string
	// Username is the e-mail address if empty.
	Username, Name string
	// Organization is Snapshot.Organization if empty.
	Organization string
	Groups       []string
	Password     logs.Secret
}

// Change is what an administrator changes of a user; what is nil stays.
type Change struct {
	Email, Username, Name *string
	Groups                *[]string
	// Password ends the user's sessions and refresh-token families; so does Disabled when it is true.
	Password *logs.Secret
	Disabled *bool
}

// Add makes an administrator's user. Errors are an *InvalidError, a *ConflictError for names that are taken, ErrNotPersistent, that of Directory.Hash, or the store's.
func (d *Directory) Add(ctx context.Context, snap *Snapshot, n NewUser) (Entry, error) {
	switch {
	case snap.none:
		return Entry{}, store.ErrNoStore
	case snap.volatile:
		return Entry{}, ErrNotPersistent
	}
	email := strings.TrimSpace(n.Email)
	now := d.Now()
	u := store.User{
		Organization: cmp.Or(n.Organization, snap.Organization()), Username: cmp.Or(strings.TrimSpace(n.Username), email), Email: email, Name: n.Name,
		Groups: slices.Clone(n.Groups), CreatedAt: now, UpdatedAt: now,
	}
	if err := checkNew(snap, &u, n.Password); err != nil {
		return Entry{}, err
	}
	var err error
	if u.ID, err = d.newID(); err != nil {
		return Entry{}, err
	}
	if u.PasswordHash, err = d.hash(ctx, []byte(n.Password.Reveal())); err != nil {
		return Entry{}, fmt.Errorf("hashing a password: %w", err)
	}
	if err := d.Store.EditUsers(ctx, u.Organization, func(tx store.UserTx) error { return tx.PutUser(u) }); err != nil {
		return Entry{}, fmt.Errorf("adding a user: %w", conflict(err))
	}
	d.tell(ctx, logs.EventUserCreated, "user added by an administrator", &u)
	return entryOf(&u), nil
}

// checkNew demands what somebody who logs in with e-mail address and password has to have.
func checkNew(snap *Snapshot, u *store.User, secret logs.Secret) error {
	if err := checkOrganization(u.Organization); err != nil {
		return err
	}
	if err := checkAddress(u.Email); err != nil {
		return err
	}
	if err := checkUser(u); err != nil {
		return err
	}
	if err := checkPassword(secret.Reveal(), snap.MinLength()); err != nil {
		return err
	}
	return snap.checkNames(u, true, true)
}

// checkNames refuses names that users of the Secret have.
func (s *Snapshot) checkNames(u *store.User, username, email bool) error {
	const by = " of the Secret of IdentityProvider "
	if _, ok := s.byEmail[fold.Name(u.Email)]; email && ok {
		return &ConflictError{"email: a user" + by + providerName(s.password) + " logs in with this address"}
	}
	if username && s.occupied(u.Organization, fold.Name(u.Username)) {
		return &ConflictError{"username: a user" + by + providerName(s.password) + " has it"}
	}
	return nil
}

// Edit changes a user. Errors are those of Show and Add; a *ConflictError too for users of the Secret, and for a password of somebody who logs in at a provider.
func (d *Directory) Edit(ctx context.Context, snap *Snapshot, ref Ref, c Change) (Entry, error) {
	e, err := d.stored(ctx, snap, ref)
	if err != nil {
		return Entry{}, err
	}
	edit := edit{snap: snap, change: &c, id: e.ID}
	if c.Password != nil {
		if e.Source != SourceAdministrator {
			return Entry{}, &ConflictError{"password: the user logs in at " + e.Provider + " and has no password here"}
		}
		if err := checkPassword(c.Password.Reveal(), snap.MinLength()); err != nil {
			return Entry{}, err
		}
		if edit.hash, err = d.hash(ctx, []byte(c.Password.Reveal())); err != nil {
			return Entry{}, fmt.Errorf("hashing a password: %w", err)
		}
	}
	edit.now = d.Now()
	if err := d.Store.EditUsers(ctx, e.Organization, edit.run); err != nil {
		return Entry{}, fmt.Errorf("changing a user: %w", conflict(missing(err)))
	}
	d.tellEdit(ctx, &edit)
	return entryOf(&edit.user), nil
}

// Delete removes a user with sessions, refresh tokens and identities. Somebody of a provider comes back with the next login, as another user: Disabled keeps people out.
func (d *Directory) Delete(ctx context.Context, snap *Snapshot, ref Ref) (Entry, error) {
	e, err := d.stored(ctx, snap, ref)
	if err != nil {
		return Entry{}, err
	}
	if err := d.Store.EditUsers(ctx, e.Organization, func(tx store.UserTx) error { return tx.DeleteUser(e.ID) }); err != nil {
		return Entry{}, fmt.Errorf("removing a user: %w", missing(err))
	}
	d.tell(ctx, logs.EventUserDeleted, "user removed by an administrator", &store.User{ID: e.ID, Organization: e.Organization})
	return e, nil
}

// Unlock ends the lockout of a user's e-mail address, for all addresses of clients. Users of the Secret can be unlocked too. It returns how many
// counters were forgotten.
func (d *Directory) Unlock(ctx context.Context, snap *Snapshot, ref Ref) (Entry, int, error) {
	e, err := d.find(ctx, snap, ref)
	if err != nil {
		return Entry{}, 0, err
	}
	if fold.Name(e.Email) == "" {
		return e, 0, nil
	}
	n, err := d.Store.ForgetCounters(ctx, LockoutGroup(e.Email))
	if err != nil {
		return Entry{}, 0, fmt.Errorf("forgetting failed logins: %w", err)
	}
	d.tell(ctx, logs.EventUserUnlocked, "lockout ended by an administrator", &store.User{ID: e.ID, Organization: e.Organization}, slog.Int("counters", n))
	return e, n, nil
}

// LockoutGroup is the group of counters of whoever logs in with an e-mail address.
func LockoutGroup(email string) store.Hash { return sha256.Sum256([]byte(fold.Name(email))) }

// stored returns a user who is in the store.
func (d *Directory) stored(ctx context.Context, snap *Snapshot, ref Ref) (Entry, error) {
	e, err := d.find(ctx, snap, ref)
	if err == nil && e.Source == SourceSecret {
		return Entry{}, snap.inSecret()
	}
	return e, err
}

// missing is for a user who went while it was looked for.
func missing(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return ErrUserNotFound
	}
	return err
}
