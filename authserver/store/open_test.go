// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
	"github.com/gatehouse-auth/gatehouse/test/postgres"
)

// opened opens the store that a parent process names, in a child that a test has started.
func opened(t *testing.T) store.Store {
	t.Helper()
	if dsn := os.Getenv("STORE_CHILD_DSN"); dsn != "" {
		return openPostgres(t, dsn)
	}
	return open(t, os.Getenv("STORE_CHILD_DIR"))
}

func isChild() bool { return os.Getenv("STORE_CHILD_DIR") != "" || os.Getenv("STORE_CHILD_DSN") != "" }

// child is this test in a process of its own, which finds its store with opened.
func child(t *testing.T, where string) *exec.Cmd {
	t.Helper()
	name, _, _ := strings.Cut(t.Name(), "/")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+name+"$", "-test.count=1")
	variable := "STORE_CHILD_DIR="
	if strings.Contains(where, "://") {
		variable = "STORE_CHILD_DSN="
	}
	cmd.Env = append(os.Environ(), variable+where)
	return cmd
}

// TestEightOpenersMigrateOnce starts processes that open one new database at once, and callers of one process too.
func TestEightOpenersMigrateOnce(t *testing.T) {
	if isChild() {
		s := opened(t)
		defer s.Close()
		if err := s.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		return
	}
	for name, where := range map[string]string{"SQLite": t.TempDir(), "PostgreSQL": postgres.Start(t)} {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if out, err := child(t, where).CombinedOutput(); err != nil {
					t.Errorf("%s: %v\n%s", name, err, out)
				}
			})
		}
		wg.Wait()
	}
	dsn := postgres.Start(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := store.OpenPostgreSQL(t.Context(), dsn)
			if err != nil {
				t.Error(err)
				return
			}
			_ = s.Close()
		})
	}
	wg.Wait()
}

// TestOldDatabaseIsUpgraded opens a file as the first version left it: what it holds works on.
func TestOldDatabaseIsUpgraded(t *testing.T) {
	dir := t.TempDir()
	old, err := os.ReadFile(filepath.Join("migrations", "sqlite", "00001_refresh_families.sql"))
	if err != nil {
		t.Fatal(err)
	}
	up, _, _ := strings.Cut(string(old), "-- +goose Down")
	db, err := sql.Open("sqlite", filepath.Join(dir, store.FileName))
	if err != nil {
		t.Fatal(err)
	}
	f, used := family(3), token(2)
	for _, s := range []struct {
		sql  string
		args []any
	}{
		{sql: up},
		{sql: `CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL, is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')))`},
		{sql: `INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1)`},
		{`INSERT INTO refresh_families VALUES (?, 'owner', x'00', ?, ?, ?, ?)`, []any{f.Key[:], f.Current[:], start.UnixMilli(), start.UnixMilli(), f.ExpiresAt.UnixMilli()}},
		{`INSERT INTO refresh_uses VALUES (?, ?, CAST('sealed' AS BLOB), ?)`, []any{used[:], f.Key[:], start.Add(store.Grace).UnixMilli()}},
	} {
		if _, err := db.Exec(s.sql, s.args...); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	defer s.Close()
	if got, err := s.Rotate(t.Context(), rotation(2)); err != nil || string(got.Sealed) != "sealed" {
		t.Errorf("a repeat: %+v, %v", got, err)
	}
	for n := range 2 * store.MaxUses {
		if _, err := s.Rotate(t.Context(), rotation(3+n)); err != nil {
			t.Fatalf("rotation %d: %v", n, err)
		}
	}
}

// rotation uses token n.
func rotation(n int) store.Rotation {
	return store.Rotation{Family: family(0).Key, Used: token(n), Successor: token(n + 1), Sealed: fmt.Appendf(nil, "sealed %d", n+1), Now: start, ExpiresAt: start.Add(family(0).ExpiresAt.Sub(start))}
}

// TestNewerDatabaseIsRefused guards that an older Gatehouse does not write into a schema it does not know.
func TestNewerDatabaseIsRefused(t *testing.T) {
	dsn := postgres.Start(t)
	openPostgres(t, dsn)
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenPostgreSQL(context.Background(), dsn); err == nil || !strings.Contains(err.Error(), "version 99999") {
		t.Errorf("got %v", err)
	}
}
