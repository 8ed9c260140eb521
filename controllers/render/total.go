// SPDX-License-Identifier: Apache-2.0

package render

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// maxTotal bounds what the policies and credentials of one server take of its memory together, in bytes: whoever may write policies must
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
	// perMetadata is what discovery adds to that.
	perMetadata = 1 << 10
	// perDirectory is what a key set of Entra ID, of some seven RSA keys, takes beyond those two.
	perDirectory = 6 << 10
	// perKey is a parsed key that verifies: an RSA key of 2048 bits with its modulus ready for use takes 1040, a shared secret 280.
	perKey = 1 << 10
	// perDecryptionKey and perDecryptionByte, of its JWK, are a parsed key that decrypts: a symmetric one takes 120, one on P-256
	// 1100, RSA 4500 with 2048 bits and 6700 with 4096.
	perDecryptionKey  = 1 << 10
	perDecryptionByte = 2
	// perProgram and perProgramByte, of its text, are a compiled expression: claims.plan == 'gold' takes 1000, one with a loop 2900,
	// a text of 1 KiB 12,000 to 42,000. Equal texts share one.
	perProgram     = 2 << 10
	perProgramByte = 48
	// perString is one entry of a list.
	perString = 32
	// perBundle is how often a CA bundle is held: as it is written and as a pool of certificates.
	perBundle = 2
	// perCredential is a credential's state and its JWT. Its key comes to that, as one that decrypts. config.MaxCredentials relies on it.
	perCredential = 4 << 10
	// perToken is the longest token that an endpoint may give (package assertion): whoever names the endpoint may be who answers there.
	perToken = 16 << 10
)

// rendered is one policy or one credential that is to be served.
type rendered struct {
	key        Key
	object     metav1.Object
	policy     *config.Policy     // nil for a credential
	credential *config.Credential // nil for a policy
	bundle     string             // that it names, in PEM; "" for none
	size       int                // as JSON without its bundle, in bytes, about
}

// shardKey chooses its file.
func (p *rendered) shardKey() string {
	if p.credential != nil {
		return p.credential.Name
	}
	return p.policy.TenantID
}

// bundleName is that of its bundle in the file.
func (p *rendered) bundleName() string {
	if p.credential != nil {
		return p.credential.CABundle
	}
	return p.policy.CABundle
}

// memory estimates what a server holds for it without its bundle and its expressions, in bytes.
func (p *rendered) memory() int {
	if p.credential != nil {
		return p.credentialMemory()
	}
	return p.policyMemory()
}

func (p *rendered) credentialMemory() int {
	n := p.size + perCredential + perDecryptionKey + perDecryptionByte*len(p.credential.Key)
	if p.credential.TokenEndpoint != "" {
		n += perToken
	}
	return n
}

func (p *rendered) policyMemory() int {
	n := p.size + perPolicy + perString*(len(p.policy.Audiences)+len(p.policy.Algorithms)+len(p.policy.TokenTypes))
	for i := range p.policy.Issuers {
		issuer := &p.policy.Issuers[i]
		n += perKey * len(issuer.Keys)
		if issuer.JWKSURI != "" || issuer.Discovery != "" {
			n += perURL
		}
		if issuer.Discovery != "" {
			n += perMetadata
		}
		if len(issuer.Keys) == 0 && issuer.Directory != "" {
			n += perDirectory
		}
	}
	if d := p.policy.Decryption; d != nil {
		for _, k := range d.Keys {
			n += perDecryptionKey + perDecryptionByte*len(k)
		}
	}
	return n
}

// expressions are the texts that a server compiles for it.
func (p *rendered) expressions() []string {
	if p.credential != nil {
		if p.credential.AllowedCallers == "" {
			return nil
		}
		return []string{p.credential.AllowedCallers}
	}
	c := &p.policy.Claims
	all := []string{c.Username.Expression, c.Email.Expression, c.Groups.Expression}
	for i := range c.Headers {
		all = append(all, c.Headers[i].Expression)
	}
	for i := range c.Rules {
		all = append(all, c.Rules[i].Expression)
	}
	return slices.DeleteFunc(all, func(text string) bool { return text == "" })
}

// holding adds up what policies and credentials take, each bundle and each expression once.
type holding struct {
	content  int               // bytes of a file before compression, about
	memory   int               // bytes of a server's memory, about
	bundles  map[string]string // PEM by hash
	programs map[string]bool   // by text
}

func (h *holding) add(p *rendered) {
	h.content += p.size
	h.memory += p.memory()
	h.addPrograms(p)
	if _, there := h.bundles[p.bundleName()]; p.bundle == "" || there {
		return
	}
	if h.bundles == nil {
		h.bundles = map[string]string{}
	}
	h.bundles[p.bundleName()] = p.bundle
	h.content += len(p.bundle)
	h.memory += perBundle * len(p.bundle)
}

func (h *holding) addPrograms(p *rendered) {
	for _, text := range p.expressions() {
		if h.programs[text] {
			continue
		}
		if h.programs == nil {
			h.programs = map[string]bool{}
		}
		h.programs[text] = true
		h.memory += perProgram + perProgramByte*len(text)
	}
}

// fit keeps as many of the first claimants as the server has room for. It does not look at shards: their number must
// not decide who is served.
func fit(claimants []*rendered) (kept, beyond []*rendered) {
	var held holding
	for i, p := range claimants {
		if held.add(p); held.memory > maxTotal {
			return claimants[:i], claimants[i:]
		}
	}
	return claimants, nil
}
