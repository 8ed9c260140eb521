// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gatehouse-auth/gatehouse/authserver/pace"
)

// dataLink is the symbolic link that the kubelet swaps; it names the directory of the current state.
const dataLink = "..data"

// attempts bounds how often a reading is begun again because the link was swapped meanwhile.
const attempts = 5

// Read reads the files of dir whose names are wanted, each up to limit+1 bytes: one byte too many tells the caller that
// a file is too long. All of them are of one state of a kubelet's volume. A file that cannot be read is an error.
func Read(dir string, wanted func(name string) bool, limit int64) (map[string][]byte, error) {
	return readPaced(dir, wanted, limit, nil)
}

// readPaced is Read that makes way for requests between files.
func readPaced(dir string, wanted func(name string) bool, limit int64, pacer *pace.Pacer) (map[string][]byte, error) {
	var err error
	for range attempts {
		before := state(dir)
		var files map[string][]byte
		if files, err = readAll(before, wanted, limit, pacer); err == nil && state(dir) == before {
			return files, nil
		}
		if err != nil && state(dir) == before {
			break // not a swap's doing
		}
	}
	if err == nil {
		err = errors.New("it changes all the time")
	}
	return nil, fmt.Errorf("reading configuration directory %s: %w", dir, err)
}

// state is the directory that holds the current state.
func state(dir string) string {
	if target, err := os.Readlink(filepath.Join(dir, dataLink)); err == nil {
		if filepath.IsAbs(target) {
			return target
		}
		return filepath.Join(dir, target)
	}
	return dir
}

func readAll(dir string, wanted func(string) bool, limit int64, pacer *pace.Pacer) (map[string][]byte, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for _, e := range entries {
		if !wanted(e.Name()) {
			continue
		}
		content, err := readFile(filepath.Join(dir, e.Name()), limit)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed since it was listed
		}
		if err != nil {
			return nil, err
		}
		files[e.Name()] = content
		pacer.Pause()
	}
	return files, nil
}

func readFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path) // before it is opened: opening a pipe would block
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	var content bytes.Buffer
	content.Grow(int(min(info.Size(), limit)) + bytes.MinRead) // at once, as reloads should leave little to collect
	_, err = content.ReadFrom(io.LimitReader(f, limit+1))
	return content.Bytes(), err
}
