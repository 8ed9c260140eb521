// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"hash/maphash"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/decisions"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Decisions remembers accepted requests, admitted callers ([Set.Admit]) among them, and numbers the policies that accepted them. One serves all sets that a server
// has one after the other: a policy that stays keeps its number, and what it decided. A nil *Decisions remembers nothing.
// It is safe for concurrent use.
type Decisions struct {
	cache *decisions.Cache[*remembered]
	last  atomic.Uint64 // number given to a policy
	seed  maphash.Seed  // of marks
}

// NewDecisions returns one that takes at most maxBytes, and maxBytesPerPolicy for any one policy; own tokens of
// organizations without a policy count as one more.
func NewDecisions(maxBytes, maxBytesPerPolicy int) *Decisions {
	return &Decisions{cache: decisions.New[*remembered](maxBytes, maxBytesPerPolicy), seed: maphash.MakeSeed()}
}

// Stats says how it is doing. A hit is one here also where the entry held no longer; [Decision.Cached] is more exact.
func (d *Decisions) Stats() decisions.Stats {
	if d == nil {
		return decisions.Stats{}
	}
	return d.cache.Stats()
}

// next returns a number for a policy, from 1; 0 stands for none.
func (d *Decisions) next() uint64 {
	if d == nil {
		return 0
	}
	return d.last.Add(1)
}

// remembered is an accepted request. It is immutable and refers to nothing of the token or of the policy. What decided and
// is not in its key is told again on each hit: time, fetched keys and, of an own token, the policy.
type remembered struct {
	key               [sha256.Size]byte // of the request; see keyOf
	identity          Identity
	tenant, algorithm string

	from, until time.Time // it holds at from ≤ now < until
	source      int       // of the policy in the key, whose keys vouched for it; -1 for none
	keys        *jwk.Set  // of source, whose current set it must be
	own         bool
	policy      uint64 // own: number of the policy of the organization, 0 for none
}

// Sizes of what is remembered, in bytes, without the texts.
var (
	rememberedSize = int(reflect.TypeFor[remembered]().Size())
	headerSize     = int(reflect.TypeFor[claims.Header]().Size())
)

// mark is where in the cache a request is looked for, once it has one.
type mark struct {
	decisions.Key
	made bool
}

// recall answers a request that was accepted before, if all that decided still is as it was. It does not look into the
// token.
func (s *Set) recall(j *judgement) (Decision, bool) {
	if s.decisions == nil || len(j.raw) > token.MaxLength {
		return Decision{}, false
	}
	j.mark = mark{s.decisions.markOf(j), true}
	r, ok := s.decisions.cache.Get(j.mark.Key)
	switch {
	case !ok: // so the token, which may well be one that never comes again, need not be hashed
		return Decision{}, false
	case r.key != s.keyOf(j):
		return Decision{}, false
	case !j.now.Before(r.until): // never again
		s.decisions.cache.Remove(j.mark.Key)
		return Decision{}, false
	case j.now.Before(r.from): // the clock was put back
		return Decision{}, false
	}
	p := j.policy
	switch {
	case r.own:
		if p = s.Policy(r.tenant); p.numbered() != r.policy {
			return Decision{}, false
		}
	case r.source >= 0 && p.sources[r.source].current() != r.keys:
		return Decision{}, false
	}
	d := Decision{Status: http.StatusOK, Identity: r.identity, HasToken: true, Cached: true, Tenant: r.tenant, Algorithm: r.algorithm}
	if p != nil {
		d.Policy, d.Upstream = p.object, p.upstream
	}
	return d, true
}

// numbered is the policy's number; 0 for no policy.
func (p *Policy) numbered() uint64 {
	if p == nil {
		return 0
	}
	return p.number
}

// markOf tells requests apart well enough to find them, and ten times as fast as keyOf. Nothing else rests on it: what is found
// is compared by keyOf. The seed keeps clients from choosing where their tokens go.
func (d *Decisions) markOf(j *judgement) (k decisions.Key) {
	var h maphash.Hash
	h.SetSeed(d.seed)
	n := &j.narrow
	for _, text := range [...]string{j.raw, j.named, n.issuer, n.clientID, n.nonce} {
		_, _ = h.WriteString(text)
	}
	if j.callers != nil {
		_, _ = h.Write(j.callers.digest[:])
	}
	binary.LittleEndian.PutUint64(k[:], h.Sum64())
	_ = h.WriteByte(0)
	binary.LittleEndian.PutUint64(k[8:], h.Sum64())
	return k
}

