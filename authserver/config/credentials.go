// SPDX-License-Identifier: Apache-2.0

package config

import "encoding/json"

// Credential is one accepted and enabled IdentityProvider of type JWTBearer: a token for somebody else's API.
type Credential struct {
	// Object is "IdentityProvider/namespace/name", the key at /configz.
	Object string `json:"object"`
	// Name is that of /credentials/{provider}: the object's name, from another namespace than the server's "<namespace>_<name>".
	Name string `json:"name"`
	// CABundle names the one of Tenants.Bundles that counts for TokenEndpoint; empty means the server's own.
	CABundle string `json:"caBundle,omitempty"`

	// Key is a private or symmetric JWK. It is secret.
	Key json.RawMessage `json:"key"`
	// KeyID is the kid header; empty for none. Algorithm fits Key.
	KeyID     string `json:"keyID,omitempty"`
	Algorithm string `json:"algorithm"`

	Issuer string `json:"issuer"`
	// Subject and Audience are set with TokenEndpoint.
	Subject  string   `json:"subject,omitempty"`
	Audience string   `json:"audience,omitempty"`
	Lifetime Duration `json:"lifetime"`
	// Headers and Claims are further members of the JWT's header and claims, none that has a field here or is made.
	Headers map[string]json.RawMessage `json:"headers,omitempty"`
	Claims  map[string]json.RawMessage `json:"claims,omitempty"`

	// TokenEndpoint is where the JWT is exchanged; empty: the JWT itself is the bearer token, and the next three are empty.
	TokenEndpoint string `json:"tokenEndpoint,omitempty"`
	GrantType     string `json:"grantType,omitempty"`
	// Client authenticates beside the assertion, nil if none does. Scopes and PKCE are not used.
	Client     *Client     `json:"client,omitempty"`
	Parameters []Parameter `json:"parameters,omitempty"`

	// AllowedCallers is CEL over tenant, username, groups and claims; empty: nobody may ask.
	AllowedCallers string `json:"allowedCallers,omitempty"`
}
