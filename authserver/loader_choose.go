// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"fmt"
	"slices"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// choose decides which of the good files are served. ok is false where that would be less than a configuration: then
// what is served stays.
func (l *loader) choose(reach policy.Outbound) (in inputs, serving map[string]string, ok bool) {
	base := l.at(config.FileBase)
	if base.mounted == "" {
		base.err = fmt.Errorf("%s is missing", config.FileBase)
	}
	if base.base == nil {
		return in, nil, false // none was ever good
	}
	serving = map[string]string{}
	in.base, serving[config.FileBase] = base.base, base.good
	if f := l.files[config.FileOpsToken]; f != nil && f.mounted != "" {
		serving[config.FileOpsToken] = f.mounted
	}
	in.signer = l.chooseSigner(in.base, serving)

	count, found := l.chooseCount()
	if !found {
		return in, nil, false
	}
	for n := range count {
		name := config.TenantsFile(count, n)
		f := l.files[name]
		f.shard = f.shard.For(reach)
		in.shards, serving[name] = append(in.shards, f.shard), f.good
	}
	return in, serving, true
}

// chooseSigner returns the own keys. A server without a store has none, whatever the files hold.
func (l *loader) chooseSigner(base *config.Base, serving map[string]string) *issue.Signer {
	f := l.files[config.FileKeys]
	if base.Store.Type == config.StoreNone {
		if f != nil && f.mounted != "" && f.err == nil {
			serving[config.FileKeys] = f.good // read, and rightly of no effect
		}
		return l.unsigned
	}
	if f = l.at(config.FileKeys); f.mounted == "" {
		f.err = fmt.Errorf("%s is missing: the server cannot sign tokens of its own", config.FileKeys)
	}
	if f.signer == nil {
		return l.unsigned
	}
	serving[config.FileKeys] = f.good
	return f.signer
}

// chooseCount returns the number of shards of the set that is served. A set counts when it is whole: each of its files is
// there and has been good. Growth writes the new, larger set whole before the old one goes, so the largest whole set is
// the one to serve. While there is none, the set served so far stays, from what its files last held.
func (l *loader) chooseCount() (count int, ok bool) {
	here := map[int]int{}   // files that are there, by count
	usable := map[int]int{} // of these, the ones that have been good
	for name, f := range l.files {
		c, _, isTenants := config.ParseTenantsFile(name)
		if !isTenants || f.mounted == "" {
			continue
		}
		here[c]++
		if f.shard != nil {
			usable[c]++
		}
	}
	for c := range here {
		if usable[c] == c && c > count {
			count = c
		}
	}
	l.tellMissing(here)
	if count > 0 {
		return count, true
	}
	if l.current == nil {
		return 0, false
	}
	return len(l.made.shards), true
}

// tellMissing puts an error on each file that a set lacks: of sets of which a part is there, or, where nothing is there,
// of the set that is served.
func (l *loader) tellMissing(here map[int]int) {
	counts := map[int]bool{}
	for c, n := range here {
		counts[c] = n < c
	}
	if len(here) == 0 {
		counts[max(1, len(l.made.shards))] = true
	}
	for c, incomplete := range counts {
		if !incomplete {
			continue
		}
		for n := range c {
			name := config.TenantsFile(c, n)
			if f := l.at(name); f.mounted == "" {
				f.err = fmt.Errorf("%s is missing: the set of %d is served when it is whole", name, c)
			}
		}
	}
}

// problems returns the errors of all files in the order of their names.
func (l *loader) problems() []error {
	var names []string
	for name, f := range l.files {
		if f.err != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	errs := make([]error, len(names))
	for i, name := range names {
		errs[i] = l.files[name].err
	}
	return errs
}
