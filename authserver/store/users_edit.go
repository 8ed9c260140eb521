// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gatehouse-auth/gatehouse/authserver/fold"
)

// EditUsers implements Users.
func (d *database) EditUsers(ctx context.Context, organization string, f func(tx UserTx) error) error {
	if err := checkName("the organization", organization, MaxOrganization); err != nil {
		return err
	}
	return d.update(ctx, func(t *tx) error {
		if err := t.names(t, "organization "+organization); err != nil {
			return fmt.Errorf("editing users: %w", err)
		}
		return f(userTx{t, organization, d.limits.UsersOfOrganization})
	})
}

// userTx sees one organization.
type userTx struct {
	t            *tx
	organization string
	most         int // users of providers
}

var _ UserTx = userTx{}

// User implements UserTx.
func (u userTx) User(id string) (User, error) { return u.find(`id = ?`, id) }

// UserByUsername implements UserTx.
func (u userTx) UserByUsername(username string) (User, error) {
	return u.find(`username_folded = ?`, fold.Name(username))
}

// find locks the row too: RecordLogin changes users without being an editor.
func (u userTx) find(where, value string) (User, error) {
	if !storable(value) {
		return User{}, ErrNotFound
	}
	found, err := u.t.user(where+` AND organization = ?`+u.t.row(), value, u.organization)
	if err != nil {
		return User{}, fmt.Errorf("reading a user: %w", err)
	}
	return found, nil
}

// PasswordUser implements UserTx.
func (u userTx) PasswordUser(email string) (User, error) {
	folded := fold.Name(email)
	if folded == "" {
		return User{}, ErrNotFound
	}
	return u.find(`email_folded = ? AND password_hash <> '' AND email_folded <> ''`, folded)
}

// UsersByEmail implements UserTx.
func (u userTx) UsersByEmail(email string) ([]User, error) {
	folded := fold.Name(email)
	if folded == "" || !storable(folded) {
		return nil, nil
	}
	found, err := u.t.users(`email_folded = ? AND organization = ? ORDER BY id LIMIT 16`+u.t.row(), folded, u.organization)
	if err != nil {
		return nil, fmt.Errorf("reading users by e-mail address: %w", err)
	}
	return found, nil
}

// sum is the key of an identity's row. Lengths keep its parts apart.
func (u userTx) sum(key IdentityKey) []byte {
	h := sha256.New()
	for _, part := range []string{u.organization, key.Issuer, key.Subject} {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part)))) // a hash does not fail
		_, _ = h.Write([]byte(part))
	}
	return h.Sum(nil)
}

// Identity implements UserTx.
func (u userTx) Identity(key IdentityKey) (Identity, error) {
	found, err := u.t.identities(`key = ?`, u.sum(key))
	if err != nil {
		return Identity{}, fmt.Errorf("reading an identity: %w", err)
	}
	if len(found) == 0 {
		return Identity{}, fmt.Errorf("reading an identity: %w", ErrNotFound)
	}
	return found[0], nil
}

