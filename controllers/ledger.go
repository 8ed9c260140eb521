// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// maxWrites is how many writes of one file are remembered. A pod that serves something older confirms nothing.
const maxWrites = 64

// ledger remembers what was written to the servers' files, so that what a pod says it serves can be read as "this
// write of the file, and so these versions of these objects". A pod that serves any write from the one on that first
// held an object's present version confirms the object: on a busy shard nothing has to wait for a quiet moment.
//
// A change that is taken back makes a file the same bytes twice, with others between them. So a pod's answer is read once, as
// of when the pod was asked (locate): an answer from before a write never confirms it, whatever its bytes.
type ledger struct {
	seq     int64
	files   map[string][]fileWrite // oldest first
	objects map[render.Key]*placement
	// sets are complete configurations; a pod that serves the latest write of each file of one set is up to date. There
	// are several only while the number of shards grows.
	sets [][]string
	// changedAt is when the latest write happened.
	changedAt time.Time
	// doubtful tells that files may have been written since the latest record, and nobody knows which.
	doubtful bool
}

type fileWrite struct {
	hash string
	seq  int64
	at   time.Time
}

// placement is where one object is, or is no longer.
type placement struct {
	// fingerprint of the object's rendering; empty when it is not served.
	fingerprint string
	// since holds, by file, the first write with this fingerprint. An object is in one file of each set.
	since map[string]int64
	// at is when this version was written.
	at time.Time
}

// entry says that objects with the fingerprint are in (or, with an empty one, absent from) the files.
type entry struct {
	key         render.Key
	fingerprint string
	files       []string
}

// record notes a complete write: the hashes of all files, the sets they form, and where every object is.
func (l *ledger) record(hashes map[string]string, sets [][]string, entries []entry, now time.Time) {
	l.seq++
	if l.files == nil {
		l.files = map[string][]fileWrite{}
	}
	changed := l.changedAt.IsZero()
	for name, hash := range hashes {
		writes := l.files[name]
		if n := len(writes); n == 0 || writes[n-1].hash != hash || l.doubtful {
			changed = true
			l.files[name] = append(writes[max(0, n-maxWrites+1):n:n], fileWrite{hash, l.seq, now})
		}
	}
	for name := range l.files {
		if _, ok := hashes[name]; !ok {
			delete(l.files, name)
		}
	}
	if changed {
		l.changedAt = now
	}
	l.doubtful = false
	l.sets = sets
	l.place(entries, now)
}

func (l *ledger) place(entries []entry, now time.Time) {
	objects := make(map[render.Key]*placement, len(entries))
	for _, e := range entries {
		p := &placement{fingerprint: e.fingerprint, since: map[string]int64{}, at: now}
		old := l.objects[e.key]
		for _, file := range e.files {
			p.since[file] = l.latest(file).seq
			if old == nil || old.fingerprint != e.fingerprint {
				continue
			}
			if seq, ok := old.since[file]; ok {
				p.since[file] = seq
			}
			p.at = old.at
		}
		objects[e.key] = p
	}
	l.objects = objects
}

// doubt notes that files may have been written that are not recorded: nothing that a pod has said so far confirms anything
// of what will be.
func (l *ledger) doubt() {
	l.doubtful = true
	l.objects = nil
}

// clear forgets everything, but numbers no write twice: pods may have been read as serving an old one.
func (l *ledger) clear() { *l = ledger{seq: l.seq} }

// locate reads the hashes that a pod has told as writes, by file. Known is what it was known to serve before, nil for nothing;
// asked is when it was asked. A pod does not go back, so it serves no write before the known one. Where it may still serve
// the earlier of two writes of the same bytes, it does until the later one is settle old: by then whatever was written
// between them has reached the pod, or has been passed over. Hashes that were never written, or too long ago, are left out.
func (l *ledger) locate(known map[string]int64, hashes map[string]string, asked time.Time, settle time.Duration) map[string]int64 {
	out := make(map[string]int64, len(hashes))
	for file, hash := range hashes {
		for _, w := range l.files[file] {
			if w.hash != hash || w.seq < known[file] {
				continue
			}
			if _, earlier := out[file]; !earlier || asked.Sub(w.at) >= settle {
				out[file] = w.seq
			}
		}
	}
	return out
}

// latest returns the file's latest write; its seq is beyond every real one when the file is not known.
func (l *ledger) latest(file string) fileWrite {
	writes := l.files[file]
	if len(writes) == 0 {
		return fileWrite{seq: 1 << 62}
	}
	return writes[len(writes)-1]
}

// confirms tells whether a pod that serves these writes (see locate) serves the present version of the object.
func (l *ledger) confirms(serving map[string]int64, key render.Key) bool {
	p := l.objects[key]
	if p == nil {
		return false
	}
	for file, since := range p.since {
		if seq, ok := serving[file]; ok && seq >= since {
			return true
		}
	}
	return false
}

// current tells whether a pod that serves these writes is up to date in every file.
func (l *ledger) current(serving map[string]int64) bool {
	return slices.ContainsFunc(l.sets, func(set []string) bool {
		return !slices.ContainsFunc(set, func(file string) bool {
			seq, ok := serving[file]
			return !ok || seq != l.latest(file).seq
		})
	})
}
