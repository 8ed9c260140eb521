// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/directory"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// directPeople is the directory of a database, without a server.
type directPeople struct {
	*directory.Directory
	store interface{ Close() error }
}

// noConfiguration stands for all that a database does not know.
var noConfiguration = new(directory.Snapshot)

// newDirectPeople logs nothing: the audit log is the server's.
func newDirectPeople(s interface {
	directory.Store
	Close() error
}) *directPeople {
	return &directPeople{&directory.Directory{Store: s, Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)}, s}
}

// openSQLite opens the database of a folder. One that is not there is not made: the folder would be the wrong one.
func openSQLite(ctx context.Context, dir string) (people, error) {
	path := filepath.Join(dir, store.FileName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, unusable("--data-dir: there is no %s: name the folder of a server that keeps its data there", path)
	} else if err != nil {
		return nil, unusable("--data-dir: %w", err)
	}
	s, err := store.OpenSQLite(ctx, dir)
	if err != nil {
		return nil, failed(err)
	}
	return newDirectPeople(s), nil
}

// Close closes the database.
func (d *directPeople) Close() error {
	if err := d.store.Close(); err != nil {
		return fmt.Errorf("closing the database: %w", err)
	}
	return nil
}

// Add implements people.
func (d *directPeople) Add(ctx context.Context, n directory.NewUser) (directory.Entry, error) {
	return d.Directory.Add(ctx, noConfiguration, n)
}

// List implements people.
func (d *directPeople) List(ctx context.Context, q directory.Query) (directory.Page, error) {
	return d.Directory.List(ctx, noConfiguration, q)
}

// Show implements people.
func (d *directPeople) Show(ctx context.Context, ref directory.Ref) (directory.Details, error) {
	return d.Directory.Show(ctx, noConfiguration, ref)
}

// Edit implements people.
func (d *directPeople) Edit(ctx context.Context, ref directory.Ref, c directory.Change) (directory.Entry, error) {
	return d.Directory.Edit(ctx, noConfiguration, ref, c)
}

// Delete implements people.
func (d *directPeople) Delete(ctx context.Context, ref directory.Ref) (directory.Entry, error) {
	return d.Directory.Delete(ctx, noConfiguration, ref)
}

// Unlock implements people.
func (d *directPeople) Unlock(ctx context.Context, ref directory.Ref) (directory.Unlocked, error) {
	e, n, err := d.Directory.Unlock(ctx, noConfiguration, ref)
	return directory.Unlocked{Entry: e, Counters: n}, err
}
