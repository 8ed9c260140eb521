// SPDX-License-Identifier: Apache-2.0

package config

// Version of the schema. A server refuses files of another version, keeps what it
// serves and says so at /configz.
const Version = 1

// Base is the file base.json: settings of one auth server and its identity providers.
type Base struct {
	Version int `json:"version"`
	// Server is "namespace/name" of the AuthServer.
	Server string `json:"server"`
	// ExternalURL is scheme and host; the issuer of the tokens that the server signs.
	ExternalURL string     `json:"externalURL"`
	Tokens      Tokens     `json:"tokens"`
	Store       Store      `json:"store"`
	Outbound    Outbound   `json:"outbound"`
	Monitoring  Monitoring `json:"monitoring"`
	Providers   []Provider `json:"providers,omitempty"`
}

// Tokens are the settings of the server's own tokens.
type Tokens struct {
	AccessTokenLifetime  Duration `json:"accessTokenLifetime"`
	RefreshTokenLifetime Duration `json:"refreshTokenLifetime"`
	// Audience is never empty: render puts the external URL where the user gave none.
	Audience []string `json:"audience"`
}

// Store types.
const (
	StoreEmbedded = "Embedded"
	StoreNone     = "None"
)

// Store is where refresh tokens live.
type Store struct {
	Type string `json:"type"`
}

// Outbound bounds what the server may dial.
type Outbound struct {
	// AllowedCIDRs are prefixes such as 10.0.0.0/8.
	AllowedCIDRs []string `json:"allowedCIDRs,omitempty"`
	// CABundle is PEM; empty means the system's roots.
	CABundle string `json:"caBundle,omitempty"`
}

// Monitoring bounds what the server tells about itself.
type Monitoring struct {
	// TenantSeries is how many tenants have time series of their own; the others are summed.
	TenantSeries int `json:"tenantSeries,omitempty"`
}

// ProviderPassword is the one provider type of this version.
const ProviderPassword = "Password"

// Provider is one accepted and enabled IdentityProvider.
type Provider struct {
	// Object is "IdentityProvider/namespace/name", the key at /configz.
	Object string `json:"object"`
	// Name is the provider's name in URLs and tokens: the object's name, from another namespace "<namespace>_<name>".
	Name string `json:"name"`
	Type string `json:"type"`

	DisplayName  string `json:"displayName,omitempty"`
	Organization string `json:"organization"`

	Password *Password `json:"password,omitempty"`
}

// Password is the block of a Password provider.
type Password struct {
	Users []User `json:"users"`
}

// User is one entry of a users Secret.
type User struct {
	// Email is the login name, unique in the list when case-folded.
	Email string `json:"email"`
	// Username is what applications see; render puts the e-mail address where the list gives none.
	Username string   `json:"username"`
	Name     string   `json:"name,omitempty"`
	Groups   []string `json:"groups,omitempty"`
	// Hash is a PHC string: argon2id, bcrypt, scrypt or pbkdf2.
	Hash string `json:"hash"`
}
