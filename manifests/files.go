// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFile bounds one file, in bytes.
const maxFile = 16 << 20

// stdinName stands for standard input in messages.
const stdinName = "<stdin>"

// source is one file's text.
type source struct {
	name string
	text []byte
}

// Sources are the texts that a load reads, in order.
type Sources []source

// Hash identifies the names and texts.
func (s Sources) Hash() string {
	h := sha256.New()
	for _, one := range s {
		sum := sha256.Sum256(one.text)
		_, _ = fmt.Fprintf(h, "%q %x\n", one.name, sum) // a hash never fails
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Read returns the text of every file that the paths name: files, folders (see Files) or "-" for stdin. A path that cannot be
// read is an error: it was asked for.
func Read(paths []string, stdin io.Reader) (Sources, error) {
	var out Sources
	seen := map[string]bool{}
	for _, path := range paths {
		if path == "-" {
			text, err := readAll(stdin)
			if err != nil {
				return nil, fmt.Errorf("reading standard input: %w", err)
			}
			out = append(out, source{stdinName, text})
			continue
		}
		files, err := Files(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if seen[file] {
				continue
			}
			seen[file] = true
			text, err := readFile(file)
			if err != nil {
				return nil, fmt.Errorf("reading manifests: %w", err)
			}
			out = append(out, source{file, text})
		}
	}
	return out, nil
}

// Files returns the manifests under a path: itself if it is a file, else every .yaml, .yml and .json file below the
// folder, in lexical order, without hidden ones and kustomizations. Symbolic links to files are followed, as in the
// volume of a ConfigMap; links to folders are not.
func Files(path string) ([]string, error) {
	path = filepath.Clean(path)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var out []string
	root := path + string(filepath.Separator) // a root that is a symbolic link is followed
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		p = filepath.Clean(p)
		hidden := p != path && strings.HasPrefix(d.Name(), ".")
		switch {
		case d.IsDir() && hidden:
			return filepath.SkipDir
		case d.IsDir() || hidden || !isManifest(d.Name()):
			return nil
		}
		if info, err := os.Stat(p); err != nil || info.Mode().IsRegular() {
			out = append(out, p) // one that cannot be read is told when it is read
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	slices.Sort(out)
	return out, nil
}

func isManifest(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml", ".json":
	default:
		return false
	}
	base := strings.TrimSuffix(strings.ToLower(name), strings.ToLower(filepath.Ext(name)))
	return base != "kustomization"
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only
	text, err := readAll(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return text, nil
}

func readAll(r io.Reader) ([]byte, error) {
	if r == nil {
		return nil, errors.New("there is none")
	}
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("more than %d MiB", maxFile>>20)
	}
	return text, err
}
