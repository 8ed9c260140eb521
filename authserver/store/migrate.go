// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/sqlite/*.sql migrations/postgresql/*.sql
var migrations embed.FS

// schema is the migrations of one kind of database.
type schema struct {
	dialect goose.Dialect
	files   fs.FS
	latest  int64
}

func schemaOf(dialect goose.Dialect, folder string) (schema, error) {
	files, err := fs.Sub(migrations, "migrations/"+folder)
	if err != nil {
		return schema{}, fmt.Errorf("reading migrations: %w", err)
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil || len(names) == 0 {
		return schema{}, errors.Join(errors.New("reading migrations: there are none"), err)
	}
	number, _, _ := strings.Cut(names[len(names)-1], "_") // names come sorted
	latest, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return schema{}, fmt.Errorf("reading migrations: %w", err)
	}
	return schema{dialect, files, latest}, nil
}

// up applies the migrations that the database lacks. newer says what to do about a database of a newer Gatehouse.
func (s schema) up(ctx context.Context, db *sql.DB, newer string, options ...goose.ProviderOption) error {
	if s.current(ctx, db) {
		return nil
	}
	provider, err := goose.NewProvider(s.dialect, db, s.files, append(options, goose.WithDisableGlobalRegistry(true))...)
	if err != nil {
		return fmt.Errorf("reading migrations: %w", err)
	}
	has, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("reading the schema's version: %w", err)
	}
	if has > s.latest {
		return &newerError{has, s.latest, newer}
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	// goose's parser leaves pools of buffers of four megabytes each, which last for two collections. An idle server would keep them.
	runtime.GC()
	debug.FreeOSMemory()
	return nil
}

// current tells whether nothing is to be done. Then goose, and the many megabytes of its SQL parser, are not needed.
func (s schema) current(ctx context.Context, db *sql.DB) bool {
	var has int64
	err := db.QueryRowContext(ctx, "SELECT version_id FROM "+goose.DefaultTablename+" ORDER BY id DESC LIMIT 1").Scan(&has)
	return err == nil && has == s.latest
}

// newerError refuses a schema that this program does not know.
type newerError struct {
	has, latest int64
	fix         string
}

func (e *newerError) Error() string {
	return fmt.Sprintf("its schema has version %d and this Gatehouse knows %d: run the newer Gatehouse, or %s", e.has, e.latest, e.fix)
}

// migrateSQLite keeps processes that open one file at once from applying one migration twice: each holds the lock of the folder.
func migrateSQLite(ctx context.Context, db *sql.DB, dir string) error {
	s, err := schemaOf(goose.DialectSQLite3, "sqlite")
	if err != nil {
		return err
	}
	if s.current(ctx, db) {
		return nil
	}
	if dir != "" {
		unlock, err := lockFile(ctx, filepath.Join(dir, FileName+"-migrating"))
		if err != nil {
			return fmt.Errorf("locking the schema: %w", err)
		}
		defer unlock()
	}
	return s.up(ctx, db, "remove the file (everybody has to log in again)")
}
