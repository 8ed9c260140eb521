// SPDX-License-Identifier: Apache-2.0

package login

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// A candidate is who an attempt may turn out to be.
type candidate struct {
	// account is whom the right password logs in; nil for nobody, whose work is done all the same.
	account *Account
	// hash is what the password is checked against: the candidate's own, or that of nobody.
	hash string
	// user is set for users of the store, disabled ones included.
	user *store.User
}

// Authenticate checks an e-mail address and a password: of a user of the Secret or, where that has none with the address, of
// the store. Every attempt that is not locked out costs one look into the store and one hash. Errors are ErrDisabled,
// ErrInvalidCredentials, a LockedError, password.ErrBusy, or a fault of the store.
func (s *Service) Authenticate(ctx context.Context, snap *Snapshot, c Credentials) (*Account, error) {
	if snap.directory == nil {
		return nil, ErrDisabled
	}
	name := Fold(c.Email)
	a := &audit{service: s, snap: snap, name: name, attempt: NewAttempt(name, c.Client), forwarded: c.Forwarded}
	account, err := s.authenticate(ctx, a, []byte(c.Password))
	a.tell(ctx, account, err)
	return account, err
}

func (s *Service) authenticate(ctx context.Context, a *audit, pass []byte) (*Account, error) {
	wait, err := s.lockout().Check(ctx, a.snap.lockout, a.attempt, s.Now())
	if err != nil {
		return nil, fmt.Errorf("reading the lockout: %w", err)
	}
	if wait > 0 {
		return nil, &LockedError{RetryAfter: wait}
	}
	who, err := s.find(ctx, a.snap.directory, a.name)
	if err != nil {
		return nil, err
	}
	a.who = who
	match, err := s.Verifier.Verify(ctx, who.hash, pass)
	if err != nil {
		return nil, fmt.Errorf("checking a password: %w", err)
	}
	ok := match && who.account != nil
	// Attempts that ran beside this one may have locked the account: then even the right password is not told.
	a.verdict, err = s.lockout().Report(ctx, a.snap.lockout, a.attempt, s.Now(), ok)
	switch {
	case err != nil:
		return nil, fmt.Errorf("writing the lockout: %w", err)
	case a.verdict.Wait > 0:
		return nil, &LockedError{RetryAfter: a.verdict.Wait}
	case !ok:
		return nil, ErrInvalidCredentials
	case who.user != nil:
		return s.record(ctx, a.snap.directory, who.user, pass)
	}
	return who.account, nil
}

// find returns the candidate for a folded name. It does the same for every name: it chooses a hash of nobody and looks into the
// store, also where the Secret has the user.
func (s *Service) find(ctx context.Context, d *directory, name string) (candidate, error) {
	nobody := candidate{hash: d.decoys.hash(name)}
	asked := name
	if len(name) > maxEmail {
		asked = "" // nobody's either
	}
	u, err := s.Store.PasswordUser(ctx, asked)
	absent := errors.Is(err, store.ErrNotFound)
	if err != nil && !absent {
		return candidate{}, fmt.Errorf("reading a user: %w", err)
	}
	if a := d.accounts[name]; a != nil {
		return candidate{account: a.account(), hash: a.hash}, nil
	}
	if absent || asked == "" || d.holds(name) {
		return nobody, nil
	}
	if password.Check(u.PasswordHash) != nil {
		s.Log.WarnContext(ctx, "a user of the store has a password hash that cannot be used; set a new password", "user", u.ID)
		return nobody, nil //nolint:nilerr // whoever asks is told no more than of an unknown user
	}
	if u.Disabled {
		return candidate{hash: u.PasswordHash, user: &u}, nil
	}
	return candidate{account: d.accountOf(u), hash: u.PasswordHash, user: &u}, nil
}

// record notes a login of a user of the store, and replaces a hash whose cost is not that of new ones any more. A rehash that
// cannot be made now is made another time. It is no other password: what began with the old hash goes on.
func (s *Service) record(ctx context.Context, d *directory, u *store.User, pass []byte) (*Account, error) {
	hash := ""
	if cost, err := password.Cost(u.PasswordHash); err == nil && cost != password.DefaultCost {
		if hash, err = s.Verifier.Hash(ctx, pass, s.Random); err != nil {
			s.Log.InfoContext(ctx, "a password keeps its old hash until the next login", "user", u.ID, "error", err)
			hash = ""
		}
	}
	if err := s.Store.RecordLogin(ctx, u.ID, s.Now(), u.PasswordHash, hash); err != nil {
		return nil, refusalOfUser(err)
	}
	if hash == "" {
		return d.accountOf(*u), nil
	}
	// Somebody else may have replaced the hash first: another login of this user, or an administrator with another password.
	now, err := s.Store.User(ctx, u.ID)
	if err != nil {
		return nil, refusalOfUser(err)
	}
	if now.PasswordHash != hash {
		match, err := s.Verifier.Verify(ctx, now.PasswordHash, pass)
		if err != nil {
			return nil, fmt.Errorf("checking a password: %w", err)
		}
		if !match || now.PasswordHash == "" {
			return nil, ErrInvalidCredentials
		}
	}
	if now.Disabled {
		return nil, ErrInvalidCredentials
	}
	return d.accountOf(now), nil
}

// refusalOfUser is for a user who was there a moment ago.
func refusalOfUser(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return ErrInvalidCredentials
	}
	return fmt.Errorf("recording a login: %w", err)
}
