// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"
)

// Bearer is the only type of token that this package hands out (RFC 6750).
const Bearer = "Bearer"

// Token is a credential for somebody else's API: an access token, or a JWT that is one itself. Value is secret; the Token prints, logs and marshals without it.
type Token struct {
	// Value is at most 16 KiB of visible ASCII.
	Value string
	// Type is [Bearer].
	Type string
	// IssuedAt is when the token was asked for, by this machine's clock.
	IssuedAt time.Time
	// ExpiresAt is when it must not be used any more.
	ExpiresAt time.Time
}

// Authorization returns the value of a header Authorization (RFC 6750 §2.1). It is secret.
func (t Token) Authorization() string { return t.Type + " " + t.Value }

// RenewAt returns when the next token should be obtained: after 80 % to 90 % of the token's life, by jitter in [0, 1).
func (t Token) RenewAt(jitter float64) time.Time {
	life := t.ExpiresAt.Sub(t.IssuedAt)
	return t.IssuedAt.Add(time.Duration(float64(life) * (0.8 + 0.1*min(max(jitter, 0), 1))))
}

// valid tells whether the token may be used.
func (t Token) valid(now time.Time) bool { return t.Value != "" && now.Before(t.ExpiresAt) }

// String tells type and expiry, never the value.
func (t Token) String() string {
	return fmt.Sprintf("%s token until %s", t.Type, t.ExpiresAt.UTC().Format(time.RFC3339))
}

// GoString keeps %#v from printing the value.
func (t Token) GoString() string { return t.String() }

// Format keeps every other verb from printing the value.
func (t Token) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(t.String())) }

// LogValue keeps log handlers from printing the value.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalJSON writes the token as [Token.String] has it: what is meant for a client names its members itself.
func (t Token) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }
