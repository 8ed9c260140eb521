// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// Login is what a provider said about somebody who has just logged in there. The claims are mapped and the rules hold.
type Login struct {
	// Issuer and Subject name the person: (iss, sub), or (userinfo origin, subject attribute).
	Issuer, Subject string
	// Username is what the provider calls them, never empty.
	Username      string
	Email         string
	EmailVerified bool
	// EmailDenied says that the provider spoke of the address, and not as verified.
	EmailDenied          bool
	Name, Phone, Comment string
	Groups               []string
	// Partial says that the provider could not be asked for all of it: what is empty here is unknown, and empties nothing.
	Partial bool
}

// Outcome is what a login did to the directory.
type Outcome struct {
	// Created tells of a first login, Linked of the first one through this provider of somebody known.
	Created, Linked bool
	// Synced are the names of the attributes that changed, such as "email".
	Synced []string
	// RenamedFrom is the username before, if the provider changed it.
	RenamedFrom string
	// Wanted is the username that the provider gave and another user has; empty if the user has got it.
	Wanted string
}

// Provision returns the user that a login is of, made if need be. Errors are ErrUserDisabled, ErrOrganizationFull, an *InvalidError if the provider's attributes cannot be kept,
// or a fault of the store. It is one transaction, so two logins at once are as good as one after the other, on all replicas.
func (d *Directory) Provision(ctx context.Context, snap *Snapshot, p *config.Provider, in Login) (store.User, Outcome, error) {
	id, err := d.newID()
	if err != nil {
		return store.User{}, Outcome{}, err
	}
	return d.visit(ctx, &visit{snap: snap, provider: p, in: &in, now: d.Now(), id: id})
}

// Renew is Provision for a session that asks its provider again: it synchronises as a login does, but is none, and makes and links nobody. The error is
// ErrUserNotFound for an identity that nobody has any more: the user was removed, and comes back by logging in alone.
func (d *Directory) Renew(ctx context.Context, snap *Snapshot, p *config.Provider, in Login) (store.User, Outcome, error) {
	return d.visit(ctx, &visit{snap: snap, provider: p, in: &in, now: d.Now()})
}

func (d *Directory) visit(ctx context.Context, v *visit) (store.User, Outcome, error) {
	if v.snap.none {
		return store.User{}, Outcome{}, store.ErrNoStore
	}
	if err := v.check(); err != nil {
		return store.User{}, Outcome{}, err
	}
	err := d.Store.EditUsers(ctx, v.provider.Organization, v.run)
	switch {
	case errors.Is(err, ErrUserDisabled):
		return store.User{}, Outcome{}, ErrUserDisabled
	case errors.Is(err, store.ErrFull) && v.outcome.Created:
		return store.User{}, Outcome{}, ErrOrganizationFull
	case err != nil:
		return store.User{}, Outcome{}, fmt.Errorf("provisioning a user: %w", err)
	}
	d.tellVisit(ctx, v)
	return v.user, v.outcome, nil
}

// visit is one login in its transaction.
type visit struct {
	snap     *Snapshot
	provider *config.Provider
	in       *Login
	now      time.Time
	id       string // of the user, if one is made; empty if none may be

	user    store.User
	outcome Outcome
}

// check tidies and bounds what the provider says.
func (v *visit) check() error {
	v.in.Username, v.in.Email = strings.TrimSpace(v.in.Username), strings.TrimSpace(v.in.Email)
	for field, text := range map[string]string{"issuer": v.in.Issuer, "subject": v.in.Subject} {
		if err := checkText(field, text, store.MaxText); err != nil {
			return err
		}
		if text == "" {
			return &InvalidError{field, "it is empty"}
		}
	}
	return checkUser(v.created())
}

