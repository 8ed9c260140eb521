// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite", in pure Go
)

const (
	// FileName is the database's file in the data directory; SQLite adds files with the suffixes -wal and -shm.
	FileName = "gatehouse.db"

	readers     = 4
	busyTimeout = 5 * time.Second
)

// SQLite is the Embedded store: a database file (or memory) of this process, with one connection that writes and a few
// that read (write-ahead log). A commit is on disk before the caller hears of it.
type SQLite struct {
	database
	on          sqliteEngine
	write, read *sql.DB
	anchor      *sql.DB // keeps a database in memory alive; nil for a file
}

var _ Store = (*SQLite)(nil)

// OpenSQLite opens the database in dir, which is created with mode 0700 if absent, and brings its schema up to date. With
// dir "" the database lives in memory and ends with Close. Errors name the file; one made by a newer Gatehouse is refused.
func OpenSQLite(ctx context.Context, dir string, options ...Option) (*SQLite, error) {
	s, err := connect(ctx, dir, settingsOf(options).limits.orDefault(readers))
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx, dir); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the store in %s: %w", place(dir), sqliteError(err)), s.Close())
	}
	return s, nil
}

func place(dir string) string {
	if dir == "" {
		return "memory"
	}
	return filepath.Join(dir, FileName)
}

func connect(ctx context.Context, dir string, limits Limits) (*SQLite, error) {
	s := &SQLite{}
	s.database = database{engine: &s.on, limits: limits}
	base := url.URL{Scheme: "file", Opaque: "/gatehouse-" + rand.Text()}
	vfs := "memdb"
	if dir != "" {
		path, err := createFile(dir)
		if err != nil {
			return nil, err
		}
		base.Opaque, vfs = (&url.URL{Path: path}).EscapedPath(), ""
	}
	var err error
	if s.write, err = open(base, vfs, "immediate", 1); err != nil {
		return nil, err
	}
	if s.read, err = open(base, vfs, "", limits.Connections); err != nil {
		return nil, err
	}
	s.on.reader.db = s.read
	if dir != "" {
		return s, nil
	}
	if s.anchor, err = open(base, vfs, "", 1); err != nil {
		return nil, err
	}
	if err := s.anchor.PingContext(ctx); err != nil {
		return nil, fmt.Errorf("opening the store in memory: %w", err)
	}
	return s, nil
}

// createFile makes the folder and an empty file that only this user may read; SQLite gives its -wal and -shm the same mode.
func createFile(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("creating the data directory: %w", err)
	}
	path, err := filepath.Abs(filepath.Join(dir, FileName))
	if err != nil {
		return "", fmt.Errorf("finding the data directory: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", fmt.Errorf("creating the store's file: %w", err)
	}
	return path, f.Close()
}

// open makes a pool of at most n connections that stay open: they never change, and reopening one costs its cache.
func open(base url.URL, vfs, lock string, n int) (*sql.DB, error) {
	q := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"foreign_keys(1)", "secure_delete(1)", "trusted_schema(0)",
	}}
	if vfs == "" {
		q["_pragma"] = append(q["_pragma"], "journal_mode(WAL)", "synchronous(FULL)")
	} else {
		q.Set("vfs", vfs)
	}
	if lock != "" {
		q.Set("_txlock", lock)
	}
	base.RawQuery = q.Encode()
	db, err := sql.Open("sqlite", base.String())
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// prepare brings the schema up to date and starts the writer.
func (s *SQLite) prepare(ctx context.Context, dir string) error {
	if err := migrateSQLite(ctx, s.write, dir); err != nil {
		return err
	}
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connecting the writer: %w", err)
	}
	s.on.writer = newWriter(conn)
	return nil
}

// Ping implements Store.
func (s *SQLite) Ping(ctx context.Context) error {
	return s.view(ctx, func(t *tx) error {
		var one int64
		return t.get(`SELECT 1`, nil, &one)
	})
}

// Close lets transactions under way finish and closes the file.
func (s *SQLite) Close() error {
	s.on.closed.Store(true)
	var errs []error
	if s.on.writer != nil {
		errs = append(errs, s.on.writer.close())
	}
	for _, db := range []*sql.DB{s.read, s.write, s.anchor} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}
