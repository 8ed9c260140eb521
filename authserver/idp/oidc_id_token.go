// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

const (
	// leeway is the allowed difference of clocks.
	leeway = 30 * time.Second
	// keysStale is how long keys serve while they cannot be fetched again.
	keysStale = 24 * time.Hour
	// maxSubject bounds sub, in bytes (OpenID Connect Core 1.0 §2).
	maxSubject = 255
)

// idTokenTypes are the typ of ID tokens. An access token (at+jwt) or a logout token is none.
var idTokenTypes = []string{"", "jwt"}

// idToken is an ID token that was found good.
type idToken struct {
	raw    string
	claims *token.Claims
	issuer string // of the identity: iss, or where no issuer is known the token endpoint's origin
}

// asks are parameters of the authorization request that an ID token has to answer.
type asks struct {
	maxAge    time.Duration // of auth_time
	hasMaxAge bool
}

// readAsks checks the further parameters of an authorization request.
func readAsks(parameters []config.Parameter) (a asks, err error) {
	for _, p := range parameters {
		if slices.Contains(reserved, p.Name) {
			return a, errors.New("extraAuthorizationParameters: " + p.Name + " is set by the login itself: leave it out")
		}
		if p.Name != "max_age" {
			continue
		}
		seconds, err := strconv.ParseUint(p.Value, 10, 31)
		if err != nil {
			return a, errors.New("extraAuthorizationParameters: max_age is not a number of seconds")
		}
		a.maxAge, a.hasMaxAge = time.Duration(seconds)*time.Second, true
	}
	return a, nil
}

