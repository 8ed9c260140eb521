// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ParseBase parses base.json and checks what the server relies on.
func ParseBase(data []byte) (*Base, error) {
	var b Base
	if err := decode(data, &b); err != nil {
		return nil, fmt.Errorf("parsing %s: %w", FileBase, err)
	}
	if err := b.validate(); err != nil {
		return nil, fmt.Errorf("checking %s: %w", FileBase, err)
	}
	return &b, nil
}

// ParseKeys parses keys.json. Whether each private key parses is for the package that signs.
func ParseKeys(data []byte) (*Keys, error) {
	var k Keys
	if err := decode(data, &k); err != nil {
		return nil, fmt.Errorf("parsing %s: %w", FileKeys, err)
	}
	if err := k.validate(); err != nil {
		return nil, fmt.Errorf("checking %s: %w", FileKeys, err)
	}
	return &k, nil
}

// ParseTenants parses a tenants file by its name, which must agree with its content.
func ParseTenants(name string, data []byte) (*Tenants, error) {
	count, n, ok := ParseTenantsFile(name)
	if !ok {
		return nil, fmt.Errorf("parsing %s: not the name of a tenants file", name)
	}
	content, err := gunzip(data)
	if err != nil {
		return nil, fmt.Errorf("decompressing %s: %w", name, err)
	}
	var t Tenants
	if err := decode(content, &t); err != nil {
		return nil, fmt.Errorf("parsing %s: %w", name, err)
	}
	if t.Count != count || t.Shard != n {
		return nil, fmt.Errorf("checking %s: %w", name, otherShard(t.Shard, t.Count))
	}
	if err := t.validate(); err != nil {
		return nil, fmt.Errorf("checking %s: %w", name, err)
	}
	return &t, nil
}

func otherShard(shard, count int) error {
	if shard < 0 || shard >= count || count > MaxShards {
		return errors.New("shard and count are not those of the file's name")
	}
	return fmt.Errorf("content is shard %d of %d", shard, count)
}

// decode is strict: one JSON value, known fields only, nothing behind it. Its errors hold nothing of the content.
func decode(data []byte, into any) error {
	if len(data) > MaxShardContent {
		return fmt.Errorf("%d bytes, the limit is %d", len(data), MaxShardContent)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return explain(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}

func gunzip(data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(z, MaxShardContent+1))
	if err != nil {
		return nil, err
	}
	if len(content) > MaxShardContent {
		return nil, fmt.Errorf("more than %d bytes", MaxShardContent)
	}
	return content, z.Close()
}
