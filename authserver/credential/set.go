// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"io"
	"reflect"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// Options are what credentials work with. All but Ended and Pause are required.
type Options struct {
	// Clients are the guarded HTTP clients.
	Clients *outbound.Clients
	Now     func() time.Time
	Random  io.Reader
	// Jitter returns numbers in [0, 1), each time another. It is called from several goroutines.
	Jitter func() float64
	// Ended, if not nil, is told of the end of each attempt to get a token, also of a credential that is not configured any more.
	Ended func(*Credential, Attempt)
	// Pause, if not nil, is called between credentials that are made: reading a key takes its time.
	Pause func()
}

// Set is the credentials of one configuration. It is immutable, apart from the tokens. A nil Set is empty.
type Set struct {
	list   []policy.Credential // that it was made of
	reach  outbound.Profile
	all    []*Credential // in that order
	byName map[string]*Credential
	nobody *policy.Callers // of credentials that do not exist
}

// NewSet makes the credentials of a list, each name once, and keeps those of old that did not change. It asks nobody for anything. reach has what may be dialled, and the CA
// bundle for credentials that name none.
func NewSet(old *Set, list []policy.Credential, reach outbound.Profile, o *Options) *Set {
	if old != nil && old.reach == reach && slices.Equal(old.list, list) {
		return old
	}
	nobody, err := policy.NewCallers("")
	if err != nil {
		nobody = nil // which admits nobody either; it cannot happen
	}
	s := &Set{list: list, reach: reach, byName: make(map[string]*Credential, len(list)), nobody: nobody}
	for _, from := range list {
		way := reach
		if from.CABundle != (outbound.Bundle{}) {
			way.CABundle = from.CABundle
		}
		c := old.unchanged(from, way)
		if c == nil {
			if c = newCredential(from, way, o); o.Pause != nil {
				o.Pause()
			}
		}
		s.all = append(s.all, c)
		s.byName[from.Name] = c
	}
	return s
}

// unchanged returns the credential of s that was made of the same, nil if there is none.
func (s *Set) unchanged(from policy.Credential, way outbound.Profile) *Credential {
	c := s.Get(from.Name)
	if c == nil || c.way != way || c.from != from.Credential && !reflect.DeepEqual(c.from, from.Credential) {
		return nil
	}
	return c
}

// Get returns the credential of a name, nil if there is none.
func (s *Set) Get(name string) *Credential {
	if s == nil {
		return nil
	}
	return s.byName[name]
}

// Callers are those who may have the token of a name. Where there is no such credential it is nobody, as it is of one that has no callers: to ask for either costs the same.
func (s *Set) Callers(name string) *policy.Callers {
	if c := s.Get(name); c != nil {
		return c.callers
	}
	if s == nil {
		return nil
	}
	return s.nobody
}

// All returns the credentials in the order of the list. They must not be changed.
func (s *Set) All() []*Credential {
	if s == nil {
		return nil
	}
	return s.all
}

// Len is the number of credentials.
func (s *Set) Len() int { return len(s.All()) }