// Identities implements UserTx.
func (u userTx) Identities(user string) ([]Identity, error) {
	if _, err := u.User(user); errors.Is(err, ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	found, err := u.t.identities(`user_id = ? ORDER BY created_at, key`, user)
	if err != nil {
		return nil, fmt.Errorf("reading identities: %w", err)
	}
	return found, nil
}

// PutUser implements UserTx.
func (u userTx) PutUser(user User) error {
	if err := user.check(); err != nil {
		return err
	}
	if user.Organization != u.organization {
		return errors.New("storing: the organization of a user is not the one that is edited")
	}
	username, email := fold.Name(user.Username), fold.Name(user.Email)
	if err := u.free("username", `username_folded = ? AND organization = ?`, user.ID, username, u.organization); err != nil {
		return err
	}
	if user.PasswordHash != "" && email != "" {
		if err := u.free("email", `email_folded = ? AND password_hash <> '' AND email_folded <> ''`, user.ID, email); err != nil {
			return err
		}
	}
	if err := u.count(&user); err != nil {
		return err
	}
	return u.write(&user, username, email)
}

// write inserts or replaces. Whatever the caller meant by it, another hash is another password: RecordLogin is how one is rehashed.
func (u userTx) write(user *User, username, email string) error {
	groups := []byte("[]")
	if user.Groups != nil {
		var err error
		if groups, err = json.Marshal(user.Groups); err != nil {
			return fmt.Errorf("storing a user's groups: %w", err)
		}
	}
	n, err := u.t.exec(`INSERT INTO users (`+userColumns+`, username_folded, email_folded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET username = excluded.username, email = excluded.email, email_verified = excluded.email_verified,
		email_provider = excluded.email_provider, name = excluded.name, phone = excluded.phone, comment = excluded.comment, groups = excluded.groups,
		provider = excluded.provider, password_hash = excluded.password_hash,
		password_version = users.password_version + CASE WHEN users.password_hash = excluded.password_hash THEN 0 ELSE 1 END, disabled = excluded.disabled, created_at = excluded.created_at,
		updated_at = excluded.updated_at, last_login_at = excluded.last_login_at, username_folded = excluded.username_folded,
		email_folded = excluded.email_folded WHERE users.organization = excluded.organization`,
		user.ID, user.Organization, user.Username, user.Email, flag(user.EmailVerified), user.EmailProvider, user.Name, user.Phone, user.Comment,
		string(groups), user.Provider, user.PasswordHash, flag(user.Disabled), millis(user.CreatedAt), millis(user.UpdatedAt),
		millis(user.LastLoginAt), flag(user.PasswordHash != ""), username, email)
	if err != nil {
		return fmt.Errorf("storing a user: %w", err)
	}
	if n == 0 {
		return errElsewhere
	}
	return nil
}

// free answers a *TakenError if a user other than id is found. Asking first leaves the transaction usable, as a violated index
// would not on PostgreSQL; a rival of another organization can only be told from there, and then all is run again.
func (u userTx) free(field, where, id string, args ...any) error {
	var other string
	err := notFound(u.t.get(`SELECT id FROM users WHERE `+where+` AND id <> ?`, append(args, id), &other))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading a user: %w", err)
	}
	return &TakenError{Field: field}
}

// PutIdentity implements UserTx.
func (u userTx) PutIdentity(i Identity) error {
	if err := i.check(); err != nil {
		return err
	}
	if _, err := u.User(i.User); err != nil {
		return err
	}
	key := u.sum(i.Key)
	var others int64
	if err := u.t.get(`SELECT count(*) FROM identities WHERE user_id = ? AND key <> ?`, []any{i.User, key}, &others); err != nil {
		return fmt.Errorf("counting identities: %w", err)
	}
	if others >= MaxIdentities {
		return fmt.Errorf("storing an identity: %w", ErrFull)
	}
	_, err := u.t.exec(`INSERT INTO identities (key, issuer, subject, user_id, provider, created_at, last_login_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET user_id = excluded.user_id, provider = excluded.provider, created_at = excluded.created_at,
		last_login_at = excluded.last_login_at`,
		key, i.Key.Issuer, i.Key.Subject, i.User, i.Provider, millis(i.CreatedAt), millis(i.LastLoginAt))
	if err != nil {
		return fmt.Errorf("storing an identity: %w", err)
	}
	return nil
}

// DeleteUser implements UserTx. The schema removes the identities.
func (u userTx) DeleteUser(id string) error {
	if !storable(id) {
		return ErrNotFound
	}
	var provider string
	err := notFound(u.t.get(`DELETE FROM users WHERE id = ? AND organization = ? RETURNING provider`, []any{id, u.organization}, &provider))
	if err == nil && provider != "" {
		err = u.uncount()
	}
	if err != nil {
		return fmt.Errorf("deleting a user: %w", err)
	}
	_, err = u.EndOwner(id)
	return err
}

// EndOwner implements UserTx.
func (u userTx) EndOwner(owner string) (int, error) {
	n, err := u.t.endOwner(owner)
	if err != nil {
		return 0, fmt.Errorf("ending the sessions of an owner: %w", err)
	}
	return n, nil
}