// keyOf hashes all that decides a request but for time, fetched keys and the policy of an own token's organization: own
// keys, issuer and audience; the policy that applies; the tenant as named; the token; the narrowing headers, and which of
// them were sent; what is asked for beyond a decision, and who may have it.
func (s *Set) keyOf(j *judgement) [sha256.Size]byte {
	var room [2 << 10]byte // on the stack; most tokens fit
	b := append(room[:0], s.own.digest[:]...)
	b = binary.BigEndian.AppendUint64(b, j.asked.numbered())
	n := &j.narrow
	for _, sent := range [...]bool{n.hasIssuer, n.hasClientID, n.hasNonce} {
		if sent {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
	}
	for _, text := range [...]string{j.named, j.raw, n.issuer, n.clientID, n.nonce} {
		b = appendText(b, text)
	}
	if j.callers != nil {
		b = append(b, j.callers.digest[:]...)
	}
	return sha256.Sum256(b)
}

// appendText appends a length and the text, so that no two lists of texts give the same bytes.
func appendText(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(len(text))), text...)
}

// digest hashes all of it.
func (o *Own) digest() ([32]byte, error) {
	set, err := json.Marshal(o.Keys)
	if err != nil {
		return [32]byte{}, err
	}
	b := appendText(nil, o.Issuer)
	b = appendText(b, string(set))
	for _, audience := range o.Audience {
		b = appendText(b, audience)
	}
	return sha256.Sum256(b), nil
}

// remember keeps an accepted request.
func (s *Set) remember(j *judgement) {
	if !j.mark.made || !s.decisions.cache.Expect(j.mark.Key) {
		return
	}
	r := &remembered{key: s.keyOf(j), source: -1, own: j.own}
	r.from, r.until = j.window()
	if j.own {
		r.policy = j.policy.numbered()
	} else if j.source >= 0 && j.signer != nil {
		r.source, r.keys = j.source, j.keys
	}
	size := r.take(&j.decision)
	s.decisions.cache.Add(j.policy.numbered(), j.mark.Key, r, size)
}

// window is when the same token is accepted: exp, nbf, iat and maxTokenAge with the leeway.
func (j *judgement) window() (from, until time.Time) {
	c := j.claims
	until = c.Expiry.Add(j.leeway)
	if p := j.policy; p != nil && p.maxAge > 0 {
		if old := c.IssuedAt.Add(p.maxAge + j.leeway); old.Before(until) {
			until = old
		}
	}
	from = c.NotBefore
	if c.IssuedAt.After(from) {
		from = c.IssuedAt
	}
	if !from.IsZero() {
		from = from.Add(-j.leeway)
	}
	return from, until
}

// take copies the decision, whose texts are parts of the token's, and returns its size in bytes.
func (r *remembered) take(d *Decision) int {
	id := &d.Identity
	n := len(id.User) + len(id.Email) + len(id.Groups) + len(id.PreferredUsername) + len(id.Tenant) + len(d.Tenant) + len(d.Algorithm)
	for i := range id.Headers {
		n += len(id.Headers[i].Value)
	}
	var text strings.Builder
	text.Grow(n)
	keep := func(s string) string {
		start := text.Len()
		text.WriteString(s)
		return text.String()[start:]
	}
	r.identity = Identity{User: keep(id.User), Email: keep(id.Email), Groups: keep(id.Groups), PreferredUsername: keep(id.PreferredUsername), Tenant: keep(id.Tenant)}
	r.tenant, r.algorithm = keep(d.Tenant), keep(d.Algorithm)
	if len(id.Headers) > 0 {
		r.identity.Headers = make([]claims.Header, len(id.Headers))
	}
	for i, h := range id.Headers {
		r.identity.Headers[i] = claims.Header{Name: h.Name, Value: keep(h.Value)} // the name is the policy's
	}
	return n + len(id.Headers)*headerSize + rememberedSize
}
