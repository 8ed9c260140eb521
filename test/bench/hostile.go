// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/tokens"
)

// IDs of the tenants of siteHostile. Each policy accepts one costly thing; ordinary is what the others are compared with.
const (
	ordinary = "ordinary"
	mapped   = "mapped"
	ruled    = "ruled"
)

// hostile is one way of costing the server much: a token, as costly as its policy allows, that anybody could send. Only
// the last two need a tenant's own issuer to sign them.
type hostile struct {
	name  string
	ask   asks
	grpc  bool
	limit float64 // the most that it may cost, in ordinary requests
}

var hostiles = []hostile{
	{name: "bad signature, RSA-4096", ask: junkFor("rsa4096"), limit: 7},
	{name: "bad signature, ES384", ask: junkFor("es384"), limit: 20},
	{name: "bad signature, ES512", ask: junkFor("es512"), limit: 75},
	{name: "JWE, RSA-OAEP-256 with 2048 bits", ask: encryptedFor("oaep2048"), limit: 30},
	{name: "JWE, RSA-OAEP-256 with 4096 bits", ask: encryptedFor("oaep4096"), limit: 175},
	{name: "JWE, ECDH-ES with P-521", ask: encryptedFor("ecdh521"), limit: 60},
	{name: "16 KiB, an object in an object", ask: shaped(`{"a":`, "0", "}", 14, ","), limit: 10},
	{name: "16 KiB, objects of 200 members", ask: shaped("{", members(200), "}", 1, ","), limit: 15},
	{name: "16 KiB, empty arrays", ask: shaped("[", "", "]", 1, ","), limit: 10},
	{name: "16 KiB, long numbers", ask: shaped("", "-1.234567890123456789012345e-123", "", 1, ","), limit: 10},
	{name: "16 KiB, escapes", ask: shaped("", strings.Repeat(`\u00e9`, 1900), "", 0, ""), limit: 10},
	{name: "64 KiB of other headers", ask: ordinaryWith(60_000), limit: 10},
	{name: "64 KiB of other headers, gRPC", ask: ordinaryWith(60_000), grpc: true, limit: 10},
	{name: "16 KiB of mapped claims, signed", ask: mappedClaims, limit: 25},
	{name: "the costliest claim rule, signed", ask: ruledClaims, limit: 150},
}

// hostileScenarios compares each with an ordinary request to the same server.
func hostileScenarios() []scenario {
	list := make([]scenario, len(hostiles))
	for i, h := range hostiles {
		list[i] = scenario{name: "hostile: " + h.name, figure: figureCost, target: h.limit, brief: true,
			base:    party{server: authServer, site: siteHostile, ask: of(ordinary, distinct), grpc: h.grpc},
			subject: party{server: authServer, site: siteHostile, ask: h.ask, grpc: h.grpc}}
	}
	return list
}

// hostile adds the tenants of siteHostile.
func (s *site) hostile() error {
	if err := s.inline(ordinary, "RS256"); err != nil {
		return err
	}
	big, err := rsa.GenerateKey(rand.Reader, 4096) // takes seconds: one does for all
	if err != nil {
		return fmt.Errorf("drawing a key: %w", err)
	}
	if err := s.signers(big); err != nil {
		return err
	}
	if err := s.decrypters(big); err != nil {
		return err
	}
	if err := s.inline(mapped, "RS256"); err != nil {
		return err
	}
	s.tenants[len(s.tenants)-1].more = "  claimMappings:\n    username: {claim: upn, prefixWithTenant: true}\n    groups: {claim: groups}\n" +
		"    headers: [{name: X-Bench-A, claim: groups}, {name: X-Bench-B, expression: \"claims.groups.join(',')\"}]\n"
	if err := s.inline(ruled, "RS256"); err != nil {
		return err
	}
	s.tenants[len(s.tenants)-1].more = "  claimValidationRules:\n  - expression: \"claims.groups.map(x, claims.groups.map(y, x)).size() == 0\"\n    message: none\n"
	return nil
}

