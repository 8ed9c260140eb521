// SPDX-License-Identifier: Apache-2.0

package login

import (
	"cmp"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// A DecoyKey decides which hash is computed for a name that no user has. Whoever knows it can tell unknown names from known
// ones by what they cost, where users' hashes differ in cost.
//
// It has to outlive changes of the user list, and of everything else that changes while somebody watches: a new key is a new
// choice for every unknown name, and a name whose cost changes without need is unknown. So it is not made of the users'
// hashes, which change with every user, nor of the signing keys, which rotate each month. The operations token is made once
// for a server and mounted by all of its replicas; deleting it to have a new one made is the one event that chooses anew.
// A server without a token (`gatehouse serve` may run so) is a process by itself: a random key then chooses anew at each start.
type DecoyKey [sha256.Size]byte

// NewDecoyKey derives a key from a secret, of which nothing can be learned from it (HKDF, RFC 5869).
func NewDecoyKey(secret []byte) (DecoyKey, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "gatehouse: hashes of unknown users", len(DecoyKey{}))
	if err != nil {
		return DecoyKey{}, fmt.Errorf("deriving the key of unknown users: %w", err)
	}
	return DecoyKey(key), nil
}

// decoys chooses a hash for every name, so that an unknown user costs what a known one does whatever hashes the list holds,
// and one name costs the same today and tomorrow, on each replica. It is weighted rendezvous hashing over the costs that the
// list knows: a name moves only to a cost that appears or gains weight, or from one that vanishes or loses it.
//
// The weight of a cost is the number of its users, cut to a power of eight. Exact numbers would move a few names with every
// user that comes or goes, and show them to be unknown. No weights at all would give half of the unknown names a hash that one
// user in a thousand has, and show those to be unknown at the first attempt. So a single attempt tells at most a little, and
// changes of a list tell nothing but when the users of one cost pass 8, 64, 512 or 4096.
//
// Users of the store cost what a hash of today does: theirs are made, and made anew at a login, with today's parameters. Nobody
// counts them, so where there may be some they weigh as one user of the list. What remains: where the list's hashes have
// another cost and are many, most names of today's cost are those of users of the store. Lists of today's hashes tell nothing.
type decoys struct {
	key   DecoyKey
	costs []decoyCost // in the order of their names
}

// decoyCost is one cost that users' hashes have.
type decoyCost struct {
	name   string // see password.Cost
	hash   string // one of these hashes
	users  int
	weight float64
}

// newDecoys takes hashes and their costs, in pairs of one index.
func newDecoys(key DecoyKey, hashes, costs []string) *decoys {
	d := &decoys{key: key}
	at := map[string]int{}
	for i, name := range costs {
		n, ok := at[name]
		if !ok {
			n, at[name] = len(d.costs), len(d.costs)
			d.costs = append(d.costs, decoyCost{name: name, hash: hashes[i]})
		}
		d.costs[n].users++
	}
	for i := range d.costs {
		d.costs[i].weight = weigh(d.costs[i].users)
	}
	slices.SortFunc(d.costs, func(a, b decoyCost) int { return cmp.Compare(a.name, b.name) })
	return d
}

// weigh is the largest power of eight that is not more than users, of which there is at least one.
func weigh(users int) float64 {
	return float64(uint64(1) << ((bits.Len(uint(users)) - 1) / 3 * 3))
}

// hash is the one to compute for a name; "" where there are no users.
func (d *decoys) hash(name string) string {
	chosen, best := "", math.Inf(-1)
	for i := range d.costs {
		if score := d.score(&d.costs[i], name); score > best {
			chosen, best = d.costs[i].hash, score
		}
	}
	return chosen
}

// score is negative: the logarithm of a number in (0, 1) that key, cost and name decide, over the cost's weight. The highest
// score belongs to a cost with a probability in proportion to its weight.
func (d *decoys) score(c *decoyCost, name string) float64 {
	mac := hmac.New(sha256.New, d.key[:])
	_, _ = mac.Write([]byte(c.name + "\x00" + name)) // never fails
	const bits53 = 1 << 53                           // what a float64 holds exactly
	uniform := (float64(binary.BigEndian.Uint64(mac.Sum(nil))>>11) + 0.5) / bits53
	return math.Log(uniform) / c.weight
}
