// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience is how long a server may take to start or stop, on a machine that does other things too.
const patience = 2 * time.Minute

// Start returns the DSN of an empty database, which is dropped when the test ends. All callers of one test binary share a server.
func Start(tb testing.TB) (dsn string) {
	tb.Helper()
	if given := os.Getenv("GATEHOUSE_TEST_POSTGRES_DSN"); given != "" {
		return create(tb, given)
	}
	s, err := shared()
	if err != nil {
		tb.Fatalf("starting PostgreSQL: %v", err)
	}
	if s == nil {
		missing(tb)
	}
	return create(tb, s.dsn())
}

// shared is the server of this process. Its guard removes it when the process ends.
var shared = sync.OnceValues(func() (*Server, error) {
	bin := binaries()
	if bin == "" {
		return nil, nil
	}
	s, err := prepare(bin, Options{})
	if err == nil {
		err = s.start()
	}
	return s, err
})

func missing(tb testing.TB) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatal("PostgreSQL is not installed, and with CI=true it has to be: apt-get install postgresql")
	}
	tb.Skip("skipped: PostgreSQL is not installed")
}

// create makes a database on a server, and drops it when the test ends.
func create(tb testing.TB, server string) string {
	tb.Helper()
	name := "gatehouse_" + strings.ToLower(rand.Text())
	if err := execute(tb.Context(), server, "CREATE DATABASE "+name); err != nil {
		tb.Fatalf("creating a database: %v", err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := execute(ctx, server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			tb.Logf("dropping a database: %v", err) // such as of a server that the test has stopped
		}
	})
	return named(server, name)
}

// named is a DSN with another database.
func named(dsn, database string) string {
	if !strings.Contains(dsn, "://") {
		return dsn + " dbname=" + database
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return dsn // and connecting says what is wrong with it
	}
	u.Path = "/" + database
	return u.String()
}

func execute(ctx context.Context, dsn, statement string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	if closing := conn.Close(ctx); err == nil && closing != nil {
		return fmt.Errorf("closing: %w", closing)
	}
	return err
}
