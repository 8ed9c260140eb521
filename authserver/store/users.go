// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/fold"
)

const userColumns = `id, organization, username, email, email_verified, email_provider, name, phone, comment, groups, provider, password_hash,
	disabled, created_at, updated_at, last_login_at, password_version`

func scanUser(rows *sql.Rows) (User, error) {
	var u User
	var groups string
	var verified, disabled, created, updated, login int64
	err := rows.Scan(&u.ID, &u.Organization, &u.Username, &u.Email, &verified, &u.EmailProvider, &u.Name, &u.Phone, &u.Comment, &groups, &u.Provider,
		&u.PasswordHash, &disabled, &created, &updated, &login, &u.PasswordVersion)
	if err != nil {
		return User{}, err
	}
	if err := json.Unmarshal([]byte(groups), &u.Groups); err != nil {
		return User{}, fmt.Errorf("reading a user's groups: %w", err)
	}
	u.EmailVerified, u.Disabled = verified != 0, disabled != 0
	u.CreatedAt, u.UpdatedAt, u.LastLoginAt = fromMillis(created), fromMillis(updated), fromMillis(login)
	return u, nil
}

// EmailDenied tells that the provider which spoke of the user's address did not call it verified: nobody may be told that it is the user's.
func (u *User) EmailDenied() bool { return u.Email != "" && !u.EmailVerified && u.EmailProvider != "" }

// users reads users; rest is what comes after WHERE.
func (t *tx) users(rest string, args ...any) ([]User, error) {
	var found []User
	err := t.each(`SELECT `+userColumns+` FROM users WHERE `+rest, args, func(rows *sql.Rows) error {
		u, err := scanUser(rows)
		found = append(found, u)
		return err
	})
	return found, err
}

// user reads one user.
func (t *tx) user(rest string, args ...any) (User, error) {
	found, err := t.users(rest, args...)
	if err != nil {
		return User{}, err
	}
	if len(found) == 0 {
		return User{}, ErrNotFound
	}
	return found[0], nil
}

func (d *database) viewUser(ctx context.Context, rest string, args ...any) (u User, err error) {
	err = d.view(ctx, func(t *tx) error {
		u, err = t.user(rest, args...)
		return err
	})
	if err != nil {
		return User{}, fmt.Errorf("reading a user: %w", err)
	}
	return u, nil
}

// User implements Users.
func (d *database) User(ctx context.Context, id string) (User, error) {
	if !storable(id) {
		return User{}, ErrNotFound
	}
	return d.viewUser(ctx, `id = ?`, id)
}

// PasswordUser implements Users.
func (d *database) PasswordUser(ctx context.Context, email string) (User, error) {
	folded := fold.Name(email)
	if folded == "" || !storable(folded) {
		return User{}, ErrNotFound
	}
	return d.viewUser(ctx, `email_folded = ? AND password_hash <> '' AND email_folded <> ''`, folded)
}

// ListUsers implements Users.
func (d *database) ListUsers(ctx context.Context, q UserQuery) (found []User, err error) {
	if q.Limit <= 0 || q.Limit > MaxListed {
		q.Limit = MaxListed
	}
	if !storable(q.Organization) || !storable(q.Search) || !storable(q.After) {
		return nil, nil
	}
	rest, args := q.sql()
	err = d.view(ctx, func(t *tx) error {
		found, err = t.users(rest, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing users: %w", err)
	}
	return found, nil
}

// afterAll is greater than whatever begins with a folded text, when put behind it.
const afterAll = "\U0010FFFF"

// sql is the query as what follows WHERE. Each shape of it is answered from an index.
func (q *UserQuery) sql() (string, []any) {
	where, args := []string{"id > ?"}, []any{q.After}
	if q.Organization != "" {
		where, args = append(where, "organization = ?"), append(args, q.Organization)
	}
	if prefix := fold.Name(q.Search); prefix != "" {
		match := []string{}
		for _, column := range []string{"username_folded", "email_folded"} {
			part := `SELECT id FROM users WHERE ` + column + ` >= ? AND ` + column + ` < ?`
			args = append(args, prefix, prefix+afterAll)
			if q.Organization != "" {
				part, args = part+` AND organization = ?`, append(args, q.Organization)
			}
			match = append(match, part)
		}
		where = append(where, "id IN ("+strings.Join(match, " UNION ")+")")
	}
	return strings.Join(where, " AND ") + " ORDER BY id LIMIT ?", append(args, q.Limit)
}

// Identities implements Users.
func (d *database) Identities(ctx context.Context, user string) (found []Identity, err error) {
	if !storable(user) {
		return nil, nil
	}
	err = d.view(ctx, func(t *tx) error {
		found, err = t.identities(`user_id = ? ORDER BY created_at, key`, user)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading identities: %w", err)
	}
	return found, nil
}

func (t *tx) identities(rest string, args ...any) ([]Identity, error) {
	var found []Identity
	err := t.each(`SELECT issuer, subject, user_id, provider, created_at, last_login_at FROM identities WHERE `+rest, args, func(rows *sql.Rows) error {
		var i Identity
		var created, login int64
		err := rows.Scan(&i.Key.Issuer, &i.Key.Subject, &i.User, &i.Provider, &created, &login)
		i.CreatedAt, i.LastLoginAt = fromMillis(created), fromMillis(login)
		found = append(found, i)
		return err
	})
	return found, err
}

// RecordLogin implements Users. It is one statement, so that it needs no place among the editors of the organization.
func (d *database) RecordLogin(ctx context.Context, id string, at time.Time, old, hash string) error {
	if !storable(id) || !storable(old) {
		return ErrNotFound
	}
	if err := checkText("the password hash of a user", hash, maxPasswordHash); err != nil {
		return err
	}
	err := d.change(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE users SET last_login_at = CASE WHEN last_login_at < ? THEN ? ELSE last_login_at END,
			password_hash = CASE WHEN password_hash = ? AND password_hash <> '' THEN ? ELSE password_hash END WHERE id = ?`,
			at.UnixMilli(), at.UnixMilli(), old, cmp.Or(hash, old), id)
		if err == nil && n == 0 {
			return ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("noting a login: %w", err)
	}
	return nil
}
