// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
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

// frame is what is around the policies.
type frame struct {
	Shard
	reader  *Reader
	decoder *jsontext.Decoder
	version int
}

// read is strict, like decode: one JSON object, known members only, nothing behind it. That no member is there twice is
// the decoder's to see.
func (f *frame) read() error {
	d := f.decoder
	if kind := d.PeekKind(); kind != '{' && kind != 0 {
		return errForm
	}
	if _, err := d.ReadToken(); err != nil {
		return explain(err)
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return explain(err)
		}
		if err := f.member(name.String()); err != nil {
			return err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return explain(err)
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return errTrailing
	}
	return nil
}

func (f *frame) member(name string) error {
	var into any
	switch name {
	case "version":
		into = &f.version
	case "shard":
		into = &f.Number
	case "count":
		into = &f.Count
	case "bundles":
		into = &f.Bundles
	case "policies":
		return f.list(f.entry)
	case "credentials":
		return f.list(f.credential)
	default:
		return errForm
	}
	value, err := f.decoder.ReadValue()
	if err != nil {
		return explain(err)
	}
	return decodeMember(name, value, into)
}

// list reads a list entry by entry.
func (f *frame) list(entry func(text []byte) error) error {
	d := f.decoder
	kind := d.PeekKind()
	if kind != '[' && kind != 'n' && kind != 0 {
		return errForm
	}
	if _, err := d.ReadToken(); err != nil {
		return explain(err)
	}
	if kind == 'n' {
		return nil
	}
	for d.PeekKind() != ']' {
		text, err := d.ReadValue()
		if err != nil {
			return explain(err)
		}
		if err := entry(text); err != nil {
			return err
		}
		if f.reader.Pause != nil {
			f.reader.Pause()
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return explain(err)
	}
	return nil
}

func (f *frame) entry(text []byte) error {
	e := Entry{Sum: sha256.Sum256(text)}
	if f.reader.Known != nil {
		if names, ok := f.reader.Known(e.Sum); ok {
			e.Names = names
			f.Entries = append(f.Entries, e)
			return nil
		}
	}
	p := new(Policy)
	if err := decodeMember("policies", text, p); err != nil {
		return err
	}
	e.Policy, e.Names = p, Names{Object: p.Object, TenantID: p.TenantID, CABundle: p.CABundle}
	f.Entries = append(f.Entries, e)
	return nil
}

// decodeMember decodes the value of a member, whose name goes before those of the fields that errors tell.
func decodeMember(name string, value []byte, into any) error {
	err := decodeStrictly(value, into)
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if kind.Field != "" {
			name += "." + kind.Field
		}
		kind.Field = name
	}
	if err == nil || errors.Is(err, errTrailing) {
		return err
	}
	return explain(err)
}

func (s *Shard) validate() error {
	seen := make(map[string]bool, len(s.Entries))
	for i := range s.Entries {
		e := &s.Entries[i]
		switch {
		case e.Object == "":
			return fmt.Errorf("%s: object is empty", s.At(i))
		case e.Policy != nil && !ValidTenantID(e.TenantID):
			return fmt.Errorf("%s: tenantID is not valid", s.At(i))
		case seen[e.TenantID]:
			return fmt.Errorf("%s: a second policy of its tenant", s.At(i))
		case ShardOf(e.TenantID, s.Count) != s.Number:
			return fmt.Errorf("%s: its tenant belongs to shard %d", s.At(i), ShardOf(e.TenantID, s.Count))
		}
		seen[e.TenantID] = true
		if e.Policy == nil {
			continue
		}
		if err := e.Policy.validate(); err != nil {
			return fmt.Errorf("%s: %w", s.At(i), err)
		}
	}
	if err := s.validateCredentials(); err != nil {
		return err
	}
	return s.validateBundles()
}

// validateBundles demands that each bundle is what its name says, that every one named is there and that none is there
// for nothing.
func (s *Shard) validateBundles() error {
	for hash, bundle := range s.Bundles {
		if Hash([]byte(bundle)) != hash { // the name is content as long as it is no hash
			return fmt.Errorf("bundles: the name of one is not its SHA-256")
		}
	}
	used := make(map[string]bool, len(s.Bundles))
	for i := range s.Credentials {
		if hash := s.Credentials[i].CABundle; hash != "" {
			if _, ok := s.Bundles[hash]; !ok {
				return fmt.Errorf("%s: caBundle names none of bundles", s.atCredential(i))
			}
			used[hash] = true
		}
	}
	for i := range s.Entries {
		hash := s.Entries[i].CABundle
		if hash == "" {
			continue
		}
		if _, ok := s.Bundles[hash]; !ok {
			return fmt.Errorf("%s: caBundle names none of bundles", s.At(i))
		}
		used[hash] = true
	}
	if n := len(s.Bundles) - len(used); n > 0 {
		return fmt.Errorf("bundles: %d of them are named by no policy and no credential", n)
	}
	return nil
}
