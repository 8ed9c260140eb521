// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func wanted(name string) bool { return strings.HasSuffix(name, ".json") }

// kubelet writes states of a volume as the kubelet does: a new directory, then the link swapped by rename.
type kubelet struct {
	t   *testing.T
	dir string
	n   int
}

func (k *kubelet) write(files map[string]string) {
	k.t.Helper()
	k.n++
	name := fmt.Sprintf("..2026_%d", k.n)
	check(k.t, os.Mkdir(filepath.Join(k.dir, name), 0o700))
	for file, text := range files {
		check(k.t, os.WriteFile(filepath.Join(k.dir, name, file), []byte(text), 0o600))
		_ = os.Symlink(filepath.Join(dataLink, file), filepath.Join(k.dir, file)) // there already but the first time
	}
	old, _ := os.Readlink(filepath.Join(k.dir, dataLink))
	check(k.t, os.Symlink(name, filepath.Join(k.dir, "..data_tmp")))
	check(k.t, os.Rename(filepath.Join(k.dir, "..data_tmp"), filepath.Join(k.dir, dataLink)))
	if old != "" {
		check(k.t, os.RemoveAll(filepath.Join(k.dir, old)))
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := Read(dir, wanted, 10)
	check(t, err)
	return texts(files)
}

func texts(files map[string][]byte) map[string]string {
	out := make(map[string]string, len(files))
	for name, data := range files {
		out[name] = string(data)
	}
	return out
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "a.json"), []byte("a"), 0o600))
	check(t, os.WriteFile(filepath.Join(dir, "long.json"), []byte("0123456789abcdef"), 0o600))
	check(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("n"), 0o600))
	if got, want := read(t, dir), map[string]string{"a.json": "a", "long.json": "0123456789a"}; !maps.Equal(got, want) {
		t.Errorf("plain files: %v, want %v", got, want)
	}
	if _, err := Read(filepath.Join(dir, "none"), wanted, 10); err == nil {
		t.Error("a directory that is not there was read")
	}
	check(t, os.Mkdir(filepath.Join(dir, "dir.json"), 0o700))
	if _, err := Read(dir, wanted, 10); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a directory under a file's name: %v", err)
	}
}

// TestReadNeverMixesStates reads while the kubelet swaps: both files are always of one state.
func TestReadNeverMixesStates(t *testing.T) {
	k := &kubelet{t: t, dir: t.TempDir()}
	k.write(map[string]string{"a.json": "0", "b.json": "0"})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 200 {
			k.write(map[string]string{"a.json": fmt.Sprint(i), "b.json": fmt.Sprint(i)})
		}
	}()
	reads := 0
	for {
		select {
		case <-done:
			if got := read(t, k.dir); got["a.json"] != "199" || reads == 0 {
				t.Errorf("the end is %v after %d readings", got, reads)
			}
			return
		default:
		}
		files, err := Read(k.dir, wanted, 10)
		if err != nil {
			continue // swapped faster than read: the caller tries again
		}
		reads++
		if got := texts(files); got["a.json"] != got["b.json"] || got["a.json"] == "" {
			t.Fatalf("mixed: %v", got)
		}
	}
}

// recorder keeps what was delivered last.
type recorder struct {
	mu    sync.Mutex
	last  map[string]string
	count int
}

func (r *recorder) deliver(files map[string][]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.count = texts(files), r.count+1
}

func (r *recorder) await(t *testing.T, want map[string]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		r.mu.Lock()
		got := r.last
		r.mu.Unlock()
		if got != nil && maps.Equal(got, want) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("delivered %v, want %v", got, want)
		}
	}
}

// start watches until the test ends; poll is long where inotify alone must do.
func start(t *testing.T, dir string, poll time.Duration) *recorder {
	t.Helper()
	r := &recorder{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		Run(ctx, Options{Dir: dir, Wanted: wanted, Limit: 10, Quiet: 10 * time.Millisecond, Poll: poll, Log: slog.New(slog.DiscardHandler)}, r.deliver)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return r
}

func TestKubeletSwapIsNoticed(t *testing.T) {
	k := &kubelet{t: t, dir: t.TempDir()}
	k.write(map[string]string{"a.json": "1"})
	r := start(t, k.dir, time.Hour)
	r.await(t, map[string]string{"a.json": "1"})
	k.write(map[string]string{"a.json": "2"})
	r.await(t, map[string]string{"a.json": "2"})
	k.write(map[string]string{"b.json": "3"})
	r.await(t, map[string]string{"b.json": "3"})
}

func TestPlainFilesAreNoticed(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir, time.Hour)
	r.await(t, map[string]string{})
	for i := range 3 {
		check(t, os.WriteFile(filepath.Join(dir, "a.json"), []byte(fmt.Sprint(i)), 0o600))
		r.await(t, map[string]string{"a.json": fmt.Sprint(i)})
	}
	check(t, os.Remove(filepath.Join(dir, "a.json")))
	r.await(t, map[string]string{})
}

// TestPollFindsAReplacedDirectory guards what inotify does not see.
func TestPollFindsAReplacedDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config")
	r := start(t, dir, 20*time.Millisecond) // not there yet
	check(t, os.Mkdir(dir, 0o700))
	check(t, os.WriteFile(filepath.Join(dir, "a.json"), []byte("1"), 0o600))
	r.await(t, map[string]string{"a.json": "1"})
	next := dir + ".next"
	check(t, os.Mkdir(next, 0o700))
	check(t, os.WriteFile(filepath.Join(next, "a.json"), []byte("2"), 0o600))
	check(t, os.Rename(dir, dir+".old"))
	check(t, os.Rename(next, dir))
	r.await(t, map[string]string{"a.json": "2"})
	check(t, os.WriteFile(filepath.Join(dir, "a.json"), []byte("3"), 0o600))
	r.await(t, map[string]string{"a.json": "3"})
}

// TestManyChangesAreFewReadings guards the debounce: a hundred files are not a hundred reloads.
func TestManyChangesAreFewReadings(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir, time.Hour)
	r.await(t, map[string]string{})
	want := map[string]string{}
	for i := range 100 {
		name := fmt.Sprintf("%d.json", i)
		want[name] = "x"
		check(t, os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600))
	}
	r.await(t, want)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count > 30 {
		t.Errorf("%d readings", r.count)
	}
}
