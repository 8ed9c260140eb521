// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
)

// Encode writes b as base.json. Equal values give equal bytes.
func (b *Base) Encode() ([]byte, error) { return encode(b) }

// Encode writes k as keys.json. Equal values give equal bytes.
func (k *Keys) Encode() ([]byte, error) { return encode(k) }

// Encode writes t as a tenants file. Equal values give equal bytes.
func (t *Tenants) Encode() ([]byte, error) {
	content, err := encode(t)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out) // no name and no time: the bytes depend on the content alone
	if _, err := z.Write(content); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	return out.Bytes(), nil
}

func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding: %w", err)
	}
	return out.Bytes(), nil
}
