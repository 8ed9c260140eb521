// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"runtime"
	"sync"
	"weak"
)

type cacheKey struct {
	text      string
	kind      Kind
	variables Variables
}

// cache holds each Program as long as somebody else does: ten thousand tenants made from one template share theirs, and
// a reload that compiles everything again finds those of the configuration that still serves.
type cache struct {
	mu      sync.Mutex
	entries map[cacheKey]weak.Pointer[Program]
}

var programs = cache{entries: map[cacheKey]weak.Pointer[Program]{}}

// get returns the Program for the key, nil if there is none any more.
func (c *cache) get(key cacheKey) *Program {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries[key].Value()
}

// add keeps p for the key unless another stands there by now, and returns the one that does.
func (c *cache) add(key cacheKey, p *Program) *Program {
	c.mu.Lock()
	defer c.mu.Unlock()
	if other := c.entries[key].Value(); other != nil {
		return other
	}
	entry := weak.Make(p)
	c.entries[key] = entry
	runtime.AddCleanup(p, func(key cacheKey) { c.drop(key, entry) }, key)
	return p
}

// drop removes an entry whose Program is gone.
func (c *cache) drop(key cacheKey, entry weak.Pointer[Program]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries[key] == entry {
		delete(c.entries, key)
	}
}

func (c *cache) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}
