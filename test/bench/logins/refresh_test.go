// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/process"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/rig"
	"github.com/gatehouse-auth/gatehouse/test/postgres"
)

// BenchmarkRefresh measures refreshes over HTTP at the deployed server, beside the raw transactions of the same kind of database. It is a benchmark of package testing, since
// that is what starts PostgreSQL.
func BenchmarkRefresh(b *testing.B) {
	bench := &bench{scratch: b.TempDir(), bin: os.Getenv("GATEHOUSE_BENCH_BIN"), score: rig.Score{Out: io.Discard}}
	if bench.bin == "" {
		b.Skip("skipped: GATEHOUSE_BENCH_BIN does not name the directory of the binaries; make bench sets it")
	}
	b.Run("SQLite", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "raw.db")
		raw := rawTransactions(b, "sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_txlock=immediate", 1, "?")
		bench.refreshes(b, "", leastOnSQLite, raw)
	})
	b.Run("PostgreSQL", func(b *testing.B) {
		server := postgres.New(b, postgres.Options{Durable: true})
		raw := rawTransactions(b, "pgx", server.DSN(b), refreshers, "$1")
		bench.refreshes(b, server.DSN(b), leastOnPostgreSQL, raw)
	})
}

const (
	refreshers        = 32          // callers at once, each with a login of its own
	judged            = time.Second // a run shorter than this is testing's own attempt at a good number
	leastOnSQLite     = 2000        // refreshes a second
	leastOnPostgreSQL = 1500
)

// refreshes has callers use their refresh tokens as fast as answers come, each as often as the benchmark asks for all of them together.
func (b *bench) refreshes(tb *testing.B, dsn string, least int, raw float64) {
	tb.Helper()
	ctx := tb.Context()
	dir, err := b.site(ctx, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	server, err := b.server(ctx, dir, process.Settings{Procs: 2})
	if err != nil {
		tb.Fatal(err)
	}
	defer server.Stop()
	c := client(refreshers)
	defer c.CloseIdleConnections()
	first := make([]string, refreshers)
	for i := range first {
		g, status, err := login(ctx, c, server.Ready.Listen, i)
		if err != nil || status != http.StatusOK {
			tb.Fatalf("a login: %d, %v", status, err)
		}
		first[i] = g.RefreshToken
	}
	var left atomic.Int64
	left.Store(int64(tb.N))
	var wg sync.WaitGroup
	tb.ResetTimer()
	for i := range refreshers {
		wg.Go(func() {
			for token := first[i]; left.Add(-1) >= 0; {
				g, status, err := refresh(ctx, c, server.Ready.Listen, token)
				if err != nil || status != http.StatusOK || g.RefreshToken == token {
					tb.Errorf("a refresh: %d, %v", status, err)
					return
				}
				token = g.RefreshToken
			}
		})
	}
	wg.Wait()
	tb.StopTimer()
	rate := float64(tb.N) / tb.Elapsed().Seconds()
	tb.ReportMetric(rate, "refreshes/s")
	tb.ReportMetric(raw, "raw-transactions/s")
	if tb.Elapsed() > judged && rate < float64(least) {
		tb.Errorf("%.0f refreshes a second, want at least %d", rate, least)
	}
}

// rawTransactions is how many transactions of one small update the database commits a second.
func rawTransactions(tb *testing.B, driver, dsn string, connections int, mark string) float64 {
	tb.Helper()
	ctx := tb.Context()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	if _, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS raw (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)"); err != nil {
		tb.Fatal(err)
	}
	for i := range refreshers {
		if _, err := db.ExecContext(ctx, fmt.Sprintf("INSERT INTO raw VALUES (%d, 0) ON CONFLICT DO NOTHING", i)); err != nil {
			tb.Fatal(err)
		}
	}
	const window = 2 * time.Second
	var done atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for i := range refreshers {
		wg.Go(func() {
			for ; time.Since(start) < window; done.Add(1) {
				if _, err := db.ExecContext(ctx, "UPDATE raw SET n = n + 1 WHERE id = "+mark, i); err != nil {
					tb.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(done.Load()) / time.Since(start).Seconds()
}
