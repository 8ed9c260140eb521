// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
	"github.com/gatehouse-auth/gatehouse/test/postgres"
)

func openPostgres(t testing.TB, dsn string, options ...store.Option) *store.PostgreSQL {
	t.Helper()
	s, err := store.OpenPostgreSQL(t.Context(), dsn, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// emptied opens a database of which every table is emptied first, which is quicker than a new one for each test.
func emptied(t *testing.T, dsn string, options ...store.Option) *store.PostgreSQL {
	t.Helper()
	s := openPostgres(t, dsn, options...)
	for _, table := range []string{"users", "user_counts", "sessions", "refresh_families", "codes", "uses", "use_counts", "counters"} { // others follow them
		if _, err := s.DB().Exec("DELETE FROM " + table); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// TestReplicasShareOneState has two stores use one refresh token, count in one counter and take one code at once, as replicas do.
func TestReplicasShareOneState(t *testing.T) {
	dsn := postgres.Start(t)
	replicas := []*store.PostgreSQL{openPostgres(t, dsn), openPostgres(t, dsn)}
	if err := replicas[0].CreateFamily(t.Context(), family(0), 1); err != nil {
		t.Fatal(err)
	}
	key := []store.CounterKey{{Group: token(1), Part: "p"}}
	var mu sync.Mutex
	successors, uses := map[string]bool{}, 0
	var wg sync.WaitGroup
	for n := range 20 {
		s := replicas[n%2]
		wg.Go(func() {
			r := rotation(0)
			r.Successor, r.Sealed = token(100+n), fmt.Appendf(nil, "%d", n)
			got, err := s.Rotate(t.Context(), r)
			counted := s.EditCounters(t.Context(), key, start, func(c []store.Counter) { c[0].Failures++; c[0].ExpiresAt = start.Add(time.Hour) })
			used := s.Use(t.Context(), "scope", token(2), start, start.Add(time.Hour))
			if err := errors.Join(err, counted); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if got.Sealed == nil {
				got.Sealed = r.Sealed
			}
			successors[string(got.Sealed)] = true
			if used == nil {
				uses++
			} else if !errors.Is(used, store.ErrReused) {
				t.Error(used)
			}
		})
	}
	wg.Wait()
	counters, err := replicas[0].Counters(t.Context(), key, start)
	if err != nil || len(successors) != 1 || uses != 1 || counters[0].Failures != 20 {
		t.Errorf("%d successors, %d uses, %+v, %v", len(successors), uses, counters, err)
	}
}

// TestDSNIsNeverTold gives DSNs in which a password stands where something else is expected. No error may hold it, nor its pieces.
func TestDSNIsNeverTold(t *testing.T) {
	good := postgres.Start(t)
	port := good[strings.LastIndex(good, "127.0.0.1:")+len("127.0.0.1:"):]
	port = port[:strings.IndexByte(port, '/')]
	for _, dsn := range []string{
		"postgres://user:hunter2/hunter3@127.0.0.1:" + port + "/db", "postgres://user:hunter2@hunter3@127.0.0.1:1/db", "postgres://user:hunter2%zz@127.0.0.1/db",
		"postgres://user:hunter2#hunter3@127.0.0.1/db", "postgres://user:hunter2?hunter3@127.0.0.1/db", "postgres://hunter2:hunter3", "hunter2 hunter3",
		"host=127.0.0.1 port=hunter3 password=hunter2", "host=127.0.0.1 port=" + port + " user=u password=hunter2 hunter3=x sslmode=disable",
		"host=127.0.0.1 port=" + port + " user=hunter2 password=hunter3 dbname=hunter2 sslmode=disable", "password=hunter2' hunter3 host=127.0.0.1",
		"host=hunter2.invalid user=u password=hunter3", "host=127.0.0.1 port=1 user=hunter2 dbname=hunter3 connect_timeout=hunter2",
		"host=127.0.0.1 port=" + port + " user=gatehouse password=" + postgres.Password + " dbname=hunter2 sslmode=disable",
		"host=127.0.0.1 port=" + port + " user=gatehouse password=hunter2 sslmode=verify-full sslrootcert=/hunter3",
		"host=/hunter2 user=u password=hunter3", "postgres://user:hunter2@127.0.0.1/db?pool_max_conns=hunter3", "postgres://u:hunter2@127.0.0.1/db?hunter3",
		strings.Replace(good, "?", "?hunter2=hunter3&", 1), "", " ",
	} {
		s, err := store.OpenPostgreSQL(t.Context(), dsn)
		if err == nil {
			_ = s.Close()
			t.Errorf("%s: opened", dsn)
			continue
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			for _, format := range []string{"%v", "%+v", "%#v", "%q"} {
				if told := fmt.Sprintf(format, e); strings.Contains(told, "hunter") || strings.Contains(told, postgres.Password) {
					t.Errorf("%s: the error tells %s", dsn, told)
				}
			}
		}
	}
}

func TestPoolSizeIsTakenFromTheDSN(t *testing.T) {
	dsn := postgres.Start(t) + "&pool_max_conns=1&pool_min_conns=1"
	s := openPostgres(t, dsn)
	err := s.EditUsers(t.Context(), "o", func(store.UserTx) error {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := s.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a second connection: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := store.OpenPostgreSQL(t.Context(), postgres.Start(t)+"&pool_max_conns=0"); err == nil {
		t.Error("a pool without connections was opened")
	}
}

// TestDatabaseAwayAndBack guards that a server that is stopped, killed or silent makes calls fail in bounded time with
// ErrUnavailable, and that nobody is needed afterwards.
func TestDatabaseAwayAndBack(t *testing.T) {
	server := postgres.New(t, postgres.Options{})
	dsn := server.DSN(t)
	s := openPostgres(t, dsn)
	if err := s.CreateFamily(t.Context(), family(0), 1); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range []struct {
		name     string
		away     func(testing.TB)
		back     func(testing.TB)
		openable bool
	}{
		{"stopped", server.Stop, server.Restart, false}, {"killed", server.Kill, server.Restart, false}, {"silent", server.Pause, server.Resume, true},
	} {
		c.away(t)
		began := time.Now()
		for what, err := range map[string]error{
			"Rotate":    rotateError(s, n),
			"Family":    second(s.Family(t.Context(), family(0).Key, start)),
			"EditUsers": s.EditUsers(t.Context(), "o", func(tx store.UserTx) error { return second(tx.User("x")) }),
			"Ping":      s.Ping(t.Context()),
			"opening":   second(store.OpenPostgreSQL(t.Context(), dsn)),
		} {
			if !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("%s: %s: %v", c.name, what, err)
			}
		}
		if took := time.Since(began); took > 5*time.Minute {
			t.Errorf("%s: five calls took %v", c.name, took)
		}
		gaveUp, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := s.Ping(gaveUp); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: a caller in a hurry: %v", c.name, err)
		}
		cancel()
		c.back(t)
		for deadline := time.Now().Add(2 * time.Minute); s.Ping(t.Context()) != nil; {
			if time.Now().After(deadline) {
				t.Fatalf("%s: the store does not recover", c.name)
			}
		}
		// What was sent to a silent server may have been done. It is as if the answer was lost, and a repeat gets it.
		if err := rotateError(s, n); err != nil {
			t.Errorf("%s: afterwards: %v", c.name, err)
		}
		n++
	}
}

func second[T any](_ T, err error) error { return err }

func rotateError(s store.Store, n int) error {
	return second(s.Rotate(context.Background(), rotation(n)))
}
