// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// disk opens stores when it is told to.
type disk struct {
	calls   atomic.Int64
	release chan error // what the attempt under way ends with
	closed  atomic.Int64
}

// fakeStore counts what is closed.
type fakeStore struct {
	store.None
	disk *disk
}

func (s fakeStore) Close() error { s.disk.closed.Add(1); return nil }

func (d *disk) open(context.Context, storePlace) (store.Store, error) {
	d.calls.Add(1)
	if err := <-d.release; err != nil {
		return nil, err
	}
	return fakeStore{disk: d}, nil
}

// TestAHangingDiskStopsLoginsOnly guards that neither a reload nor /configz nor a decision waits for the store.
func TestAHangingDiskStopsLoginsOnly(t *testing.T) {
	l := newLab(t, nil)
	d := &disk{release: make(chan error)}
	l.store.open = d.open
	first := render(t, baseOf(nil), 1, policies(t)...)
	for _, files := range []map[string][]byte{first, render(t, baseOf(func(b *config.Base) { b.Tokens.AccessTokenLifetime++ }), 1)} {
		if err := l.Load(files); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "an attempt", func() bool { return d.calls.Load() == 1 })
	if !strings.Contains(httpGetOps(t, l, "/configz"), `"mounted"`) {
		t.Error("/configz does not answer")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.store.Family(ctx, store.Hash{}, now); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that went away: %v", err)
	}
	d.release <- nil
	if _, err := l.store.Family(t.Context(), store.Hash{}, now); !errors.Is(err, store.ErrNoStore) { // it is None's answer
		t.Errorf("after the disk came back: %v", err)
	}
	if d.calls.Load() != 1 {
		t.Errorf("opened %d times", d.calls.Load())
	}
}

// TestAStoreIsTriedAgain guards the waits: for an attempt under way, between two of them, and at the end.
func TestAStoreIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{release: make(chan error)}
		s := newLateStore("", time.Now, slog.New(slog.DiscardHandler))
		s.open = d.open
		begin := time.Now()
		if _, err := s.get(t.Context()); !errors.Is(err, errOpening) || time.Since(begin) != openWait {
			t.Errorf("a disk that hangs: %v after %s", err, time.Since(begin))
		}
		broken := errors.New("input/output error")
		d.release <- broken
		synctest.Wait()
		for range 3 {
			if _, err := s.get(t.Context()); !errors.Is(err, broken) || d.calls.Load() != 1 {
				t.Errorf("right after a failure: %v, attempt %d", err, d.calls.Load())
			}
		}
		time.Sleep(openInterval) // the bubble's clock
		go func() { d.release <- nil }()
		if st, err := s.get(t.Context()); err != nil || st == nil || d.calls.Load() != 2 {
			t.Errorf("later: %v, attempt %d", err, d.calls.Load())
		}
		s.close()
		if _, err := s.get(t.Context()); !errors.Is(err, store.ErrClosed) || d.closed.Load() != 1 || d.calls.Load() != 2 {
			t.Errorf("after the end: %v, closed %d times, attempt %d", err, d.closed.Load(), d.calls.Load())
		}
	})
}

// TestAStoreThatOpensAfterTheEndIsClosed guards that the end waits for a hanging disk, but not long, and leaks no store.
func TestAStoreThatOpensAfterTheEndIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{release: make(chan error)}
		s := newLateStore("", time.Now, slog.New(slog.DiscardHandler))
		s.open = d.open
		s.prepare()
		synctest.Wait()
		begin := time.Now()
		s.close()
		if took := time.Since(begin); took != closeWait {
			t.Errorf("the end took %s, want %s", took, closeWait)
		}
		d.release <- nil
		synctest.Wait()
		if d.closed.Load() != 1 {
			t.Error("the store was left open")
		}
	})
}

// TestAnotherStore guards that a change of the connection string is a change of the store, at once, and that the one of before is closed.
func TestAnotherStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{release: make(chan error, 8)}
		var places []storePlace
		s := newLateStore("/data", time.Now, slog.New(slog.DiscardHandler))
		s.open = func(ctx context.Context, at storePlace) (store.Store, error) {
			places = append(places, at)
			return d.open(ctx, at)
		}
		defer s.close()
		for _, dsn := range []string{"", "", "host=a", "host=a", "host=b", "host=b ca", ""} {
			d.release <- nil
			dsn, bundle, _ := strings.Cut(dsn, " ")
			s.use(dsn, bundle)
			if _, err := s.get(t.Context()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		want := []storePlace{{dir: "/data"}, {dsn: "host=a"}, {dsn: "host=b"}, {dsn: "host=b", caBundle: "ca"}, {dir: "/data"}}
		if !slices.Equal(places, want) || d.closed.Load() != 4 {
			t.Errorf("opened %v, closed %d", places, d.closed.Load())
		}
	})
}
