// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Sum is the SHA-256 of a policy's text as it stands in a file.
type Sum [sha256.Size]byte

// Names are what must be known of a policy to check it against the others of its file.
type Names struct {
	Object, TenantID string
	// CABundle names one of the file's bundles by its content; empty for none.
	CABundle string
}

// Entry is one policy of a tenants file.
type Entry struct {
	Names
	Sum Sum
	// Policy is nil where the reader knew the text.
	Policy *Policy
}

// Shard is a tenants file that a [Reader] has read.
type Shard struct {
	// Number and Count are those of the file's name.
	Number, Count int
	// Bundles are as in [Tenants].
	Bundles map[string]string
	Entries []Entry
	// Credentials are as in [Tenants].
	Credentials []Credential
}

// At names a policy for a message: by its key at /configz if it has the form of one, else by its place in the file.
func (s *Shard) At(i int) string { return where("policies", i, s.Entries[i].Object) }

// Reader reads tenants files policy by policy, so that neither the whole of a file is in memory nor anybody waits until it
// is done. The zero value is ready to use.
type Reader struct {
	// Known returns the names of the policy that has been accepted with a text before; it is not decoded and checked by itself
	// again, as its text says the same. Nil knows none.
	Known func(Sum) (Names, bool)
	// Pause, if not nil, is called between policies and credentials.
	Pause func()
}

// Read reads a tenants file by its name, which must agree with its content.
func (r *Reader) Read(file string, data []byte) (*Shard, error) {
	count, n, ok := ParseTenantsFile(file)
	if !ok {
		return nil, fmt.Errorf("parsing %s: not the name of a tenants file", file)
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("decompressing %s: %w", file, err)
	}
	in := &content{from: z, left: MaxShardContent}
	f := &frame{reader: r, decoder: jsontext.NewDecoder(in)}
	err = f.read()
	if in.err != nil { // whatever it looked like to the decoder
		return nil, fmt.Errorf("decompressing %s: %w", file, in.err)
	}
	if err != nil {
		return nil, fmt.Errorf("parsing %s: %w", file, err)
	}
	if err := checkVersion(f.version); err != nil {
		return nil, fmt.Errorf("checking %s: %w", file, err)
	}
	if f.Count != count || f.Number != n {
		return nil, fmt.Errorf("checking %s: %w", file, otherShard(f.Number, f.Count))
	}
	if err := f.validate(); err != nil {
		return nil, fmt.Errorf("checking %s: %w", file, err)
	}
	return &f.Shard, nil
}

// content is a file's content, of which no more than left bytes are read.
type content struct {
	from io.Reader
	left int
	err  error // why it ended, but for its end
}

func (c *content) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.from.Read(p[:min(len(p), c.left+1)])
	if c.left -= n; c.left < 0 {
		err = fmt.Errorf("more than %d bytes", MaxShardContent)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}
