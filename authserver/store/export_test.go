// SPDX-License-Identifier: Apache-2.0

package store

import (
	"database/sql"
	"maps"
	"slices"
	"sync"
)

// Queries are the statements that the store has run, and DB is where to ask about them.
func (s *SQLite) Queries() []string {
	return append(keys(&s.on.reader.sql), slices.Collect(maps.Keys(s.on.writer.sql))...)
}

// DB is where to ask about statements.
func (s *SQLite) DB() *sql.DB { return s.read }

// Queries are the statements that the store has run, with PostgreSQL's placeholders.
func (p *PostgreSQL) Queries() []string {
	numbered := []string{}
	p.on.queries.Range(func(_, value any) bool {
		numbered = append(numbered, value.(string))
		return true
	})
	return numbered
}

// DB is where to ask about statements.
func (p *PostgreSQL) DB() *sql.DB { return p.on.db }

func keys(m *sync.Map) (found []string) {
	m.Range(func(key, _ any) bool {
		found = append(found, key.(string))
		return true
	})
	return found
}
