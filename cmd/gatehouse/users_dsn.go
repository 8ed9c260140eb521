// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// maxDSN bounds a connection string, in bytes.
const maxDSN = 4 << 10

// openPostgreSQL opens the database of a connection string. It is read from a file, as it holds a password, and no error holds any part of it.
func openPostgreSQL(ctx context.Context, file string) (people, error) {
	dsn, err := readDSN(file)
	if err != nil {
		return nil, unusable("--dsn-file: %w", err)
	}
	s, err := store.OpenPostgreSQL(ctx, dsn)
	if err != nil {
		return nil, failed(err)
	}
	return newDirectPeople(s), nil
}

func readDSN(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, maxDSN+1))
	if err != nil {
		return "", err
	}
	dsn := strings.TrimSpace(string(data))
	if dsn == "" || len(data) > maxDSN {
		return "", fmt.Errorf("%s is empty or longer than %d bytes", file, maxDSN)
	}
	return dsn, nil
}
