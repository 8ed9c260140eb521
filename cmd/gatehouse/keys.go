// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
)

// signs tells whether a server has signing keys of its own.
func signs(server *v1alpha1.AuthServer) bool {
	return server != nil && server.Spec.Store.Type != v1alpha1.StoreNone
}

// keySettings are the AuthServer's fields that its signing keys depend on. The schema's defaults stand in for empty ones.
func keySettings(server *v1alpha1.AuthServer) issue.Settings {
	t := &server.Spec.Tokens
	s := issue.Settings{
		Algorithm:           string(t.SigningAlgorithm),
		RotationInterval:    t.KeyRotationInterval.Value(),
		AccessTokenLifetime: t.AccessTokenLifetime.Value(),
	}
	if s.Algorithm == "" {
		s.Algorithm = "ES256"
	}
	if s.RotationInterval <= 0 {
		s.RotationInterval = 720 * time.Hour
	}
	if s.AccessTokenLifetime <= 0 {
		s.AccessTokenLifetime = 15 * time.Minute
	}
	return s
}

// readKeys reads dir/keys.json; there are none if it does not exist. One that cannot be read is an error and stays: to replace it
// would make every token that was signed with it invalid.
func readKeys(dir string) ([]config.SigningKey, error) {
	path := filepath.Join(dir, config.FileKeys)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the signing keys: %w", err)
	}
	keys, err := config.ParseKeys(data)
	if err != nil {
		return nil, fmt.Errorf("reading the signing keys in %s: %w: restore the file, or remove it to begin with new keys (tokens signed so far become invalid)", path, err)
	}
	return keys.Keys, nil
}

// addKeys puts keys.json beside the rendered files: what dir has, rotated where that is due.
func addKeys(dir string, server *v1alpha1.AuthServer, files map[string][]byte, now time.Time) error {
	if !signs(server) {
		return nil
	}
	keys, err := readKeys(dir)
	if err != nil {
		return err
	}
	planned, err := issue.Plan(keys, keySettings(server), now, issue.Generate)
	if err != nil {
		return fmt.Errorf("planning the signing keys: %w", err)
	}
	files[config.FileKeys], err = encodeKeys(planned.Keys)
	return err
}

func encodeKeys(keys []config.SigningKey) ([]byte, error) {
	return (&config.Keys{Version: config.Version, Keys: keys}).Encode()
}

// planKeys makes and drops signing keys as they are due, and returns when to look again.
func (s *site) planKeys(now time.Time) time.Time {
	const retry = time.Minute
	if !signs(s.server) {
		return now.Add(24 * time.Hour)
	}
	planned, err := issue.Plan(s.keys, keySettings(s.server), now, issue.Generate)
	if err == nil && planned.Changed && s.dataDir != "" {
		err = s.keepKeys(planned.Keys)
	}
	if err != nil {
		s.log.Error("the signing keys cannot be renewed; those in force stay", "event", "serve.keys", "error", err)
		return now.Add(retry)
	}
	s.keys = planned.Keys
	return planned.Next
}

func (s *site) keepKeys(keys []config.SigningKey) error {
	data, err := encodeKeys(keys)
	if err != nil {
		return fmt.Errorf("encoding the signing keys: %w", err)
	}
	return writeFile(filepath.Join(s.dataDir, config.FileKeys), data)
}
