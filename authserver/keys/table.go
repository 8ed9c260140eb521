// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"hash/maphash"
	"iter"
	"maps"
	"sync/atomic"
)

// tableShards is the number of parts of a table: a change among 10,000 sources copies about 40 of them.
const tableShards = 256

// table holds the entries. It is read without a lock; each shard is a map that is replaced, never changed.
type table struct {
	seed   maphash.Seed
	shards [tableShards]atomic.Pointer[map[Source]*entry]
}

func newTable() *table { return &table{seed: maphash.MakeSeed()} }

// shard returns the number of the shard that a source belongs to. Sources that share a URL differ in little and are few.
func (t *table) shard(src *Source) int { return int(maphash.String(t.seed, src.URL) % tableShards) }

// get returns the source's entry; nil for none.
func (t *table) get(src Source) *entry {
	m := t.shards[t.shard(&src)].Load()
	if m == nil {
		return nil
	}
	return (*m)[src]
}

// all yields every entry, in no order.
func (t *table) all() iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		for i := range t.shards {
			m := t.shards[i].Load()
			if m == nil {
				continue
			}
			for _, en := range *m {
				if !yield(en) {
					return
				}
			}
		}
	}
}

// edit collects changes of a table; nobody sees them before publish. One edit is open at a time.
type edit struct {
	table *table
	open  [tableShards]map[Source]*entry
}

func (t *table) edit() *edit { return &edit{table: t} }

func (d *edit) at(src *Source) map[Source]*entry {
	i := d.table.shard(src)
	if d.open[i] == nil {
		d.open[i] = make(map[Source]*entry)
		if old := d.table.shards[i].Load(); old != nil {
			d.open[i] = maps.Clone(*old)
		}
	}
	return d.open[i]
}

func (d *edit) add(en *entry)    { d.at(&en.src)[en.src] = en }
func (d *edit) remove(en *entry) { delete(d.at(&en.src), en.src) }

// publish replaces the shards that changed.
func (d *edit) publish() {
	for i := range d.open {
		if d.open[i] != nil {
			d.table.shards[i].Store(&d.open[i])
		}
	}
}
