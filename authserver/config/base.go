// SPDX-License-Identifier: Apache-2.0

package config

// Version of the schema. A server refuses files of another version, keeps what it
// serves and says so at /configz.
//
// It is raised when a member changes its meaning. A new member does not raise it: reading is strict, so a server of before refuses the files that have it and keeps
// its last good ones, while files without it stay readable in both directions of a rollout.
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
	Login       Login      `json:"login"`
	Outbound    Outbound   `json:"outbound"`
	Monitoring  Monitoring `json:"monitoring"`
	// Bundles are the CA bundles that the providers name, each once: PEM by its SHA-256 in hex ([Hash]).
	Bundles map[string]string `json:"bundles,omitempty"`
	// Providers are in the order of the login page: by display name, then name.
	Providers []Provider `json:"providers,omitempty"`
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
	StoreEmbedded   = "Embedded"
	StorePostgreSQL = "PostgreSQL"
	StoreNone       = "None"
)

// Store is where users, sessions, refresh tokens and lockouts live.
type Store struct {
	Type string `json:"type"`
	// DSN is PostgreSQL's connection string; it holds a password.
	DSN string `json:"dsn,omitempty"`
	// CABundle is PEM: the CAs that sign PostgreSQL's certificate; empty means what the DSN says, and the system's roots.
	CABundle string `json:"caBundle,omitempty"`
	// Persistent says that the Embedded store is on a volume that outlives the pod. Without it users cannot be added.
	Persistent bool `json:"persistent,omitempty"`
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
