// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"fmt"
	"slices"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
	"github.com/gatehouse-auth/gatehouse/authserver/session"
)

func (l *loader) readBase(data []byte, f *file) error {
	base, err := config.ParseBase(data)
	if err != nil {
		return err
	}
	if _, err := outbound.ParseCIDRs(base.Outbound.AllowedCIDRs); err != nil {
		return fmt.Errorf("checking %s: outbound.allowedCIDRs%w", config.FileBase, err)
	}
	if ca := base.Outbound.CABundle; ca != "" {
		if _, err := outbound.ParseCABundle([]byte(ca)); err != nil {
			return fmt.Errorf("checking %s: outbound.caBundle: %w", config.FileBase, err)
		}
	}
	if _, err := session.NewCookies(base.ExternalURL, base.Login.CookieDomain); err != nil {
		return fmt.Errorf("checking %s: %w", config.FileBase, err)
	}
	f.base = base
	return nil
}

func readKeys(data []byte, f *file) error {
	keys, err := config.ParseKeys(data)
	if err != nil {
		return err
	}
	signer, err := issue.NewSigner(keys)
	if err != nil {
		return fmt.Errorf("checking %s: %w", config.FileKeys, err)
	}
	f.signer = signer
	return nil
}

func (l *loader) readShard(name string, data []byte, reach policy.Outbound, f *file) error {
	shard, err := policy.ReadShard(name, data, reach, f.shard, l.pause)
	if err != nil {
		return err
	}
	f.shard = shard
	return nil
}

// outbound is how policies' URLs are reached, by the base.json in force and the extra networks.
func (l *loader) outbound() policy.Outbound {
	o := policy.Outbound{Keys: l.keys, Decisions: l.decisions}
	cidrs := l.extraCIDRs
	if f := l.files[config.FileBase]; f != nil && f.base != nil {
		parsed, err := outbound.ParseCIDRs(f.base.Outbound.AllowedCIDRs)
		if err != nil { // cannot happen: readBase has parsed them
			parsed = nil
		}
		cidrs = slices.Concat(parsed, cidrs)
		o.CABundle = outbound.NewBundle(f.base.Outbound.CABundle)
	}
	o.AllowedCIDRs = outbound.FormatCIDRs(cidrs)
	return o
}
