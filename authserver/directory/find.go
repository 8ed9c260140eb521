// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/gatehouse-auth/gatehouse/authserver/fold"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// DefaultLimit is how many users a page has unless asked otherwise; store.MaxListed is the most.
const DefaultLimit = 100

// Ref is how administrators name a user: by ID, e-mail address or username, in one organization or (empty) in any.
type Ref struct{ Name, Organization string }

// Query selects users for a list. Empty fields select all.
type Query struct {
	Organization string
	// Search is matched, folded, with the beginning of username and e-mail address.
	Search string
	// After is Page.Next of the page before.
	After string
	// Limit is 1 to store.MaxListed; 0 stands for DefaultLimit.
	Limit int
}

// List returns users by ID, those of the Secret among them.
func (d *Directory) List(ctx context.Context, snap *Snapshot, q Query) (Page, error) {
	if snap.none {
		return Page{}, store.ErrNoStore
	}
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	if q.Limit < 1 || q.Limit > store.MaxListed {
		return Page{}, &InvalidError{"limit", fmt.Sprintf("it has to be 1 to %d", store.MaxListed)}
	}
	if len(q.Search) > MaxEmail {
		return Page{}, &InvalidError{"search", fmt.Sprintf("it has more than %d bytes", MaxEmail)}
	}
	users, err := d.Store.ListUsers(ctx, store.UserQuery{Organization: q.Organization, Search: q.Search, After: q.After, Limit: q.Limit})
	if err != nil {
		return Page{}, fmt.Errorf("listing users: %w", err)
	}
	// Each list holds the first of its kind by ID, so the first of both are in their union.
	all := make([]Entry, 0, len(users))
	for i := range users {
		all = append(all, entryOf(&users[i]))
	}
	more := len(users) == q.Limit
	for _, e := range snap.secret {
		if e.ID > q.After && e.matches(&q) {
			all = append(all, e.tidy())
		}
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.ID, b.ID) })
	page := Page{Users: all}
	if len(all) > q.Limit {
		page.Users, more = all[:q.Limit], true
	}
	if more {
		page.Next = page.Users[len(page.Users)-1].ID
	}
	return page, nil
}

func (e *Entry) matches(q *Query) bool {
	if q.Organization != "" && e.Organization != q.Organization {
		return false
	}
	search := fold.Name(q.Search)
	return strings.HasPrefix(fold.Name(e.Username), search) || strings.HasPrefix(fold.Name(e.Email), search)
}

// Show returns all that is known of a user. Errors are ErrUserNotFound, a *ConflictError if the name fits several, or the store's.
func (d *Directory) Show(ctx context.Context, snap *Snapshot, ref Ref) (Details, error) {
	e, err := d.find(ctx, snap, ref)
	if err != nil {
		return Details{}, err
	}
	out := Details{Entry: e, Identities: []Identity{}, Sessions: []Session{}}
	if e.Source != SourceSecret {
		identities, err := d.Store.Identities(ctx, e.ID)
		if err != nil {
			return Details{}, fmt.Errorf("reading a user's identities: %w", err)
		}
		for _, i := range identities {
			out.Identities = append(out.Identities, Identity{Provider: i.Provider, Issuer: i.Key.Issuer, Subject: i.Key.Subject, CreatedAt: i.CreatedAt.UTC(), LastLoginAt: i.LastLoginAt.UTC()})
		}
	}
	sessions, err := d.Store.OwnerSessions(ctx, e.ID, d.Now())
	if err != nil {
		return Details{}, fmt.Errorf("reading a user's sessions: %w", err)
	}
	for _, s := range sessions {
		out.Sessions = append(out.Sessions, Session{Provider: s.Provider, Client: s.Client, CreatedAt: s.CreatedAt.UTC(), SeenAt: s.SeenAt.UTC(), ExpiresAt: s.ExpiresAt.UTC()})
	}
	return out, nil
}

// find returns the one user whom a Ref names. An ID counts before anything else, as nobody can choose theirs. A name that fits several is refused: the
// username of one may be the e-mail address of another, and who wants to disable one must not hit the other.
func (d *Directory) find(ctx context.Context, snap *Snapshot, ref Ref) (Entry, error) {
	if snap.none {
		return Entry{}, store.ErrNoStore
	}
	if fold.Name(ref.Name) == "" || len(ref.Name) > store.MaxText {
		return Entry{}, ErrUserNotFound
	}
	if id, err := uuid.Parse(ref.Name); err == nil {
		e, err := d.byID(ctx, snap, id.String())
		if err == nil && ref.Organization != "" && e.Organization != ref.Organization {
			return Entry{}, ErrUserNotFound
		}
		if !errors.Is(err, ErrUserNotFound) {
			return e, err
		}
	}
	found, err := d.byName(ctx, snap, ref)
	switch {
	case err != nil:
		return Entry{}, err
	case len(found) == 0:
		return Entry{}, ErrUserNotFound
	case len(found) > 1:
		return Entry{}, ambiguous(found)
	}
	return found[0], nil
}

func (d *Directory) byID(ctx context.Context, snap *Snapshot, id string) (Entry, error) {
	u, err := d.Store.User(ctx, id)
	switch {
	case err == nil:
		return entryOf(&u), nil
	case !errors.Is(err, store.ErrNotFound):
		return Entry{}, fmt.Errorf("reading a user: %w", err)
	}
	for _, e := range snap.secret {
		if e.ID == id {
			return e.tidy(), nil
		}
	}
	return Entry{}, ErrUserNotFound
}

// byName returns the users who have the username or the e-mail address. The store finds beginnings of names; the list is read to its end, as IDs are in no order of names.
func (d *Directory) byName(ctx context.Context, snap *Snapshot, ref Ref) ([]Entry, error) {
	var found []Entry
	folded := fold.Name(ref.Name)
	q := Query{Organization: ref.Organization, Search: ref.Name, Limit: store.MaxListed}
	if len(q.Search) > MaxEmail {
		return nil, nil
	}
	for {
		page, err := d.List(ctx, snap, q)
		if err != nil {
			return nil, err
		}
		for _, e := range page.Users {
			if fold.Name(e.Username) == folded || fold.Name(e.Email) == folded {
				found = append(found, e)
			}
		}
		if page.Next == "" || len(found) > maxTold {
			return found, nil
		}
		q.After = page.Next
	}
}

// maxTold is how many users a message about an ambiguous name lists.
const maxTold = 5

func ambiguous(found []Entry) error {
	var told []string
	for _, e := range found[:min(maxTold, len(found))] {
		told = append(told, fmt.Sprintf("%s (%q in %s)", e.ID, e.Username, e.Organization))
	}
	return &ConflictError{"several users go by that name: use the ID of one: " + strings.Join(told, ", ")}
}
