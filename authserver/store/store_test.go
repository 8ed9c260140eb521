// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
	"github.com/gatehouse-auth/gatehouse/authserver/store/conformance"
)

func open(t testing.TB, dir string, options ...store.Option) *store.SQLite {
	t.Helper()
	s, err := store.OpenSQLite(t.Context(), dir, options...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSQLiteInAFile(t *testing.T) {
	conformance.Run(t, func(t *testing.T, o ...store.Option) store.Store { return open(t, t.TempDir(), o...) })
}

func TestStoresInMemoryShareNothing(t *testing.T) {
	a, b := open(t, ""), open(t, "")
	defer a.Close()
	defer b.Close()
	f := family(0)
	if err := a.CreateFamily(t.Context(), f, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Family(t.Context(), f.Key, start); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the other store answers %v", err)
	}
}

func TestNoneAnswersNothing(t *testing.T) { conformance.RunNone(t, store.None{}) }

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func token(n int) store.Hash { return sha256.Sum256(fmt.Appendf(nil, "token %d", n)) }

func family(n int) store.Family {
	return store.Family{Key: sha256.Sum256([]byte("family")), Owner: "owner", Current: token(n), CreatedAt: start, IssuedAt: start, ExpiresAt: start.Add(time.Hour)}
}

func TestFilesAreForThisUserOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := open(t, dir)
	defer s.Close()
	if err := s.CreateFamily(t.Context(), family(0), 1); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("files %v, %v; want the database and its log", files, err)
	}
	for _, name := range append(files, dir) {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: mode %v, %v", filepath.Base(name), info.Mode(), err)
		}
	}
}

func TestOpenErrorsNameThePlaceAndTheFix(t *testing.T) {
	garbage, newer, blocked := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(filepath.Join(garbage, store.FileName), []byte(strings.Repeat("no database ", 999)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(t, newer).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(newer, store.FileName))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{garbage: filepath.Join(garbage, store.FileName), newer: "run the newer Gatehouse", filepath.Join(blocked, "x"): "creating the data directory"} {
		if s, err := store.OpenSQLite(t.Context(), dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, %v, want an error with %q", s, err, want)
		}
	}
}

// counted tells when Collect was called.
type counted struct {
	store.None
	left  atomic.Int64
	calls atomic.Int64
	fails atomic.Bool
}

func (c *counted) Collect(_ context.Context, _ time.Time, limit int) (int, error) {
	c.calls.Add(1)
	n := min(c.left.Load(), int64(limit))
	c.left.Add(-n)
	if c.fails.Load() {
		return 0, errors.New("disk full")
	}
	return int(n), nil
}

func TestKeepCleanEmptiesInBatchesAndGoesOnAfterErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var c counted
		c.left.Store(2*store.CollectBatch + 1)
		done := make(chan struct{})
		go func() { store.KeepClean(ctx, &c, time.Now, slog.New(slog.DiscardHandler)); close(done) }()
		synctest.Wait()
		if c.left.Load() != 0 || c.calls.Load() != 3 {
			t.Errorf("%d rows left after %d calls", c.left.Load(), c.calls.Load())
		}
		c.fails.Store(true)
		for range 2 {
			time.Sleep(store.CollectInterval) // the bubble's clock
			synctest.Wait()
		}
		if c.calls.Load() != 5 {
			t.Errorf("%d calls, want one more for each interval", c.calls.Load())
		}
		cancel()
		<-done
		store.KeepClean(t.Context(), store.None{}, time.Now, slog.New(slog.DiscardHandler)) // returns by itself
	})
}
