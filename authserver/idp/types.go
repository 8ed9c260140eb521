// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"fmt"
	"log/slog"
	"time"
)

// Ask is what an authorization request says of one login.
type Ask struct {
	// State and Nonce come back with the callback and in the ID token. Both are required.
	State, Nonce string
	// Challenge is the S256 code_challenge (RFC 7636 §4.2), empty for a provider with PKCE off ([Provider.PKCE]).
	Challenge   string
	RedirectURI string
}

// Answer is what a callback brought, with what the login had remembered.
type Answer struct {
	Code, Verifier, Nonce, RedirectURI string
	// Issuer is the callback's parameter iss (RFC 9207); HasIssuer tells whether it was there.
	Issuer    string
	HasIssuer bool
}

// Profile is a person as a provider describes them.
type Profile struct {
	// Issuer and Subject are the person's identity: (iss, sub), or for OAuth2 (the origin of userinfo, subjectAttribute).
	Issuer, Subject string

	Username, Email, Name, Phone, Comment string
	// EmailVerified is true only where the provider says so of Email with a JSON true.
	EmailVerified bool
	// EmailDenied says that the provider spoke of Email and did not say that it is verified; both are false where it said nothing.
	EmailDenied bool
	Groups      []string
	// Partial says that the provider could not be asked for all of it: an attribute that is empty may have a value that nobody knows.
	Partial bool

	Upstream Upstream
	// SessionHash and SubjectHash name the session (sid) and the person at the provider, as [Logout] does; zero for none.
	SessionHash, SubjectHash [32]byte
}

// Upstream is what a provider gave for later. It is secret: keep it sealed. Printed or logged it shows nothing; as JSON it is whole.
type Upstream struct {
	// Issuer and Subject are the profile's: whose a refreshed ID token must be.
	Issuer  string `json:"issuer,omitempty"`
	Subject string `json:"subject,omitempty"`
	// IDToken is the last one, for id_token_hint; empty for OAuth2 and for one too long to keep (MaxKeptIDToken).
	IDToken string `json:"idToken,omitempty"`
	// RefreshToken is empty where the provider gave none, or one too long to keep (MaxKeptRefreshToken).
	RefreshToken string `json:"refreshToken,omitempty"`
	// ExpiresAt is when the access token that came with it ends; zero where the provider did not say.
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
}

// Bounds of what is kept of an upstream's tokens, in bytes: together they fit a session's data (store.MaxSessionData).
const (
	MaxKeptIDToken      = 8 << 10
	MaxKeptRefreshToken = 3 << 10
)

// keep takes what a token endpoint gave for later. A refresh token too long to keep is none.
func (u *Upstream) keep(t *tokens, now time.Time) {
	u.RefreshToken, u.ExpiresAt = "", time.Time{}
	if len(t.RefreshToken) <= MaxKeptRefreshToken {
		u.RefreshToken = t.RefreshToken
	}
	if t.ExpiresIn > 0 {
		u.ExpiresAt = now.Add(t.ExpiresIn)
	}
}

// Zero tells whether there is nothing to keep.
func (u Upstream) Zero() bool { return u.IDToken == "" && u.RefreshToken == "" }

// String shows nothing of it.
func (u Upstream) String() string { return "[redacted]" }

// GoString keeps %#v from showing it.
func (u Upstream) GoString() string { return "[redacted]" }

// LogValue keeps log handlers from showing it.
func (u Upstream) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Format keeps every verb, %d and %x included, from showing it.
func (u Upstream) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }

// Logout is a back-channel logout request that was found good (OpenID Connect Back-Channel Logout 1.0 §2.6).
type Logout struct {
	// Session names the session that ends, Subject the person; at least one is not zero. With both, that session ends, and of the person's
	// others those that began without a sid.
	Session, Subject [32]byte
	// ID names the request (jti), to refuse a second one until Expiry.
	ID     [32]byte
	Expiry time.Time
}

// LogValue names a person by the hash of the subject alone.
func (p *Profile) LogValue() slog.Value {
	return slog.GroupValue(slog.String("issuer", p.Issuer), slog.String("subject", fmt.Sprintf("%x", p.SubjectHash[:8])))
}
