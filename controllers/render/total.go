// SPDX-License-Identifier: Apache-2.0

package render

import "github.com/gatehouse-auth/gatehouse/authserver/config"

// maxTotal bounds what the policies of one server take of its memory together, in bytes: whoever may write policies must
// not be able to end the process for all tenants.
//
// A server that runs takes 20 MiB with no policy. Beside that, password hashing leaves it 96 MiB of the default limit of
// 256 MiB, of which the estimate below may be short by a sixth. While the number of shards grows, the old and the new set
// are in memory, which a server with two hashes in work still bears. It is about 15,000 policies with a jwksURI each.
const maxTotal = 64 << 20

// What a server holds beside the bytes of the files, in bytes: measured as the growth of its resident memory, divided by
// the number of policies, URLs, keys and strings. It decides how many may be there, so it changes no file that fits.
const (
	perPolicy = 1 << 10
	// perURL is the fetcher's state (840 bytes) and a key set of two RSA keys.
	perURL = 3 << 10
	// perKey is a parsed key: an RSA key of 2048 bits takes 950, a shared secret 280.
	perKey = 768
	// perString is one entry of a list.
	perString = 32
	// perBundle is how often a CA bundle is held: as it is written and as a pool of certificates.
	perBundle = 2
)

// rendered is one policy that is to be served.
type rendered struct {
	key    Key
	policy *config.Policy
	bundle string // that the policy names, in PEM; "" for none
	size   int    // of the policy as JSON without its bundle, in bytes, about
}

// memory estimates what a server holds for the policy without its bundle, in bytes.
func (p *rendered) memory() int {
	n := p.size + perPolicy + perString*(len(p.policy.Audiences)+len(p.policy.Algorithms)+len(p.policy.TokenTypes))
	for i := range p.policy.Issuers {
		if n += perKey * len(p.policy.Issuers[i].Keys); p.policy.Issuers[i].JWKSURI != "" {
			n += perURL
		}
	}
	return n
}

// holding adds up what policies take, each bundle once.
type holding struct {
	content int               // bytes of a file before compression, about
	memory  int               // bytes of a server's memory, about
	bundles map[string]string // PEM by hash
}

func (h *holding) add(p *rendered) {
	h.content += p.size
	h.memory += p.memory()
	if _, there := h.bundles[p.policy.CABundle]; p.bundle == "" || there {
		return
	}
	if h.bundles == nil {
		h.bundles = map[string]string{}
	}
	h.bundles[p.policy.CABundle] = p.bundle
	h.content += len(p.bundle)
	h.memory += perBundle * len(p.bundle)
}

// fit keeps as many of the first claimants as the server has room for. It does not look at shards: their number must
// not decide who is served.
func fit(policies []*rendered) (kept, beyond []*rendered) {
	var held holding
	for i, p := range policies {
		if held.add(p); held.memory > maxTotal {
			return policies[:i], policies[i:]
		}
	}
	return policies, nil
}
