// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
)

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
