// SPDX-License-Identifier: Apache-2.0

package token

import (
	"errors"
	"iter"
	"strconv"
	"time"
)

// Claims are the claims of a verified token (RFC 7519 §4). Absent strings are "", absent
// times zero; Lookup tells absent from empty.
type Claims struct {
	Issuer, Subject, ID, Nonce string
	// Audience holds the one string or the array's elements in order; nil if absent.
	Audience []string
	// Expiry is set but in claims of [ReadClaims] without exp.
	Expiry, IssuedAt, NotBefore time.Time

	members object
}

// Claims checks the registered claims against the rules and the clock: iss, sub, jti and
// nonce are strings, aud is a string or an array of strings, exp, nbf and iat are
// NumericDates; exp is required and > now − leeway; nbf and iat are ≤ now + leeway. It is
// an error, and no refusal, to call it before Verify has succeeded, but for a Direct token.
func (t *Token) Claims(r *Rules, now time.Time) (*Claims, error) {
	if !t.verified {
		return nil, errors.New("reading claims of a token that is not verified")
	}
	c := &Claims{members: t.payload}
	if err := c.read(); err != nil {
		return nil, err
	}
	if err := c.CheckTimes(r.Leeway, now); err != nil {
		return nil, err
	}
	return c, nil
}

// ReadClaims reads a claim set that no token vouches for, with the strict types of
// [Token.Claims] and within the bounds of a token's payload, and without judging times: for
// the examples of a policy and nothing else.
func ReadClaims(payload []byte) (*Claims, error) {
	if len(payload) > MaxLength {
		return nil, refuse(ReasonTooLong, "at most "+strconv.Itoa(MaxLength)+" bytes are allowed")
	}
	members, err := readObject(payload)
	if err != nil {
		return nil, err
	}
	c := &Claims{members: members}
	if err := c.read(); err != nil {
		return nil, err
	}
	return c, nil
}

// read reads the registered claims with strict types.
func (c *Claims) read() (err error) {
	for i := range c.members {
		m := &c.members[i]
		switch m.name {
		case "iss":
			c.Issuer, err = readString(m)
		case "sub":
			c.Subject, err = readString(m)
		case "jti":
			c.ID, err = readString(m)
		case "nonce":
			c.Nonce, err = readString(m)
		case "aud":
			c.Audience, err = readAudience(m)
		case "exp":
			c.Expiry, err = readTime(m)
		case "iat":
			c.IssuedAt, err = readTime(m)
		case "nbf":
			c.NotBefore, err = readTime(m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func readString(m *member) (string, error) {
	text, ok := m.value.Text()
	if !ok {
		return "", refuse(ReasonClaimType, m.name+" is not a string")
	}
	return text, nil
}

func readAudience(m *member) ([]string, error) {
	if text, ok := m.value.Text(); ok {
		return []string{text}, nil
	}
	list, ok := m.value.Strings()
	if !ok {
		return nil, refuse(ReasonClaimType, "aud is neither a string nor an array of strings")
	}
	return list, nil
}

func readTime(m *member) (time.Time, error) {
	number, ok := m.value.Number()
	if !ok {
		return time.Time{}, refuse(ReasonClaimType, m.name+" is not a number")
	}
	at, ok := numericDate(number)
	if !ok {
		return time.Time{}, refuse(ReasonTimeRange, m.name+" is not within 0 … 253402300799 seconds")
	}
	return at, nil
}

// CheckTimes compares the times with the clock: exp is required and > now − leeway; nbf and
// iat are ≤ now + leeway. Whether a claim is there is told by the members, since 0 is a time
// like any other.
func (c *Claims) CheckTimes(leeway time.Duration, now time.Time) error {
	if _, ok := c.members.lookup("exp"); !ok {
		return refuse(ReasonExpMissing, "exp is required")
	}
	if !c.Expiry.After(now.Add(-leeway)) {
		return refuse(ReasonExpired, "exp is "+c.Expiry.UTC().Format(time.RFC3339))
	}
	latest := now.Add(leeway)
	if c.NotBefore.After(latest) {
		return refuse(ReasonNotYetValid, "nbf is "+c.NotBefore.UTC().Format(time.RFC3339))
	}
	if c.IssuedAt.After(latest) {
		return refuse(ReasonIssuedInFuture, "iat is "+c.IssuedAt.UTC().Format(time.RFC3339))
	}
	return nil
}

// Lookup returns the claim with exactly that name, a top-level member of the payload.
func (c *Claims) Lookup(name string) (Value, bool) { return c.members.lookup(name) }

// All ranges over the claims, the top-level members of the payload, in their order.
func (c *Claims) All() iter.Seq2[string, Value] { return c.members.all() }
