// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
	"github.com/gatehouse-auth/gatehouse/test/postgres"
)

// callers is how many refreshes are under way at once.
const callers = 64

// BenchmarkRotate prints refreshes a second with many callers, each with a family of its own, beside what the database does bare:
// "raw" are transactions that change one row, one after another and with as many connections as the store uses. PostgreSQL waits
// for the disk with each commit.
func BenchmarkRotate(b *testing.B) {
	b.Run("SQLite/file", func(b *testing.B) { benchRotate(b, open(b, b.TempDir()), callers) })
	b.Run("SQLite/file/one caller", func(b *testing.B) { benchRotate(b, open(b, b.TempDir()), 1) })
	b.Run("SQLite/memory", func(b *testing.B) { benchRotate(b, open(b, ""), callers) })
	b.Run("SQLite/raw", func(b *testing.B) {
		benchRaw(b, "sqlite", "file:"+filepath.Join(b.TempDir(), "raw.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)", 1)
	})
	server := postgres.New(b, postgres.Options{Durable: true})
	b.Run("PostgreSQL", func(b *testing.B) { benchRotate(b, openPostgres(b, server.DSN(b)), callers) })
	b.Run("PostgreSQL/one caller", func(b *testing.B) { benchRotate(b, openPostgres(b, server.DSN(b)), 1) })
	b.Run("PostgreSQL/raw", func(b *testing.B) { benchRaw(b, "pgx", server.DSN(b), 10) })
	b.Run("PostgreSQL/raw/one caller", func(b *testing.B) { benchRaw(b, "pgx", server.DSN(b), 1) })
}

// spread runs f b.N times, on as many goroutines as there are callers, and reports the rate.
func spread(b *testing.B, callers int, f func(caller, n int) error) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for n := 0; left.Add(-1) >= 0; n++ {
				if err := f(c, n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}

func benchRotate(b *testing.B, s store.Store, callers int) {
	b.Cleanup(func() { _ = s.Close() })
	hash := func(caller, n int) store.Hash { return sha256.Sum256(fmt.Appendf(nil, "%d %d %d", b.N, caller, n)) }
	for c := range callers {
		f := family(0)
		f.Key, f.Owner, f.Current = hash(c, -1), fmt.Sprint("owner ", c), hash(c, 0)
		if err := s.CreateFamily(b.Context(), f, 5); err != nil {
			b.Fatal(err)
		}
	}
	spread(b, callers, func(c, n int) error {
		_, err := s.Rotate(b.Context(), store.Rotation{
			Family: hash(c, -1), Used: hash(c, n), Successor: hash(c, n+1), Sealed: make([]byte, 92),
			Now: start.Add(time.Duration(n) * time.Millisecond), ExpiresAt: family(0).ExpiresAt.Add(time.Duration(n) * time.Millisecond),
		})
		return err
	})
}

func benchRaw(b *testing.B, driver, dsn string, conns int) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	if _, err := db.Exec("CREATE TABLE raw (id BIGINT PRIMARY KEY, n BIGINT)"); err != nil {
		b.Fatal(err)
	}
	for c := range conns {
		if _, err := db.Exec(fmt.Sprintf("INSERT INTO raw VALUES (%d, 0)", c)); err != nil {
			b.Fatal(err)
		}
	}
	queries := map[string]string{"sqlite": "UPDATE raw SET n = n + 1 WHERE id = ?", "pgx": "UPDATE raw SET n = n + 1 WHERE id = $1"}
	spread(b, conns, func(c, _ int) error {
		_, err := db.Exec(queries[driver], c)
		return err
	})
}
