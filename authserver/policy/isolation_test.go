// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// weakRSA is an RSA-2048 key of 32 primes of 64 bits: made and used in no time, and worth nothing. Who verifies sees no
// difference.
type weakRSA struct {
	public    rsa.PublicKey
	primes, d []*big.Int
	parts     []*big.Int // 1 modulo their prime and 0 modulo the others
}

func newWeakRSA(t testing.TB) *weakRSA {
	t.Helper()
	k, seen := &weakRSA{}, map[uint64]bool{}
	n, e := big.NewInt(1), big.NewInt(65537)
	for len(k.primes) < 32 {
		var b [8]byte
		if _, err := rand.Read(b[:]); err != nil {
			t.Fatal(err)
		}
		p := new(big.Int).SetBytes(b[:])
		p.Or(p, new(big.Int).SetUint64(0x3f<<58|1)) // the product has 2048 bits
		d := new(big.Int).ModInverse(e, new(big.Int).Sub(p, big.NewInt(1)))
		if d == nil || seen[p.Uint64()] || !p.ProbablyPrime(0) {
			continue
		}
		seen[p.Uint64()] = true
		k.primes, k.d = append(k.primes, p), append(k.d, d)
		n.Mul(n, p)
	}
	for _, p := range k.primes {
		part := new(big.Int).Div(n, p)
		k.parts = append(k.parts, part.Mul(part, new(big.Int).ModInverse(part, p)))
	}
	k.public = rsa.PublicKey{N: n, E: 65537}
	return k
}

// sign is RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2).
func (k *weakRSA) sign(input string) []byte {
	digest := sha256.Sum256([]byte(input))
	em := make([]byte, 256)
	em[1] = 1
	for i := 2; i < 256-51-1; i++ {
		em[i] = 0xff
	}
	copy(em[256-51:], "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20")
	copy(em[256-32:], digest[:])
	m, sum := new(big.Int).SetBytes(em), new(big.Int)
	for i, p := range k.primes {
		r := new(big.Int).Mod(m, p)
		sum.Add(sum, r.Exp(r, k.d[i], p).Mul(r, k.parts[i]))
	}
	return sum.Mod(sum, k.public.N).FillBytes(make([]byte, 256))
}

const (
	isolatedTenants = 50
	tokensEach      = 50 // of each algorithm
	sharedKeyID     = "k1"
	sharedIssuer    = "https://shared.example"
)

// isolated is one of many tenants that have everything in common but their keys.
type isolated struct {
	name string
	hs   []byte
	es   *keyPair
	rs   *weakRSA
	// tokens are of each algorithm in turn; three of them are of one user
	tokens []string
}

func newIsolated(t testing.TB, i int) *isolated {
	n := &isolated{name: fmt.Sprintf("tenant-%d", i), hs: make([]byte, 32), es: newES256(sharedKeyID), rs: newWeakRSA(t)}
	_, _ = rand.Read(n.hs)
	hs := &keyPair{sharedKeyID, jwt.SigningMethodHS256, n.hs}
	for number := range tokensEach {
		issuer := sharedIssuer // of every tenth: only the key tells whose it is
		if number%10 != 0 {
			issuer = "https://" + n.name + ".example"
		}
		claims := obj{"iss": issuer, "sub": n.name + "-" + strconv.Itoa(number), "aud": "https://api.example", "exp": acmeClaims["exp"]}
		input := b64(marshal(t, obj{"alg": "RS256", "kid": sharedKeyID})) + "." + b64(marshal(t, claims))
		n.tokens = append(n.tokens, hs.sign(t, nil, claims), n.es.sign(t, nil, claims),
			input+"."+base64.RawURLEncoding.EncodeToString(n.rs.sign(input)))
	}
	return n
}

// policy takes all three algorithms from either issuer, by three keys with one kid.
func (n *isolated) policy(t testing.TB) config.Policy {
	var list []json.RawMessage
	for _, material := range []any{n.hs, &n.es.private.(*ecdsa.PrivateKey).PublicKey, &n.rs.public} {
		key, err := jwk.New(material)
		if err == nil {
			key, err = key.With(sharedKeyID, "")
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := key.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, text)
	}
	return acmePolicy(t, func(p *config.Policy) {
		p.TenantID, p.Object = n.name, "TenantJWTPolicy/default/"+n.name
		p.Algorithms, p.Audiences = []string{"HS256", "RS256", "ES256"}, []string{"https://api.example"}
		p.Issuers = []config.Issuer{{Issuer: sharedIssuer, Keys: list}, {Issuer: "https://" + n.name + ".example", Keys: list}}
		p.Claims.Username.PrefixWithTenant = true
	})
}

// TestIsolation guards the promise that the product stands for: of many tenants whose keys have one kid, each accepts its
// own tokens and none of another's, whether it is asked for the first time or remembers.
func TestIsolation(t *testing.T) {
	tenants := make([]*isolated, isolatedTenants)
	var policies []config.Policy
	for i := range tenants {
		tenants[i] = newIsolated(t, i)
		policies = append(policies, tenants[i].policy(t))
	}
	s := setOf(t, Outbound{Decisions: NewDecisions(64<<20, 4<<20)}, policies...)
	for _, state := range []string{"cold", "seen once", "warm"} {
		var accepted, foreign, remembered int
		var mu sync.Mutex
		var group sync.WaitGroup
		workers := runtime.GOMAXPROCS(0)
		for worker := range workers {
			group.Go(func() {
				own, others, cached := 0, 0, 0
				for i := worker; i < len(tenants); i += workers {
					a, b, c := tryEverywhere(t, s, tenants, i, state == "seen once")
					own, others, cached = own+a, others+b, cached+c
				}
				mu.Lock()
				defer mu.Unlock()
				accepted, foreign, remembered = accepted+own, foreign+others, remembered+cached
			})
		}
		group.Wait()
		if want := isolatedTenants * tokensEach * 3; accepted != want || foreign != 0 {
			t.Errorf("%s: %d of %d accepted by their own tenant, %d by another", state, accepted, want, foreign)
		}
		if state == "warm" && remembered < accepted*9/10 { // a few meet in one slot of what was seen once
			t.Errorf("%d of %d were remembered", remembered, accepted)
		}
	}
}

// tryEverywhere tries the tokens of one tenant at every tenant, or at its own only.
func tryEverywhere(t *testing.T, s *Set, tenants []*isolated, i int, onlyOwn bool) (accepted, foreign, remembered int) {
	for at, tenant := range tenants {
		if onlyOwn && at != i {
			continue
		}
		for number, raw := range tenants[i].tokens {
			d := s.Decide(t.Context(), &Facts{Route: tenant.name, ByRoute: true, Token: []string{raw}}, now)
			if d.Status != http.StatusOK {
				continue
			}
			if at != i {
				foreign++
				continue
			}
			accepted++
			if d.Cached {
				remembered++
			}
			if want := tenant.name + "/" + tenant.name + "-" + strconv.Itoa(number/3); d.Identity.User != want || d.Tenant != tenant.name {
				t.Errorf("%s for %s, want %s", d.Identity.User, d.Tenant, want)
			}
		}
	}
	return accepted, foreign, remembered
}
