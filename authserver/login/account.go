// SPDX-License-Identifier: Apache-2.0

package login

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// An Account is somebody who is logged in: what every kind of login ends in, and what tokens and sessions are made of.
type Account struct {
	// Subject is the sub of the account's tokens.
	Subject string
	// Provider is "namespace/name" of the provider that the login came through.
	Provider     string
	Organization string
	Username     string
	// Email is empty where the provider says that the user's address is not verified.
	Email string
	// EmailVerified is what is known of Email; nobody knows it of users of a Secret, whose Ref.User is empty.
	EmailVerified bool
	Name          string
	Groups        []string
	// Exchanged says that nobody logged in: the account is what an access token says that was given for an assertion, under the policy with the mark GrantedBy.
	Exchanged bool
	GrantedBy string
	// Ref is how [Service.Current] finds the account again.
	Ref Ref
}

// A Ref finds an account again, and tells whether it still has the password that it logged in with. It is JSON in families,
// codes and sessions.
type Ref struct {
	// Email is the folded address of a user of a Secret; empty for users of the store.
	Email string `json:"email,omitempty"`
	// User is the ID of a user of the store; empty for users of a Secret.
	User string `json:"user,omitempty"`
	// Credential stands for the password that it logged in with: of a user of a Secret the SHA-256 of its hash, of a user of the store
	// its version, which a rehash leaves as it is. nil for a login without a password.
	Credential []byte `json:"credential,omitempty"`
	// Issuer is that of the provider's identities at the login ([config.Provider.IdentityIssuer]); empty for passwords and for logins of earlier versions.
	Issuer string `json:"issuer,omitempty"`
}

// ErrEnded says that an account may not go on. It is an *EndedError.
var ErrEnded = errors.New("the login has ended")

// EndedError is an ErrEnded with its reason, for logs.
type EndedError struct {
	// Reason names no user.
	Reason string
	// Final tells that it cannot come back: a user who is gone can be forgotten, a provider that is gone may be there again
	// with the next configuration.
	Final bool
}

// Error implements error.
func (e *EndedError) Error() string { return "the login has ended: " + e.Reason }

// Is makes errors.Is(err, ErrEnded) true.
func (e *EndedError) Is(target error) bool { return target == ErrEnded }

// AccountOf is the account of a user of the store who came through p without a password.
func AccountOf(u store.User, p *config.Provider) *Account {
	a := &Account{
		Subject: u.ID, Provider: providerName(p), Organization: u.Organization, Username: u.Username,
		Email: u.Email, EmailVerified: u.EmailVerified, Name: u.Name, Groups: u.Groups, Ref: Ref{User: u.ID, Issuer: p.IdentityIssuer()},
	}
	if u.EmailDenied() {
		a.Email = "" // applications take an address for the user's
	}
	return a
}

// passwordAccountOf is the account of a user of the store who came with the present password.
func passwordAccountOf(u store.User, p *config.Provider) *Account {
	a := AccountOf(u, p)
	a.Ref.Credential = storeCredential(&u)
	return a
}

// secretCredential stands for a password hash where the hash itself must not be.
func secretCredential(hash string) []byte {
	sum := sha256.Sum256([]byte(hash))
	return sum[:]
}

// storeCredential stands for the present password of a user of the store, however it is hashed.
func storeCredential(u *store.User) []byte { return strconv.AppendInt(nil, u.PasswordVersion, 10) }

// providerName is "namespace/name" of a provider.
func providerName(p *config.Provider) string {
	return strings.TrimPrefix(p.Object, "IdentityProvider/")
}

// Current is the account as it is now, by configuration and store: with today's name, groups and organization. Errors are
// ErrEnded, or a fault of the store.
func (s *Service) Current(ctx context.Context, snap *Snapshot, provider, subject string, ref Ref) (*Account, error) {
	p := snap.Provider(provider)
	switch {
	case p == nil:
		return nil, &EndedError{Reason: "the provider is gone or disabled"}
	case !snap.Stands(provider, ref):
		return nil, &EndedError{Reason: "the provider has another issuer now"}
	case ref.User == "":
		return snap.currentOfSecret(provider, subject, ref)
	}
	u, err := s.Store.User(ctx, ref.User)
	if errors.Is(err, store.ErrNotFound) {
		return nil, &EndedError{Reason: "the user is gone", Final: true}
	}
	if err != nil {
		return nil, fmt.Errorf("reading a user: %w", err)
	}
	return snap.currentOfStore(p, subject, ref, u)
}

// Stands tells whether the provider of a login is there and of the issuer that the login was at. One that does not stand may again with the next configuration.
func (s *Snapshot) Stands(provider string, ref Ref) bool {
	p := s.Provider(provider)
	return p != nil && (ref.Issuer == "" || ref.Issuer == p.IdentityIssuer())
}

// currentOfSecret is the account of a user of the Secret.
func (s *Snapshot) currentOfSecret(provider, subject string, ref Ref) (*Account, error) {
	if s.directory == nil || s.directory.provider != provider {
		return nil, &EndedError{Reason: "the provider has no passwords any more"}
	}
	a := s.directory.accounts[ref.Email]
	switch {
	case a == nil:
		return nil, &EndedError{Reason: "the user is gone", Final: true}
	case a.Subject != subject:
		return nil, &EndedError{Reason: "the login belongs to another provider or external URL"} // which may come back
	case !bytes.Equal(a.Ref.Credential, ref.Credential):
		return nil, &EndedError{Reason: "the password hash changed", Final: true}
	}
	return a.account(), nil
}

// currentOfStore is the account of u, who once came through p.
func (s *Snapshot) currentOfStore(p *config.Provider, subject string, ref Ref, u store.User) (*Account, error) {
	withPassword := len(ref.Credential) > 0
	switch {
	case u.ID != subject:
		return nil, &EndedError{Reason: "the login belongs to another user", Final: true}
	case u.Disabled:
		return nil, &EndedError{Reason: "the user is disabled", Final: true}
	case withPassword && !bytes.Equal(storeCredential(&u), ref.Credential):
		return nil, &EndedError{Reason: "the password changed", Final: true}
	case withPassword && (s.directory == nil || s.directory.provider != providerName(p)):
		return nil, &EndedError{Reason: "the provider has no passwords any more"}
	case withPassword && s.directory.holds(Fold(u.Email)):
		return nil, &EndedError{Reason: "a user of the Secret has the e-mail address"}
	case !withPassword && u.Organization != p.Organization:
		return nil, &EndedError{Reason: "the provider belongs to another organization"}
	case withPassword:
		return passwordAccountOf(u, p), nil
	}
	return AccountOf(u, p), nil
}
