// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/gatehouse-auth/gatehouse/authserver/pace"
)

// Options say what is watched. Zero durations mean the defaults.
type Options struct {
	// Dir is the directory.
	Dir string
	// Wanted tells which names are read.
	Wanted func(name string) bool
	// Limit is the longest file, in bytes; of a longer one, Limit+1 bytes are read.
	Limit int64
	// Quiet is how long no event must come before the directory is read, so that files written one after the other are
	// read together; 50ms. It is read at the latest after ten times that.
	Quiet time.Duration
	// Poll is the time between two looks without an event; 5s.
	Poll time.Duration
	// Log hears of directories that cannot be read or watched.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Quiet <= 0 {
		o.Quiet = 50 * time.Millisecond
	}
	if o.Poll <= 0 {
		o.Poll = 5 * time.Second
	}
	return o
}

// Run hands the directory's files to deliver: once at the start, and again whenever they may have changed, perhaps also
// when they have not. It calls deliver from its own goroutine, one call at a time, and returns when ctx ends. Where the
// directory cannot be read it says so and tries again; deliver is not called then.
func Run(ctx context.Context, o Options, deliver func(files map[string][]byte)) {
	w := &watcher{Options: o.withDefaults(), deliver: deliver}
	events, errs := w.notify()
	defer w.close()
	w.read()

	poll := time.NewTicker(w.Poll)
	defer poll.Stop()
	var quiet, latest <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-events:
			quiet = time.After(w.Quiet)
			if latest == nil {
				latest = time.After(10 * w.Quiet)
			}
			continue
		case err := <-errs:
			w.Log.Warn("watching the configuration directory", "error", err)
		case <-quiet:
		case <-latest:
		case <-poll.C:
			w.renew()
			if !w.changed() && !w.failed {
				continue
			}
		}
		quiet, latest = nil, nil
		w.read()
	}
}

type watcher struct {
	Options
	deliver func(map[string][]byte)
	inotify *fsnotify.Watcher
	seen    map[string]stamp // at the last reading
	failed  bool             // the last reading failed, and that has been said
	pacer   *pace.Pacer      // nil until something was delivered: nobody is served before
}

// notify starts inotify. Without it, polling is left.
func (w *watcher) notify() (<-chan fsnotify.Event, <-chan error) {
	n, err := fsnotify.NewWatcher()
	if err != nil {
		w.Log.Warn("changes of the configuration are found by polling alone", "error", err, "poll", w.Poll.String())
		return nil, nil
	}
	w.inotify = n
	w.renew()
	return n.Events, n.Errors
}

// renew watches the directory that now has the name; for one already watched it does nothing.
func (w *watcher) renew() {
	if w.inotify != nil {
		_ = w.inotify.Add(w.Dir) // a directory that is not there is told by read, and looked for at the next poll
	}
}

func (w *watcher) close() {
	if w.inotify != nil {
		_ = w.inotify.Close()
	}
}

func (w *watcher) read() {
	w.seen = w.stamps() // before the content: what changes meanwhile is seen at the next poll
	files, err := readPaced(w.Dir, w.Wanted, w.Limit, w.pacer)
	if err != nil {
		if !w.failed {
			w.Log.Error("reading the configuration; what is served stays as it is", "error", err)
		}
		w.failed = true
		return
	}
	w.failed = false
	w.deliver(files)
	w.pacer = &pace.Pacer{}
}

// stamp tells a file's states apart.
type stamp struct {
	path     string
	size     int64
	modified int64 // nanoseconds since 1970
}

func (w *watcher) changed() bool { return !maps.Equal(w.seen, w.stamps()) }

func (w *watcher) stamps() map[string]stamp {
	dir := state(w.Dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	stamps := make(map[string]stamp)
	for _, e := range entries {
		if !w.Wanted(e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if info, err := os.Stat(path); err == nil {
			stamps[e.Name()] = stamp{path, info.Size(), info.ModTime().UnixNano()}
		}
	}
	return stamps
}