// run is the transaction. It may be run again, and then begins anew.
func (v *visit) run(tx store.UserTx) error {
	v.user, v.outcome = store.User{}, Outcome{}
	key := store.IdentityKey{Issuer: v.in.Issuer, Subject: v.in.Subject}
	identity, err := tx.Identity(key)
	switch {
	case errors.Is(err, store.ErrNotFound) && v.id == "":
		return ErrUserNotFound
	case errors.Is(err, store.ErrNotFound):
		identity = store.Identity{Key: key, CreatedAt: v.now}
		err = v.unknown(tx)
	case err == nil:
		err = v.known(tx, identity.User)
	}
	if err != nil {
		return err
	}
	identity.User, identity.Provider = v.user.ID, providerName(v.provider)
	if v.id != "" {
		v.user.LastLoginAt, identity.LastLoginAt = v.now, v.now
	}
	if err := tx.PutUser(v.user); err != nil {
		return err
	}
	return tx.PutIdentity(identity)
}

// unknown finds or makes the user of an identity that nobody has.
func (v *visit) unknown(tx store.UserTx) error {
	known, err := linkable(tx, v.snap, v.provider, v.in)
	if err != nil {
		return err
	}
	if known != nil {
		v.outcome.Linked = true
		return v.known(tx, known.ID)
	}
	v.outcome.Created = true
	v.user = *v.created()
	return v.name(tx, v.user.Username)
}

// created is the user as a first login makes it, but for a username that may be taken.
func (v *visit) created() *store.User {
	in := v.in
	u := &store.User{
		ID: v.id, Organization: v.provider.Organization, Username: in.Username, Email: in.Email, Name: in.Name, Phone: in.Phone, Comment: in.Comment,
		Groups: slices.Clone(in.Groups), Provider: providerName(v.provider), CreatedAt: v.now, UpdatedAt: v.now,
	}
	u.EmailVerified, u.EmailProvider = vouching(v.provider, in)
	return u
}

// known takes a user that exists, as the provider says it is now.
func (v *visit) known(tx store.UserTx, id string) error {
	var err error
	if v.user, err = tx.User(id); err != nil {
		return err
	}
	if v.user.Disabled {
		return ErrUserDisabled
	}
	always := v.provider.UserSync == config.SyncAlways
	if always {
		v.outcome.Synced = synchronise(&v.user, v.provider, v.in)
	}
	wanted := v.user.Username // which somebody with a password may have got since the last login: applications must not take one for the other
	if always && v.user.Provider == providerName(v.provider) {
		wanted = v.in.Username
	}
	if err := v.name(tx, wanted); err != nil {
		return err
	}
	if len(v.outcome.Synced) > 0 {
		v.user.UpdatedAt = v.now
	}
	return nil
}

// name gives the user the username that is wanted, as far as it is free.
func (v *visit) name(tx store.UserTx, wanted string) error {
	before := v.user.Username
	name, err := username(tx, v.snap, &v.user, wanted, v.provider.Name)
	if err != nil {
		return err
	}
	v.user.Username = name
	if name != wanted {
		v.outcome.Wanted = wanted
	}
	if !v.outcome.Created && name != before {
		v.outcome.RenamedFrom = before
		v.outcome.Synced = append(v.outcome.Synced, "username")
	}
	return nil
}

// tellVisit writes the audit log of what a login changed.
func (d *Directory) tellVisit(ctx context.Context, v *visit) {
	provider := slog.String("provider", providerName(v.provider))
	o := &v.outcome
	switch {
	case o.Created:
		d.tell(ctx, logs.EventUserCreated, "user made at the first login", &v.user, provider)
	case o.Linked:
		d.tell(ctx, logs.EventUserLinked, "account at a provider linked to a known user", &v.user, provider)
	}
	if o.Created && o.Wanted != "" {
		d.tell(ctx, logs.EventUserRenamed, "username is taken: a suffix tells the users apart", &v.user, provider,
			slog.String("from", o.Wanted), slog.String("to", v.user.Username))
	}
	if o.RenamedFrom != "" {
		d.tell(ctx, logs.EventUserRenamed, "username changed as the provider asks, or since another has it", &v.user, provider,
			slog.String("from", o.RenamedFrom), slog.String("to", v.user.Username))
	}
	if len(o.Synced) > 0 {
		d.tell(ctx, logs.EventUserChanged, "user changed as the provider's attributes did", &v.user, provider, slog.Any("fields", o.Synced))
	}
}
