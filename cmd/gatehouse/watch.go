// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quiet is how long nothing must change before the manifests are read, so that an editor's several steps are one change.
	quiet = 100 * time.Millisecond
	// patience bounds that wait while changes keep coming.
	patience = time.Second
	// poll finds what inotify does not: file systems without it, and folders replaced as a whole.
	poll = 5 * time.Second
)

// watchPaths sends after each change near the paths, perhaps also without one; the reader compares. It ends with ctx.
//
// Folders are watched, not files: editors and the kubelet replace a file (or the link ..data beside it) instead of writing it.
func watchPaths(ctx context.Context, paths []string, log *slog.Logger) <-chan struct{} {
	out := make(chan struct{})
	w := &pathWatcher{paths: paths}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn("changes of the manifests are found by polling alone", "event", "manifests.watch", "error", err, "poll", poll.String())
	} else {
		w.notify = notify
		w.renew()
	}
	go w.run(ctx, out)
	return out
}

type pathWatcher struct {
	paths  []string
	notify *fsnotify.Watcher // nil: polling alone
}

func (w *pathWatcher) run(ctx context.Context, out chan<- struct{}) {
	var events <-chan fsnotify.Event
	var errs <-chan error
	if w.notify != nil {
		events, errs = w.notify.Events, w.notify.Errors
		defer func() { _ = w.notify.Close() }() // nothing to do about it
	}
	tick := time.NewTicker(poll)
	defer tick.Stop()
	var calm, late <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-events:
			if !w.relevant(filepath.Clean(e.Name)) {
				continue
			}
			calm = time.After(quiet)
			if late == nil {
				late = time.After(patience)
			}
			continue
		case <-errs: //nolint:errcheck // events were lost: look
		case <-calm:
		case <-late:
		case <-tick.C:
		}
		calm, late = nil, nil
		w.renew()
		select {
		case out <- struct{}{}:
		case <-ctx.Done():
			return
		}
	}
}

// relevant tells whether a change of that name can change what a path holds: the folder around a path may be a busy one.
func (w *pathWatcher) relevant(name string) bool {
	for _, path := range w.paths {
		path = filepath.Clean(path)
		real, err := filepath.EvalSymlinks(path)
		switch {
		case name == path || strings.HasPrefix(name, path+string(filepath.Separator)) || path == ".":
			return true
		case err == nil && (name == real || strings.HasPrefix(name, real+string(filepath.Separator))):
			return true
		case filepath.Dir(name) == filepath.Dir(path) && strings.HasPrefix(filepath.Base(name), "..data"):
			return true
		}
	}
	return false
}

// renew watches every folder that matters now. One that is watched already is not affected.
func (w *pathWatcher) renew() {
	if w.notify == nil {
		return
	}
	for _, path := range w.paths {
		if path == "-" {
			continue
		}
		for _, dir := range folders(path) {
			_ = w.notify.Add(dir) // polling finds what this misses
		}
	}
}

// folders are those whose changes can change what a path holds: a folder with the folders below it, or a file's own, and where
// either really lies if it is a symbolic link.
func folders(path string) []string {
	path = filepath.Clean(path)
	out := []string{filepath.Dir(path)}
	if real, err := filepath.EvalSymlinks(path); err == nil && real != path {
		out = append(out, filepath.Dir(real))
	}
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return out
	}
	out = out[:0]
	_ = filepath.WalkDir(path+string(filepath.Separator), func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || !d.IsDir():
			return nil //nolint:nilerr // reading the manifests tells of it
		case filepath.Clean(p) != path && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		}
		out = append(out, p)
		return nil
	})
	return append(out, filepath.Dir(path))
}
