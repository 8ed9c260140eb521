// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
	"github.com/gatehouse-auth/gatehouse/test/postgres"
)

// TestUpgradeCountsUsers takes databases back to the schema that knew no counts of users, and opens them: who was there counts.
func TestUpgradeCountsUsers(t *testing.T) {
	dir, dsn := t.TempDir(), postgres.Start(t)
	bound := store.WithLimits(store.Limits{UsersOfOrganization: 2})
	for name, c := range map[string]struct {
		driver, place string
		open          func() store.Store
		version       int
	}{
		"SQLite":     {"sqlite", filepath.Join(dir, store.FileName), func() store.Store { return open(t, dir, bound) }, 3},
		"PostgreSQL": {"pgx", dsn, func() store.Store { return openPostgres(t, dsn, bound) }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.open()
			add := func(n int, provider string) error {
				u := store.User{ID: fmt.Sprint("id", n), Organization: "o", Username: fmt.Sprint("user", n), Provider: provider, PasswordHash: "hash"}
				return s.EditUsers(t.Context(), "o", func(tx store.UserTx) error { return tx.PutUser(u) })
			}
			if err := errors.Join(add(1, "ns/idp"), add(2, "ns/idp"), add(3, ""), s.Close()); err != nil {
				t.Fatal(err)
			}
			db, err := sql.Open(c.driver, c.place)
			if err != nil {
				t.Fatal(err)
			}
			for _, back := range []string{
				"ALTER TABLE users DROP COLUMN password_version", "DROP TABLE user_counts",
				fmt.Sprintf("DELETE FROM goose_db_version WHERE version_id = %d", c.version),
			} {
				if _, err := db.Exec(back); err != nil {
					t.Fatalf("%s: %v", back, err)
				}
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			s = c.open()
			defer s.Close()
			if u, err := s.User(t.Context(), "id1"); err != nil || u.PasswordVersion != 1 {
				t.Errorf("password version %d, %v", u.PasswordVersion, err)
			}
			if err := add(4, "ns/idp"); !errors.Is(err, store.ErrFull) {
				t.Errorf("one more of a provider: %v, want that the organization is full", err)
			}
			if err := add(5, ""); err != nil {
				t.Errorf("one more of an administrator: %v", err)
			}
		})
	}
}
