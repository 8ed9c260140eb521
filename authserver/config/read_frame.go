// SPDX-License-Identifier: Apache-2.0

package config

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

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
