// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

const (
	// connections is how many a pool has unless the DSN says otherwise (pool_max_conns), mostConnections how many it may have.
	connections     = 10
	mostConnections = 200

	connectTimeout = 2 * time.Second
	// callTimeout bounds the wait for a connection, and then what is done with it.
	callTimeout = 5 * time.Second

	idleTime = 5 * time.Minute
	// lifetime bounds how long a connection stays with a server that is about to be replaced.
	lifetime = 30 * time.Minute
)

// session is what each connection begins with: statements end, and the locks of a process that was cut off are released, however
// long the network needs to notice.
const session = "SET statement_timeout = 5000; SET idle_in_transaction_session_timeout = 10000; SET client_min_messages = warning"

// PostgreSQL is a store that replicas share. A commit is as durable as the server's settings make it.
type PostgreSQL struct {
	database
	on postgresEngine
}

var _ Store = (*PostgreSQL)(nil)

// OpenPostgreSQL connects and brings the schema up to date, which replicas that start at once do one after another. dsn is a URL or
// a list of key=value pairs as libpq takes them; pool_max_conns is at most 200 and 10 if absent. No error holds any part of it.
// ErrUnavailable if there is no connection: it may be opened later.
func OpenPostgreSQL(ctx context.Context, dsn string, options ...Option) (*PostgreSQL, error) {
	set := settingsOf(options)
	config, pool, err := parseDSN(dsn)
	if err == nil && set.caBundle != "" {
		err = trust(config, set.caBundle)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the store in PostgreSQL: %w", err)
	}
	limits := set.limits.orDefault(pool)
	if err := migratePostgreSQL(ctx, config); err != nil {
		return nil, fmt.Errorf("opening the store in PostgreSQL: %w", err)
	}
	db := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		return c.PgConn().Exec(ctx, session).Close()
	}))
	db.SetMaxOpenConns(limits.Connections)
	db.SetMaxIdleConns(limits.Connections)
	db.SetConnMaxIdleTime(idleTime)
	db.SetConnMaxLifetime(lifetime)
	p := &PostgreSQL{}
	p.on.db, p.database = db, database{engine: &p.on, limits: limits}
	return p, nil
}

// errDSN says nothing of what it was given: whoever forgets to encode a password has parts of it where pgx expects something else.
var errDSN = errors.New("the DSN is not understood: it has to be a URL such as postgres://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full, " +
	"with special characters in the password percent-encoded, or key=value pairs; the files it names have to be readable, and pool_max_conns a number from 1 to 200")

func parseDSN(dsn string) (*pgx.ConnConfig, int, error) {
	if strings.TrimSpace(dsn) == "" {
		return nil, 0, errors.New("the DSN is empty")
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, 0, errDSN
	}
	pool := connections
	for name, value := range config.RuntimeParams {
		if !strings.HasPrefix(name, "pool_") { // settings of pgx's own pool, which many have in their DSNs
			continue
		}
		delete(config.RuntimeParams, name)
		if name != "pool_max_conns" {
			continue
		}
		if pool, err = strconv.Atoi(value); err != nil || pool < 1 || pool > mostConnections {
			return nil, 0, errDSN
		}
	}
	if !strings.Contains(dsn, "connect_timeout") {
		config.ConnectTimeout = connectTimeout // pgx waits for two minutes
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "gatehouse"
	}
	return config, pool, nil
}

// migratePostgreSQL uses connections of its own: building an index may take longer than a request may.
func migratePostgreSQL(ctx context.Context, config *pgx.ConnConfig) error {
	s, err := schemaOf(goose.DialectPostgres, "postgresql")
	if err != nil {
		return err
	}
	db := stdlib.OpenDB(*config)
	defer func() { _ = db.Close() }() // nothing of it is kept
	db.SetMaxOpenConns(1)
	reach, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := db.PingContext(reach); err != nil {
		return postgresFault(err)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60), lock.WithUnlockTimeout(1, 10))
	if err != nil {
		return fmt.Errorf("preparing the lock of migrations: %w", err)
	}
	err = s.up(ctx, db, "use another database", goose.WithSessionLocker(locker))
	if newer, ok := errors.AsType[*newerError](err); ok {
		return newer
	}
	if err != nil {
		return fmt.Errorf("migrating: %w", postgresFault(err))
	}
	return nil
}

// Ping implements Store.
func (p *PostgreSQL) Ping(ctx context.Context) error {
	return p.view(ctx, func(t *tx) error {
		var one int64
		return t.get(`SELECT 1`, nil, &one)
	})
}

// Close lets calls under way finish and closes the connections.
func (p *PostgreSQL) Close() error {
	p.on.closed.Store(true)
	if err := p.on.db.Close(); err != nil {
		return fmt.Errorf("closing the store: %w", postgresFault(err))
	}
	return nil
}

// pgStatements are those of one connection or transaction.
type pgStatements struct {
	of interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
	engine *postgresEngine
}

func (s pgStatements) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	return s.of.ExecContext(ctx, s.engine.numbered(query), args...)
}

func (s pgStatements) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	return s.of.QueryContext(ctx, s.engine.numbered(query), args...)
}
