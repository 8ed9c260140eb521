// SPDX-License-Identifier: Apache-2.0

package config

import "encoding/json"

// Tenants is the file tenants-<count>-<n>.json.gz: the policies and credentials of one shard.
type Tenants struct {
	Version int `json:"version"`
	// Shard is this file's number, 0 ≤ Shard < Count.
	Shard int `json:"shard"`
	// Count is the number of shards, a power of two.
	Count int `json:"count"`
	// Bundles are the CA bundles that the policies and credentials name, each once: PEM by its SHA-256 in hex ([Hash]).
	Bundles map[string]string `json:"bundles,omitempty"`
	// Policies are ordered by tenant ID.
	Policies []Policy `json:"policies,omitempty"`
	// Credentials are ordered by name. A credential's shard is chosen by its name, as a policy's by its tenant ID.
	Credentials []Credential `json:"credentials,omitempty"`
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
	// Decryption says how JWEs are opened; nil refuses them.
	Decryption *Decryption `json:"decryption,omitempty"`
	Leeway     Duration    `json:"leeway"`
	// MaxTokenAge refuses tokens whose iat is longer ago, and those without; 0 does not look.
	MaxTokenAge Duration `json:"maxTokenAge,omitempty"`
	// RequiredNonce is what the token's nonce must be; empty does not look.
	RequiredNonce string `json:"requiredNonce,omitempty"`
	// JWKS says how fetched key sets are kept; nil stands for the defaults of package keys.
	JWKS *JWKSTimes `json:"jwks,omitempty"`
	// CABundle names the one of Tenants.Bundles that counts for this policy's URLs; empty means the server's own.
	CABundle string `json:"caBundle,omitempty"`

	Claims ClaimRules `json:"claims"`

	AcceptIssuedTokens bool `json:"acceptIssuedTokens,omitempty"`

	// UpstreamCredential is the name of the credential whose token gateways are given for the application; empty for none. It may be absent, or of another shard.
	UpstreamCredential string `json:"upstreamCredential,omitempty"`
	// TokenExchange says that assertions are taken, nil that they are not.
	TokenExchange *TokenExchange `json:"tokenExchange,omitempty"`
}

// TokenExchange says which scopes access tokens for assertions may have.
type TokenExchange struct {
	Scopes []string `json:"scopes,omitempty"`
}

// Issuer is one party whose tokens count.
type Issuer struct {
	// Issuer is compared exactly; empty only in a single entry with keys.
	Issuer string `json:"issuer,omitempty"`
	// JWKSURI, Discovery or Keys, exactly one of them.
	JWKSURI string `json:"jwksURI,omitempty"`
	// Discovery is the whole URL of the issuer's metadata, which must name Issuer.
	Discovery string `json:"discovery,omitempty"`
	// Keys are JWKs (RFC 7517), public or symmetric.
	Keys []json.RawMessage `json:"keys,omitempty"`
	// Directory is the Entra ID directory of this issuer, a GUID in lower case: the token's tid must be the same, metadata may write {tenantid} for it, and
	// a key that names an issuer must name this directory's. Empty for every other issuer.
	Directory string `json:"directory,omitempty"`
}

// Decryption says how JWEs are opened (RFC 7516).
type Decryption struct {
	KeyAlgorithms     []string `json:"keyAlgorithms"`
	ContentAlgorithms []string `json:"contentAlgorithms"`
	// Required refuses tokens that are signed only.
	Required bool `json:"required,omitempty"`
	// Direct also takes claims directly inside, without a nested signature; only with symmetric key algorithms.
	Direct bool `json:"direct,omitempty"`
	// Keys are private or symmetric JWKs.
	Keys []json.RawMessage `json:"keys"`
}

// JWKSTimes say how fetched key sets are kept.
type JWKSTimes struct {
	RefreshInterval Duration `json:"refreshInterval"`
	StaleIfError    Duration `json:"staleIfError"`
}