// verify takes a JWT of the provider in: form, algorithm, key, signature and times. Its claims mean nothing yet.
func (o *oidc) verify(ctx context.Context, raw string, types []string) (*token.Token, *token.Claims, error) {
	rules := &token.Rules{Algorithms: o.config.Algorithms, Types: types, Leeway: leeway}
	t, err := token.Parse(raw, rules)
	if err != nil {
		return nil, nil, err
	}
	key, err := o.key(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	if err := t.Verify(key); err != nil {
		return nil, nil, err
	}
	claims, err := t.Claims(rules, o.now())
	return t, claims, err
}

// key returns the one key for a token: of the client secret for HS256 and its like, else one that the provider publishes. A key ID not seen before
// makes the keys be fetched again, once.
func (o *oidc) key(ctx context.Context, t *token.Token) (*jwk.Key, error) {
	if symmetric(t.Algorithm()) {
		return t.Select(o.secret)
	}
	kid, has := t.KeyID()
	found, err := o.keys.Find(ctx, o.source, keys.Ask{Algorithm: t.Algorithm(), KeyID: kid, HasKeyID: has, MaxStale: keysStale})
	switch {
	case errors.Is(err, keys.ErrUnavailable):
		return nil, unavailable("the provider's keys: " + o.keys.Status(o.source).Message)
	case err != nil:
		return nil, token.SelectError(err)
	case found.Key.Type() == "oct": // the engine leaves them out; that it does is not relied on
		return nil, &token.Error{Reason: token.ReasonUnknownKey, Detail: "a symmetric key of a public document is no secret"}
	}
	return found.Key, nil
}

// timeReasons are the refusals of package token that are about time.
var timeReasons = []token.Reason{
	token.ReasonTimeRange, token.ReasonExpMissing, token.ReasonExpired, token.ReasonNotYetValid, token.ReasonIssuedInFuture,
}

// readIDToken applies every rule of OpenID Connect Core 1.0 §3.1.3.7 but those that need the login (checkLogin). accessToken is the one it came with.
func (o *oidc) readIDToken(ctx context.Context, raw, accessToken string) (*idToken, error) {
	t, claims, err := o.verify(ctx, raw, idTokenTypes)
	if refused, ok := errors.AsType[*token.Error](err); ok {
		if slices.Contains(timeReasons, refused.Reason) {
			return nil, refuse(ReasonIDTokenTime, "the ID token: "+refused.Error())
		}
		return nil, refuse(ReasonIDToken, "the ID token: "+refused.Error())
	}
	if err != nil {
		return nil, err
	}
	for _, check := range []func() error{
		func() error { return o.checkParties(claims) },
		func() error { return checkSubject(claims) },
		func() error { return o.checkLibrary(ctx, raw) },
		func() error { return checkHash(t, claims, accessToken) },
	} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return &idToken{raw, claims, o.identityIssuer(claims)}, nil
}

// checkParties checks who issued a token and for whom: iss, aud, azp; and that it says when.
func (o *oidc) checkParties(c *token.Claims) error {
	azp, hasAzp := c.Lookup("azp")
	party, isText := azp.Text()
	_, hasIat := c.Lookup("iat")
	switch {
	case c.Issuer == "" || o.config.Issuer != "" && c.Issuer != o.config.Issuer:
		return refuse(ReasonIDTokenIssuer, "iss of the ID token is not exactly oidc.issuer")
	case !slices.Contains(c.Audience, o.client.ID):
		return refuse(ReasonIDTokenAudience, "aud of the ID token does not hold the client ID")
	case len(c.Audience) > 1 && !hasAzp:
		return refuse(ReasonIDTokenAudience, "the ID token is for several audiences and has no azp")
	case hasAzp && (!isText || party != o.client.ID):
		return refuse(ReasonIDTokenAudience, "azp of the ID token is not the client ID")
	case !hasIat:
		return refuse(ReasonIDTokenTime, "the ID token has no iat")
	}
	return nil
}

func checkSubject(c *token.Claims) error {
	switch {
	case c.Subject == "":
		return refuse(ReasonIDTokenSubject, "the ID token has no sub, or an empty one")
	case len(c.Subject) > maxSubject || strings.ContainsFunc(c.Subject, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return refuse(ReasonIDTokenSubject, "sub of the ID token is longer than 255 bytes or has control characters")
	}
	return nil
}

// verified is a token whose signature was checked, as a key set of go-oidc.
type verified string

// VerifySignature implements [gooidc.KeySet].
func (v verified) VerifySignature(_ context.Context, jwt string) ([]byte, error) {
	parts := strings.Split(jwt, ".")
	if jwt != string(v) || len(parts) != 3 {
		return nil, errors.New("another token than the one that was verified")
	}
	return base64.RawURLEncoding.DecodeString(parts[1])
}

// checkLibrary has go-oidc judge the token, too: a second opinion on iss, aud, exp and nbf. Its words quote the token and are not told.
func (o *oidc) checkLibrary(ctx context.Context, raw string) error {
	verifier := gooidc.NewVerifier(o.config.Issuer, verified(raw), &gooidc.Config{
		ClientID: o.client.ID, SupportedSigningAlgs: o.config.Algorithms, SkipIssuerCheck: o.config.Issuer == "",
		Now: func() time.Time { return o.now().Add(-leeway) },
	})
	if _, err := verifier.Verify(ctx, raw); err != nil {
		return refuse(ReasonIDToken, "the ID token breaks a rule of OpenID Connect Core 1.0 section 3.1.3.7")
	}
	return nil
}

// checkHash compares at_hash, where there is one, with the access token (OpenID Connect Core 1.0 §3.1.3.8).
func checkHash(t *token.Token, c *token.Claims, accessToken string) error {
	value, has := c.Lookup("at_hash")
	if !has {
		return nil
	}
	got, isText := value.Text()
	alg, _ := jwk.Algorithm(t.Algorithm())
	hash := alg.Hash
	if hash == 0 {
		hash = crypto.SHA512 // of Ed25519
	}
	h := hash.New()
	_, _ = h.Write([]byte(accessToken)) // it never fails
	sum := h.Sum(nil)
	want := base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	if !isText || subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
		return refuse(ReasonIDTokenHash, "at_hash of the ID token is not of the access token that came with it")
	}
	return nil
}

// checkLogin checks what ties an ID token to one login: the nonce, and auth_time where max_age was asked for.
func (o *oidc) checkLogin(c *token.Claims, nonce string) error {
	if nonce == "" || subtle.ConstantTimeCompare([]byte(c.Nonce), []byte(nonce)) != 1 {
		return refuse(ReasonNonce, "nonce of the ID token is absent or another login's")
	}
	if !o.asks.hasMaxAge {
		return nil
	}
	value, _ := c.Lookup("auth_time")
	number, _ := value.Number()
	seconds, err := strconv.ParseInt(number, 10, 64)
	switch {
	case err != nil || seconds < 0:
		return refuse(ReasonIDTokenTime, "the ID token has no auth_time in whole seconds although max_age was asked for")
	case o.now().Sub(time.Unix(seconds, 0)) > o.asks.maxAge+leeway:
		return refuse(ReasonIDTokenTime, "auth_time of the ID token is longer ago than max_age")
	case time.Unix(seconds, 0).After(o.now().Add(leeway)):
		return refuse(ReasonIDTokenTime, "auth_time of the ID token is in the future")
	}
	return nil
}

// identityIssuer names who vouches for the subject. Without an issuer in the configuration iss is whatever the provider likes, another provider's
// included: then it is the token endpoint's origin, which TLS has proved.
func (o *oidc) identityIssuer(c *token.Claims) string {
	if o.config.Issuer != "" {
		return c.Issuer
	}
	return o.issuer
}

// session is the hash of sid, zero without one.
func (id *idToken) session() [32]byte {
	value, _ := id.claims.Lookup("sid")
	sid, _ := value.Text()
	if sid == "" {
		return [32]byte{}
	}
	return hashOf("sid", id.issuer, sid)
}

// hashOf names a value of an issuer without telling it.
func hashOf(kind, issuer, value string) [32]byte {
	return sha256.Sum256([]byte(kind + "\x00" + issuer + "\x00" + value))
}