// signers adds tenants with costly keys for signatures.
func (s *site) signers(big *rsa.PrivateKey) error {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return fmt.Errorf("drawing a key: %w", err)
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		return fmt.Errorf("drawing a key: %w", err)
	}
	for _, t := range []tenant{
		{id: "rsa4096", algorithm: "RS256", public: &big.PublicKey, signature: 512},
		{id: "es384", algorithm: "ES384", public: &p384.PublicKey, signature: 96},
		{id: "es512", algorithm: "ES512", public: &p521.PublicKey, signature: 132},
	} {
		if t.keys, err = inlineKeys(t.public, t.algorithm); err != nil {
			return err
		}
		s.tenants = append(s.tenants, t)
	}
	return nil
}

// decrypters adds tenants whose tokens are encrypted. What is in them is verified with the key of ordinary.
func (s *site) decrypters(big *rsa.PrivateKey) error {
	for _, d := range []struct {
		id, algorithm string
		draw          func() (any, error)
	}{
		{"oaep2048", "RSA-OAEP-256", func() (any, error) { return rsa.GenerateKey(rand.Reader, 2048) }},
		{"oaep4096", "RSA-OAEP-256", func() (any, error) { return big, nil }},
		{"ecdh521", "ECDH-ES", func() (any, error) { return ecdsa.GenerateKey(elliptic.P521(), rand.Reader) }},
	} {
		private, err := d.draw()
		if err != nil {
			return fmt.Errorf("drawing a key: %w", err)
		}
		jwk := jose.JSONWebKey{Key: private, KeyID: tokens.KeyID, Algorithm: d.algorithm, Use: "enc"}
		secret, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{jwk}})
		if err != nil {
			return fmt.Errorf("writing the key set: %w", err)
		}
		s.tenants = append(s.tenants, tenant{id: d.id, algorithm: "RS256", keys: s.tenants[0].keys, public: jwk.Public().Key, keyAlgorithm: d.algorithm, secret: string(secret),
			more: fmt.Sprintf("  decryption:\n    keyAlgorithms: [%s]\n    contentAlgorithms: [A256GCM]\n    keys: [{secretRef: {name: %s, key: jwks.json}, format: JWKS}]\n", d.algorithm, d.id)})
	}
	return nil
}

// tenant returns the tenant with that ID.
func (s *site) tenant(id string) (*tenant, error) {
	for i := range s.tenants {
		if s.tenants[i].id == id {
			return &s.tenants[i], nil
		}
	}
	return nil, fmt.Errorf("site %q has no tenant %q", s.name, id)
}

// of asks only about one tenant of the site.
func of(id string, ask asks) asks {
	return func(s *site, n int) ([]question, error) {
		t, err := s.tenant(id)
		if err != nil {
			return nil, err
		}
		return ask(&site{name: s.name, tenants: []tenant{*t}}, n)
	}
}

// pool is how many tokens are made for requests that are refused: what is refused is never remembered, so they come
// again and again.
const pool = 64

// pooled asks with a few tokens that make returns.
func pooled(id string, status int, make func(t *tenant) (tokens.Token, error)) asks {
	return func(s *site, n int) ([]question, error) {
		t, err := s.tenant(id)
		if err != nil {
			return nil, err
		}
		list := newAsks(min(n, pool))
		for i := range list {
			token, err := make(t)
			if err != nil {
				return nil, err
			}
			list[i] = question{tenant: id, token: token.Raw, status: status}
			if status == http.StatusOK {
				list[i].user = token.User
			}
		}
		return fill(list, n), nil
	}
}

// junkFor asks with a token of the tenant's algorithm and a random signature.
func junkFor(id string) asks {
	return pooled(id, http.StatusUnauthorized, func(t *tenant) (tokens.Token, error) { return junk(t, claims("")) })
}

