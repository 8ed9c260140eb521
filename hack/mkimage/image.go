// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// image is what an archive holds.
type image struct {
	tag, arch, entrypoint string
	labels                map[string]string
	files                 []file
}

// file is one file of the image: where it is here and where it goes.
type file struct{ source, target string }

// parseFile reads SOURCE or SOURCE=TARGET; without a target the file goes to the image's root folder.
func parseFile(arg string) file {
	source, target, ok := strings.Cut(arg, "=")
	if !ok {
		target = "/" + path.Base(source)
	}
	return file{source: source, target: strings.TrimPrefix(path.Clean("/"+target), "/")}
}

// config is the part of the OCI image configuration that is used here.
type config struct {
	Architecture string          `json:"architecture"`
	OS           string          `json:"os"`
	Config       containerConfig `json:"config"`
	RootFS       rootFS          `json:"rootfs"`
}

type containerConfig struct {
	User       string            `json:"User"`
	Entrypoint []string          `json:"Entrypoint,omitempty"`
	Labels     map[string]string `json:"Labels,omitempty"`
	WorkingDir string            `json:"WorkingDir"`
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

// manifest is the entry of a docker-archive's manifest.json.
type manifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// write writes the archive.
func (img image) write(w io.Writer) error {
	layer, err := img.layer()
	if err != nil {
		return err
	}
	sum := digest(layer)
	configJSON, err := json.Marshal(config{
		Architecture: img.arch,
		OS:           "linux",
		Config:       img.containerConfig(),
		RootFS:       rootFS{Type: "layers", DiffIDs: []string{"sha256:" + sum}},
	})
	if err != nil {
		return err
	}
	m := manifest{Config: digest(configJSON) + ".json", RepoTags: []string{img.tag}, Layers: []string{sum + ".tar"}}
	manifestJSON, err := json.Marshal([]manifest{m})
	if err != nil {
		return err
	}
	archive := tar.NewWriter(w)
	for _, entry := range []struct {
		name string
		data []byte
	}{{m.Layers[0], layer}, {m.Config, configJSON}, {"manifest.json", manifestJSON}} {
		if err := addFile(archive, entry.name, 0o644, entry.data); err != nil {
			return err
		}
	}
	return archive.Close()
}

func (img image) containerConfig() containerConfig {
	c := containerConfig{User: "65532:65532", Labels: img.labels, WorkingDir: "/"}
	if img.entrypoint != "" {
		c.Entrypoint = []string{img.entrypoint}
	}
	return c
}

// layer returns the tar of the image's only layer, sorted by path.
func (img image) layer() ([]byte, error) {
	var out bytes.Buffer
	layer := tar.NewWriter(&out)
	header := header("tmp/", 0o1777)
	header.Typeflag = tar.TypeDir
	if err := layer.WriteHeader(header); err != nil {
		return nil, err
	}
	files := slices.SortedFunc(slices.Values(img.files), func(a, b file) int { return cmp.Compare(a.target, b.target) })
	for _, f := range files {
		info, err := os.Stat(f.source)
		if err != nil {
			return nil, err
		}
		data, err := os.ReadFile(f.source)
		if err != nil {
			return nil, err
		}
		mode := int64(0o644)
		if info.Mode()&0o111 != 0 {
			mode = 0o755
		}
		if err := addFile(layer, f.target, mode, data); err != nil {
			return nil, fmt.Errorf("adding %s: %w", f.source, err)
		}
	}
	if err := layer.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func addFile(w *tar.Writer, name string, mode int64, data []byte) error {
	h := header(name, mode)
	h.Typeflag, h.Size = tar.TypeReg, int64(len(data))
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}

// header returns an entry of root's that is as old as everything else.
func header(name string, mode int64) *tar.Header {
	return &tar.Header{Name: name, Mode: mode, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
