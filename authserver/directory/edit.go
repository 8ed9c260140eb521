// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/fold"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// edit is one Change in its transaction.
type edit struct {
	snap   *Snapshot
	change *Change
	id     string
	hash   string // of the new password; empty for none
	now    time.Time

	user   store.User
	before store.User
	fields []string // attributes that changed
	ended  int      // sessions and families
}

// run is the transaction. It may be run again, and then begins anew.
func (e *edit) run(tx store.UserTx) error {
	u, err := tx.User(e.id)
	if err != nil {
		return err
	}
	e.before, e.user, e.fields, e.ended = u, u, nil, 0
	if err := e.attributes(); err != nil {
		return err
	}
	c := e.change
	if c.Disabled != nil {
		e.user.Disabled = *c.Disabled
	}
	if e.hash != "" {
		e.user.PasswordHash = e.hash
	}
	e.user.UpdatedAt = e.now
	if err := tx.PutUser(e.user); err != nil {
		return err
	}
	if e.hash != "" || e.user.Disabled && c.Disabled != nil {
		e.ended, err = tx.EndOwner(e.id)
	}
	return err
}

// attributes changes what a person is known by, and checks it. An e-mail address that an administrator gives is nobody's assertion.
func (e *edit) attributes() error {
	c, u := e.change, &e.user
	if c.Username != nil {
		u.Username = strings.TrimSpace(*c.Username)
	}
	if c.Email != nil && strings.TrimSpace(*c.Email) != u.Email {
		u.Email, u.EmailVerified, u.EmailProvider = strings.TrimSpace(*c.Email), false, ""
		if u.Email != "" || u.Provider == "" {
			if err := checkAddress(u.Email); err != nil {
				return err
			}
		}
	}
	if c.Name != nil {
		u.Name = *c.Name
	}
	if c.Groups != nil {
		u.Groups = slices.Clone(*c.Groups)
	}
	for _, row := range []struct {
		field   string
		changed bool
	}{
		{"username", u.Username != e.before.Username}, {"email", u.Email != e.before.Email},
		{"name", u.Name != e.before.Name}, {"groups", !slices.Equal(u.Groups, e.before.Groups)},
	} {
		if row.changed {
			e.fields = append(e.fields, row.field)
		}
	}
	if err := checkUser(u); err != nil {
		return err
	}
	username := fold.Name(u.Username) != fold.Name(e.before.Username)
	email := u.PasswordHash != "" && fold.Name(u.Email) != fold.Name(e.before.Email)
	return e.snap.checkNames(u, username, email)
}

// tellEdit writes the audit log of a change.
func (d *Directory) tellEdit(ctx context.Context, e *edit) {
	u, ended := &e.user, slog.Int("ended", e.ended)
	if len(e.fields) > 0 {
		d.tell(ctx, logs.EventUserChanged, "user changed by an administrator", u, slog.Any("fields", e.fields))
	}
	if e.hash != "" {
		d.tell(ctx, logs.EventUserPassword, "password set by an administrator", u, ended)
	}
	switch {
	case e.change.Disabled == nil:
	case u.Disabled:
		d.tell(ctx, logs.EventUserDisabled, "user disabled by an administrator", u, ended)
	default:
		d.tell(ctx, logs.EventUserEnabled, "user enabled by an administrator", u)
	}
}
