// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
	"github.com/gatehouse-auth/gatehouse/test/postgres"
)

// TestCommittedAnswersSurviveAKill kills, many times and at random moments, a process that logs in and refreshes as fast as it can
// from several goroutines, and tells each success. What it told has to be there afterwards, and no token may have two successors.
func TestCommittedAnswersSurviveAKill(t *testing.T) {
	if isChild() {
		workUntilKilled(t, opened(t))
		return
	}
	killClient := func(cmd *exec.Cmd) { _ = cmd.Process.Kill() } // it may have ended
	t.Run("SQLite", func(t *testing.T) {
		dir := t.TempDir()
		for range 12 {
			told := work(t, dir, killClient)
			s := open(t, dir)
			check(t, s, told)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		dsn := postgres.Start(t)
		for range 6 {
			told := work(t, dsn, killClient)
			check(t, openPostgres(t, dsn), told)
		}
	})
	t.Run("PostgreSQL server", func(t *testing.T) {
		server := postgres.New(t, postgres.Options{})
		dsn := server.DSN(t)
		for range 4 {
			told := work(t, dsn, func(*exec.Cmd) { server.Kill(t) })
			server.Restart(t)
			check(t, openPostgres(t, dsn), told)
		}
	})
}

// crashFamily is a family of a child, which its number names.
func crashFamily(name string) store.Family {
	f := family(0)
	f.Key, f.Owner, f.Current = sha256.Sum256([]byte(name)), "owner "+name, crashToken(name, 0)
	return f
}

func crashToken(name string, n int) store.Hash {
	return sha256.Sum256(fmt.Appendf(nil, "%s token %d", name, n))
}

func crashRotation(name string, n int) store.Rotation {
	return store.Rotation{
		Family: crashFamily(name).Key, Used: crashToken(name, n), Successor: crashToken(name, n+1), Sealed: fmt.Appendf(nil, "%d", n+1),
		Now: start, ExpiresAt: crashFamily(name).ExpiresAt,
	}
}

// workUntilKilled tells which token of which family is current, once the store has said so. It ends when the database is away.
func workUntilKilled(t *testing.T, s store.Store) {
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for k := 0; ; k++ {
				name := fmt.Sprintf("%d.%d.%d", os.Getpid(), worker, k)
				err := s.CreateFamily(context.Background(), crashFamily(name), 5)
				for n := 0; err == nil && n < 6; n++ {
					fmt.Printf("told %s %d\n", name, n)
					_, err = s.Rotate(context.Background(), crashRotation(name, n))
				}
				if errors.Is(err, store.ErrUnavailable) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// work runs a child and calls kill after a random number of its answers. It returns what the child told.
func work(t *testing.T, where string, kill func(*exec.Cmd)) map[string]int {
	t.Helper()
	cmd := child(t, where)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told, last := map[string]int{}, 1+rand.IntN(400)
	lines := bufio.NewScanner(out)
	for count := 0; lines.Scan(); {
		var name string
		var n int
		if parsed, _ := fmt.Sscanf(lines.Text(), "told %s %d", &name, &n); parsed != 2 {
			continue
		}
		told[name] = max(told[name], n)
		if count++; count == last {
			kill(cmd)
		}
	}
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // killed, or ended by what was
	if len(told) == 0 {
		t.Fatal("the child told nothing")
	}
	return told
}

// check looks for what was told. One more rotation of a family may have been committed and not told.
func check(t *testing.T, s store.Store, told map[string]int) {
	t.Helper()
	for name, n := range told {
		f, err := s.Family(t.Context(), crashFamily(name).Key, start)
		if err != nil {
			t.Errorf("family %s with token %d was told, and is gone: %v", name, n, err)
			continue
		}
		if f.Current != crashToken(name, n) && f.Current != crashToken(name, n+1) {
			t.Errorf("family %s: token %d was told, and another is current", name, n)
		}
		if n == 0 {
			continue
		}
		again := crashRotation(name, n-1)
		again.Successor, again.Sealed = crashToken(name, -1), []byte("a second successor")
		if got, err := s.Rotate(t.Context(), again); err != nil || string(got.Sealed) != fmt.Sprint(n) {
			t.Errorf("family %s: a repeat of token %d got %q, %v", name, n-1, got.Sealed, err)
		}
		again.Now = start.Add(store.Grace + time.Millisecond)
		if _, err := s.Rotate(t.Context(), again); !errors.Is(err, store.ErrReused) {
			t.Errorf("family %s: a late repeat: %v", name, err)
		}
	}
}