func junk(t *tenant, claims string) (tokens.Token, error) {
	size := t.signature
	if size == 0 {
		size = 256
	}
	raw, err := tokens.Junk(fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"JWT"}`, t.algorithm, tokens.KeyID), claims, size)
	return tokens.Token{Raw: raw}, err
}

// claims are those that every policy here demands, and more of them.
func claims(more string) string {
	now := time.Now()
	return fmt.Sprintf(`{"iss":%q,"aud":%q,"upn":"evil@bench.example","exp":%d,"iat":%d%s}`, tokens.Issuer, tokens.Audience,
		now.Add(tokenLifetime).Unix(), now.Unix(), more)
}

// encryptedFor asks with a token that was encrypted for the tenant, as anybody who has the public key can, with a token
// inside that nobody signed: the server decrypts it and then verifies.
func encryptedFor(id string) asks {
	return pooled(id, http.StatusUnauthorized, func(t *tenant) (tokens.Token, error) {
		inner, err := junk(t, claims(""))
		if err != nil {
			return tokens.Token{}, err
		}
		recipient := jose.Recipient{Algorithm: jose.KeyAlgorithm(t.keyAlgorithm), Key: t.public, KeyID: tokens.KeyID}
		encrypter, err := jose.NewEncrypter(jose.A256GCM, recipient, (&jose.EncrypterOptions{}).WithType("JWT").WithContentType("JWT"))
		if err != nil {
			return tokens.Token{}, fmt.Errorf("encrypting a token: %w", err)
		}
		sealed, err := encrypter.Encrypt([]byte(inner.Raw))
		if err != nil {
			return tokens.Token{}, fmt.Errorf("encrypting a token: %w", err)
		}
		raw, err := sealed.CompactSerialize()
		return tokens.Token{Raw: raw}, err
	})
}

// room is how many bytes of claims make a token of 16 KiB.
const room = 11_900

// shaped asks with a token as long as can be, whose claims have a member that is an array of as many values as fit: unit,
// between depth times before and after it.
func shaped(before, unit, after string, depth int, separator string) asks {
	value := strings.Repeat(before, depth) + unit + strings.Repeat(after, depth)
	return pooled(ordinary, http.StatusUnauthorized, func(t *tenant) (tokens.Token, error) {
		if separator == "" {
			return junk(t, claims(`,"x":"`+value+`"`))
		}
		n := max(1, (room-len(claims(`,"x":[]`)))/(len(value)+len(separator)))
		return junk(t, claims(`,"x":[`+strings.TrimSuffix(strings.Repeat(value+separator, n), separator)+"]"))
	})
}

// members returns n members of an object.
func members(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"%x":0`, i)
	}
	return strings.Join(list, ",")
}

// ordinaryWith asks as an ordinary gateway does, with size bytes of headers that decide nothing.
func ordinaryWith(size int) asks {
	return func(s *site, n int) ([]question, error) {
		list, err := of(ordinary, distinct)(s, n)
		for i := range list {
			list[i].ballast = size
		}
		return list, err
	}
}

// mappedClaims asks with tokens as long as can be, whose claims become headers in which every byte has to be encoded.
func mappedClaims(s *site, n int) ([]question, error) {
	t, err := s.tenant(mapped)
	if err != nil {
		return nil, err
	}
	// Three headers of 10 bytes a group: as much as an identity may have.
	groups := strings.TrimSuffix(strings.Repeat(`"é,",`, 1000), ",")
	rest := strings.Repeat("x", room-len(groups)-300)
	list := newAsks(n)
	for i := range list {
		user := fmt.Sprintf("user-%08x@bench.example", i)
		token, err := t.minter.Sign(strings.Replace(claims(fmt.Sprintf(`,"jti":"%d-%d","groups":[%s],"x":%q`, time.Now().UnixNano(), i, groups, rest)), "evil@bench.example", user, 1), user)
		if err != nil {
			return nil, err
		}
		list[i] = question{tenant: mapped, token: token.Raw, status: http.StatusOK, user: mapped + "/" + user}
	}
	return list, nil
}

// ruledClaims asks with a token over whose claims a rule in two nested loops runs out of what it may cost.
var ruledClaims = pooled(ruled, http.StatusForbidden, func(t *tenant) (tokens.Token, error) {
	const group = `"aaaaaaaaaaaaaaaaaaaaaaaa",`
	groups := strings.TrimSuffix(strings.Repeat(group, room/len(group)-10), ",")
	return t.minter.Sign(claims(`,"groups":[`+groups+"]"), "")
})
