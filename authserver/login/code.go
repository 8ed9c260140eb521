// SPDX-License-Identifier: Apache-2.0

package login

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/refresh"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

const (
	// CodeLifetime is how long an authorization code can be exchanged.
	CodeLifetime = time.Minute
	// MaxCodes is how many codes of one user can wait to be exchanged; the oldest goes first.
	MaxCodes = 20
	// ChallengeMethod is the one code_challenge_method (RFC 7636 §4.2).
	ChallengeMethod = "S256"

	codeLength = 32 // bytes, all random
	codeInfo   = "gatehouse authorization code v1"
)

var (
	// ErrRedirectURI says that a redirect_uri is not an entry of login.redirectURIs. The browser must not be sent there.
	ErrRedirectURI = errors.New("redirect_uri is not one of the server's login.redirectURIs")
	// ErrChallenge says that a code_challenge is missing or no SHA-256, or its method another than S256: invalid_request.
	ErrChallenge = errors.New("code_challenge must be the unpadded base64url of a SHA-256, with code_challenge_method S256 (RFC 7636)")
)

// A Handoff is what a browser's request for a code asks for.
type Handoff struct {
	// RedirectURI is compared with login.redirectURIs exactly.
	RedirectURI string
	// Challenge and Method are the code_challenge and its method (RFC 7636 §4.3).
	Challenge, Method string
	// Issue is how tokens are issued once the code is exchanged.
	Issue Issue
}

// CheckHandoff says whether a code may be made for h: ErrRedirectURI, else ErrChallenge. The first error tells that nothing may
// be redirected.
func (s *Snapshot) CheckHandoff(h Handoff) error {
	if h.RedirectURI == "" || !slices.Contains(s.redirectURIs, h.RedirectURI) {
		return ErrRedirectURI
	}
	if h.Method != ChallengeMethod || !isSHA256(h.Challenge) {
		return ErrChallenge
	}
	return nil
}

// isSHA256 tells whether text is what base64url makes of 32 bytes.
func isSHA256(text string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(raw) == sha256.Size && len(text) == base64.RawURLEncoding.EncodedLen(sha256.Size)
}

// codeData is what a code stands for, as JSON in store.Code.Data.
type codeData struct {
	Ref
	Provider    string `json:"provider"`
	RedirectURI string `json:"redirectURI"`
	Challenge   string `json:"challenge"`
	ClientID    string `json:"client,omitempty"`
	// Upstream is Issue.Upstream, sealed under the code.
	Upstream []byte `json:"upstream,omitempty"`
}

// NewCode makes an authorization code for a, who is logged in with a browser. Errors are those of CheckHandoff, or a fault of
// store or randomness.
func (s *Service) NewCode(ctx context.Context, snap *Snapshot, a *Account, h Handoff) (string, error) {
	if err := snap.CheckHandoff(h); err != nil {
		return "", err
	}
	raw := make([]byte, codeLength)
	if _, err := io.ReadFull(s.Random, raw); err != nil {
		return "", fmt.Errorf("making an authorization code: %w", err)
	}
	d := codeData{Ref: a.Ref, Provider: a.Provider, RedirectURI: h.RedirectURI, Challenge: h.Challenge, ClientID: h.Issue.ClientID}
	if h.Issue.Upstream != nil {
		key, err := codeKey(raw)
		if err != nil {
			return "", err
		}
		if d.Upstream, err = seal(key, h.Issue.Upstream, s.Random); err != nil {
			return "", err
		}
	}
	data, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("encoding an authorization code: %w", err)
	}
	code := base64.RawURLEncoding.EncodeToString(raw)
	err = s.Store.PutCode(ctx, store.Code{
		Key: sha256.Sum256([]byte(code)), Owner: a.Subject, Session: h.Issue.Session, Data: data, ExpiresAt: s.Now().Add(CodeLifetime),
	}, MaxCodes)
	if err != nil {
		return "", err
	}
	return code, nil
}

func codeKey(raw []byte) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, raw, nil, codeInfo, 32)
	if err != nil {
		return nil, fmt.Errorf("deriving the key of an authorization code: %w", err)
	}
	return key, nil
}

// An Exchange is a client's request to turn a code into tokens (RFC 6749 §4.1.3, RFC 7636 §4.5).
type Exchange struct {
	Code, RedirectURI, Verifier string
	// ClientID may be empty; else it must be that of the code.
	ClientID string
}

// ExchangeCode uses a code. Whatever is wrong with the rest of the exchange, the code is used up by it; using it again revokes
// the refresh tokens of the first time. Errors are ErrDisabled, ErrInvalidGrant, or a fault of store, signer or randomness.
func (s *Service) ExchangeCode(ctx context.Context, snap *Snapshot, x Exchange) (*Grant, error) {
	if !snap.store {
		return nil, ErrDisabled
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(x.Code)
	if err != nil || len(raw) != codeLength {
		return nil, ErrInvalidGrant
	}
	first, err := refresh.New(s.Random)
	if err != nil {
		return nil, err
	}
	code, err := s.Store.TakeCode(ctx, sha256.Sum256([]byte(x.Code)), first.Family(), s.Now())
	if err != nil {
		if errors.Is(err, store.ErrReused) {
			s.Log.WarnContext(ctx, "authorization code used twice: family revoked", "event", logs.EventFamilyRevoked, "reason", "a code was used twice")
		}
		return nil, refusal(err)
	}
	var d codeData
	if err := json.Unmarshal(code.Data, &d); err != nil {
		return nil, errors.New("reading an authorization code: its data is not JSON")
	}
	if !x.fits(&d) {
		return nil, ErrInvalidGrant
	}
	i := Issue{Session: code.Session, ClientID: d.ClientID}
	if i.Upstream, err = d.upstream(raw); err != nil {
		return nil, err
	}
	a, err := s.Current(ctx, snap, d.Provider, code.Owner, d.Ref)
	if errors.Is(err, ErrEnded) {
		return nil, ErrInvalidGrant
	}
	if err != nil {
		return nil, err
	}
	return s.begin(ctx, snap, a, i, first)
}

// fits compares the exchange with what the code was made for.
func (x *Exchange) fits(d *codeData) bool {
	challenge := sha256.Sum256([]byte(x.Verifier))
	match := subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(challenge[:])), []byte(d.Challenge)) == 1
	return match && x.RedirectURI == d.RedirectURI && (x.ClientID == "" || d.ClientID == "" || x.ClientID == d.ClientID)
}

func (d *codeData) upstream(raw []byte) ([]byte, error) {
	if d.Upstream == nil {
		return nil, nil
	}
	key, err := codeKey(raw)
	if err != nil {
		return nil, err
	}
	return unseal(key, d.Upstream)
}
