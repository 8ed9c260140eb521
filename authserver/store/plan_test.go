// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
	"github.com/gatehouse-auth/gatehouse/authserver/store/conformance"
	"github.com/gatehouse-auth/gatehouse/test/postgres"
)

// fewest is how many different statements the suite runs at least. Without it a plan test that looked at none would pass.
const fewest = 45

// sweepOnly is the one statement that walks along an index, up to a bound: it counts what is to be evicted, in the sweep and not
// on a request.
func sweepOnly(query string) bool {
	return strings.HasPrefix(query, "SELECT count(*) FROM (SELECT 1 FROM counters") || strings.Contains(query, "FROM counters ORDER BY expires_at LIMIT")
}

// inspected runs the suite and then looks at each statement that the stores ran.
func inspected[S interface {
	store.Store
	Queries() []string
}](t *testing.T, open func(*testing.T, ...store.Option) S, look func(*testing.T, string)) {
	queries := map[string]bool{}
	conformance.Run(t, func(t *testing.T, o ...store.Option) store.Store {
		s := open(t, o...)
		t.Cleanup(func() {
			_ = s.Close() // nothing is run any more
			for _, q := range s.Queries() {
				queries[q] = true
			}
		})
		return s
	})
	seen := 0
	for q := range queries {
		if first, _, _ := strings.Cut(q, " "); strings.Contains("BEGIN COMMIT ROLLBACK SAVEPOINT RELEASE", first) {
			continue
		}
		seen++
		if !sweepOnly(q) {
			look(t, q)
		}
	}
	if seen < fewest {
		t.Errorf("the suite ran %d different statements; at least %d exist", seen, fewest)
	}
}

// TestSQLiteInMemory runs the suite, and guards that every statement is answered from an index.
func TestSQLiteInMemory(t *testing.T) {
	s := open(t, "")
	defer s.Close()
	inspected(t, func(t *testing.T, o ...store.Option) *store.SQLite { return open(t, "", o...) }, func(t *testing.T, q string) {
		rows, err := s.DB().Query("EXPLAIN QUERY PLAN "+q, make([]any, strings.Count(q, "?"))...)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(detail, "SCAN ") && detail != "SCAN CONSTANT ROW" && !strings.HasSuffix(detail, "VALUES CLAUSE") {
				t.Errorf("%s\n%s", q, detail)
			}
		}
		if err := rows.Err(); err != nil {
			t.Error(err)
		}
	})
}

// TestPostgreSQL runs the suite, and guards that an index exists for every statement: with sequential scans forbidden, the planner takes
// one only where there is no other way, or walks an index without a condition.
func TestPostgreSQL(t *testing.T) {
	s := openPostgres(t, postgres.Start(t), store.WithLimits(store.Limits{Connections: 1}))
	for _, set := range []string{"SET enable_seqscan = off", "SET plan_cache_mode = force_generic_plan"} {
		if _, err := s.DB().Exec(set); err != nil {
			t.Fatal(err)
		}
	}
	n, dsn := 0, postgres.Start(t)
	inspected(t, func(t *testing.T, o ...store.Option) *store.PostgreSQL {
		return emptied(t, dsn, o...)
	}, func(t *testing.T, q string) {
		n++
		plan := explain(t, s.DB(), fmt.Sprintf("q%d", n), q)
		for i, line := range plan {
			walks := (strings.Contains(line, "Index Scan") || strings.Contains(line, "Index Only Scan")) &&
				!strings.Contains(strings.Join(plan[i+1:min(i+2, len(plan))], ""), "Index Cond")
			if strings.Contains(line, "Seq Scan") || walks {
				t.Errorf("%s\n%s", q, strings.Join(plan, "\n"))
				break
			}
		}
	})
}

func explain(t *testing.T, db *sql.DB, name, query string) (lines []string) {
	t.Helper()
	if strings.Contains(query, "advisory") || query == "SELECT 1" {
		return nil
	}
	if _, err := db.Exec("PREPARE " + name + " AS " + query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	nulls := strings.TrimPrefix(strings.Repeat(", NULL", strings.Count(query, "$")), ", ")
	if nulls != "" {
		nulls = "(" + nulls + ")"
	}
	rows, err := db.Query("EXPLAIN EXECUTE " + name + nulls)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		t.Error(err)
	}
	return lines
}
