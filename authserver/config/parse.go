// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
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

// ParseTenants parses a tenants file by its name, which must agree with its content. The server reads policy by policy:
// see [Reader].
func ParseTenants(name string, data []byte) (*Tenants, error) {
	var r Reader
	shard, err := r.Read(name, data)
	if err != nil {
		return nil, err
	}
	t := &Tenants{Version: Version, Shard: shard.Number, Count: shard.Count, Bundles: shard.Bundles, Credentials: shard.Credentials}
	for i := range shard.Entries {
		t.Policies = append(t.Policies, *shard.Entries[i].Policy)
	}
	return t, nil
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
	if err := decodeStrictly(data, into); err != nil {
		return explain(err)
	}
	return nil
}

// decodeStrictly is decode with errors that may hold content.
func decodeStrictly(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}
