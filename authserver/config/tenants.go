// SPDX-License-Identifier: Apache-2.0

package config

import "encoding/json"

// Tenants is the file tenants-<count>-<n>.json.gz: the policies of one shard.
type Tenants struct {
	Version int `json:"version"`
	// Shard is this file's number, 0 ≤ Shard < Count.
	Shard int `json:"shard"`
	// Count is the number of shards, a power of two.
	Count int `json:"count"`
	// Bundles are the CA bundles that the policies name, each once: PEM by its SHA-256 in hex ([Hash]).
	Bundles map[string]string `json:"bundles,omitempty"`
	// Policies are ordered by tenant ID.
	Policies []Policy `json:"policies,omitempty"`
}

// Policy is one accepted TenantJWTPolicy.
type Policy struct {
	// Object is "TenantJWTPolicy/namespace/name", the key at /configz.
	Object   string `json:"object"`
	TenantID string `json:"tenantID"`
	Default  bool   `json:"default,omitempty"`

	Issuers    []Issuer `json:"issuers,omitempty"`
	Audiences  []string `json:"audiences,omitempty"`
	Algorithms []string `json:"algorithms"`
	// TokenTypes are lower-case and without "application/"; "" stands for a token without typ.
	TokenTypes []string `json:"tokenTypes"`
	Leeway     Duration `json:"leeway"`
	// CABundle names the one of Tenants.Bundles that counts for this policy's JWKS URLs; empty means the server's own.
	CABundle string `json:"caBundle,omitempty"`

	Username UsernameMapping `json:"username"`
	// EmailClaim and GroupsClaim are top-level member names; empty means none.
	EmailClaim  string `json:"emailClaim,omitempty"`
	GroupsClaim string `json:"groupsClaim,omitempty"`

	AcceptIssuedTokens bool `json:"acceptIssuedTokens,omitempty"`
}

// Issuer is one party whose tokens count.
type Issuer struct {
	// Issuer is compared exactly; empty only in a single entry with keys.
	Issuer string `json:"issuer,omitempty"`
	// JWKSURI or Keys, never both.
	JWKSURI string `json:"jwksURI,omitempty"`
	// Keys are JWKs (RFC 7517), public or symmetric.
	Keys []json.RawMessage `json:"keys,omitempty"`
}

// UsernameMapping is where the user's name comes from.
type UsernameMapping struct {
	Claim            string `json:"claim"`
	PrefixWithTenant bool   `json:"prefixWithTenant,omitempty"`
}
