// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
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

// up applies the migrations that the database lacks.
func (s schema) up(ctx context.Context, db *sql.DB, options ...goose.ProviderOption) error {
	provider, err := goose.NewProvider(s.dialect, db, s.files, append(options, goose.WithDisableGlobalRegistry(true))...)
	if err != nil {
		return fmt.Errorf("reading migrations: %w", err)
	}
	has, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("reading the schema's version: %w", err)
	}
	if err := s.notNewer(has); err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	return nil
}

func (s schema) notNewer(has int64) error {
	if has > s.latest {
		return fmt.Errorf("its schema has version %d and this Gatehouse knows %d: run the newer Gatehouse, or remove the file (everybody has to log in again)", has, s.latest)
	}
	return nil
}

func migrateSQLite(ctx context.Context, db *sql.DB, _ string) error {
	s, err := schemaOf(goose.DialectSQLite3, "sqlite")
	if err != nil {
		return err
	}
	return s.up(ctx, db)
}
