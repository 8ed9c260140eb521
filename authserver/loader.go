// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"net/netip"
	"slices"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/credential"
	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/pace"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// loader turns files into snapshots and remembers, for each name, the last good content. It is for one goroutine at a
// time.
type loader struct {
	// extraCIDRs may be dialled in addition to those of base.json.
	extraCIDRs []netip.Prefix
	keys       policy.KeySource
	decisions  *policy.Decisions
	decoys     login.DecoyKey
	unsigned   *issue.Signer // that of a server that signs nothing
	sites      *siteMaker
	// credentials is what credentials work with; whoever wants to know of their attempts adds a hook.
	credentials credential.Options

	files   map[string]*file
	current *snapshot
	made    inputs // of current
	pace    pace.Pacer
}

// keySource fetches keys for policies and providers: [keys.Engine].
type keySource interface {
	policy.KeySource
	idp.KeySource
}

// newLoader makes a loader for a server whose key sets come from source. Unknown users are told from known ones by nobody who
// does not know the operations token; a server without one takes a random secret in its place (see [login.DecoyKey]).
func newLoader(o *Options, source keySource) (*loader, error) {
	secret := []byte(o.OpsToken.Reveal())
	if len(secret) == 0 {
		secret = make([]byte, 32)
		_, _ = rand.Read(secret) // it never fails
	}
	decoys, err := login.NewDecoyKey(secret)
	if err != nil {
		return nil, err
	}
	unsigned, err := issue.NewSigner(nil)
	if err != nil {
		return nil, err
	}
	total := decisionMemory(o.MemoryLimit)
	l := &loader{extraCIDRs: o.ExtraAllowedCIDRs, keys: source, decisions: policy.NewDecisions(total, total/4), decoys: decoys, unsigned: unsigned, sites: newSiteMaker(o, secret, source), files: make(map[string]*file)}
	l.credentials = credential.Options{Clients: l.sites.idp.Clients, Now: o.clock(), Random: rand.Reader, Jitter: mathrand.Float64, Pause: l.pause}
	return l, nil
}

// Bounds of the memory for decisions that are remembered, in bytes.
const (
	mostDecisionMemory  = 32 << 20
	leastDecisionMemory = 1 << 20
)

// decisionMemory is what may be spent on decisions that are remembered by a process that may use limit bytes, 0 if nobody
// says.
func decisionMemory(limit int64) int {
	if limit == 0 {
		return mostDecisionMemory
	}
	return int(max(leastDecisionMemory, min(mostDecisionMemory, limit/8)))
}

// file is what is known of one file name.
type file struct {
	mounted string // SHA-256 of the bytes that are there; "" if none are
	err     error  // what is wrong with them, nil if nothing is
	good    string // SHA-256 of the last bytes that could be used; "" if none could

	// What the good bytes hold; one of them is set.
	base   *config.Base
	signer *issue.Signer
	shard  *policy.Shard
}

// inputs are what a snapshot is made from, to tell whether another one is needed.
type inputs struct {
	base   *config.Base
	signer *issue.Signer
	shards []*policy.Shard
}

// wanted tells which file names are read. ops-token is listed at /configz and read where it is needed.
func wanted(name string) bool {
	switch name {
	case config.FileBase, config.FileKeys, config.FileOpsToken:
		return true
	}
	_, _, ok := config.ParseTenantsFile(name)
	return ok
}

// load takes the files that are there now and returns the snapshot to serve: a new one, the current one if nothing that
// counts has changed, or nil before the first good configuration.
func (l *loader) load(files map[string][]byte) *snapshot {
	l.mount(files)
	// base.json comes first: it says how the policies' URLs are reached.
	l.read(config.FileBase, files, l.readBase)
	l.read(config.FileKeys, files, readKeys)
	l.read(config.FileOpsToken, files, func([]byte, *file) error { return nil })
	reach := l.outbound()
	for name := range files {
		if _, _, ok := config.ParseTenantsFile(name); ok {
			l.read(name, files, func(data []byte, f *file) error { return l.readShard(name, data, reach, f) })
		}
	}
	next, serving, ok := l.choose(reach)
	if ok && (l.current == nil || !l.made.equal(&next) || !maps.Equal(serving, l.current.serving)) {
		l.swap(next, serving)
	}
	l.forget()
	return l.current
}

// at returns what is known of a name, also of one that has never been there.
func (l *loader) at(name string) *file {
	f := l.files[name]
	if f == nil {
		f = &file{}
		l.files[name] = f
	}
	return f
}

// mount notes which files are there.
func (l *loader) mount(files map[string][]byte) {
	for name, f := range l.files {
		if _, ok := files[name]; !ok {
			f.mounted, f.err = "", nil
		}
	}
	for name := range files {
		if wanted(name) {
			l.at(name)
		}
	}
}

// read reads a file whose bytes differ from those seen before. What cannot be read leaves the last good content.
func (l *loader) read(name string, files map[string][]byte, into func([]byte, *file) error) {
	data, ok := files[name]
	if !ok {
		return
	}
	f := l.files[name]
	hash := l.hash(data)
	if hash == f.mounted {
		return
	}
	f.mounted, f.err = hash, nil
	if hash == f.good {
		return // back to what is served
	}
	if len(data) > config.MaxFile {
		f.err = fmt.Errorf("reading %s: more than %d bytes", name, config.MaxFile)
		return
	}
	if f.err = into(data, f); f.err == nil {
		f.good = hash
	}
}

// pause makes way for requests, if there can be any yet.
func (l *loader) pause() {
	if l.current != nil {
		l.pace.Pause()
	}
}

// hash is [config.Hash] with pauses.
func (l *loader) hash(data []byte) string {
	h := sha256.New()
	for piece := range slices.Chunk(data, 64<<10) {
		_, _ = h.Write(piece) // it never fails
		l.pause()
	}
	return hex.EncodeToString(h.Sum(nil))
}

// forget drops what is neither there nor missed nor served.
func (l *loader) forget() {
	for name, f := range l.files {
		if l.current != nil && l.current.serving[name] != "" {
			continue
		}
		if f.mounted == "" && f.err == nil {
			delete(l.files, name)
		}
	}
}

func (in *inputs) equal(other *inputs) bool {
	return in.base == other.base && in.signer == other.signer && slices.Equal(in.shards, other.shards)
}
