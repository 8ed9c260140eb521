// SPDX-License-Identifier: Apache-2.0

package login

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/gatehouse-auth/gatehouse/authserver/clientaddr"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/fold"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// Namespace is the UUIDv5 namespace (RFC 9562 §5.5) of subjects of users of a Secret.
var Namespace = uuid.MustParse("739c5a23-1c58-4e88-9a93-2b5ef100fc64")

// A Snapshot is what one configuration says about logins. It is immutable and safe for concurrent use.
type Snapshot struct {
	issuer                          string
	audience                        []string
	accessLifetime, refreshLifetime time.Duration
	signer                          *issue.Signer
	keys                            *jwk.Set // the public halves of signer's
	store                           bool
	keepsUsers                      bool                        // so there may be users of the store with passwords
	providers                       map[string]*config.Provider // by "namespace/name"
	directory                       *directory                  // nil: password login is off
	lockout                         LockoutSettings
	redirectURIs                    []string
	proxies                         []netip.Prefix
	problems                        []string
}

// directory is the users of the one Password provider, as far as the Secret has them.
type directory struct {
	of           *config.Provider
	provider     string // namespace/name
	organization string
	accounts     map[string]*secretUser // by folded e-mail
	unusable     map[string]bool        // folded addresses of the Secret with which nobody can log in
	decoys       *decoys
}

// secretUser is a user of the Secret.
type secretUser struct {
	Account
	hash string
}

// account is a copy, as the snapshot is immutable and callers may not know.
func (u *secretUser) account() *Account {
	a := u.Account
	a.Groups = slices.Clone(a.Groups)
	return &a
}

// holds tells whether the Secret has the folded address, whether one can log in with it or not: it then is no store user's.
func (d *directory) holds(email string) bool { return d.accounts[email] != nil || d.unusable[email] }

// accountOf is the account of a user of the store who came with a password.
func (d *directory) accountOf(u store.User) *Account {
	return passwordAccountOf(u, d.of)
}

// NewSnapshot reads base and signer. Users that cannot log in are left out and told by Problems; the rest is served. The key
// is the same for every snapshot of a server.
func NewSnapshot(base *config.Base, signer *issue.Signer, key DecoyKey) *Snapshot {
	s := &Snapshot{
		issuer: base.ExternalURL, audience: base.Tokens.Audience, signer: signer,
		accessLifetime: base.Tokens.AccessTokenLifetime.Value(), refreshLifetime: base.Tokens.RefreshTokenLifetime.Value(),
		keys: jwk.NewSet(signer.Keys()...), store: base.Store.Type != config.StoreNone, providers: map[string]*config.Provider{},
		keepsUsers: base.Store.Type == config.StorePostgreSQL || base.Store.Persistent,
		lockout:    lockoutOf(base.Login.Lockout), redirectURIs: base.Login.RedirectURIs, proxies: clientaddr.Trusted(base.Login.TrustedProxies),
	}
	if !s.store {
		return s
	}
	for i := range base.Providers {
		p := &base.Providers[i]
		s.providers[providerName(p)] = p
		if p.Type == config.ProviderPassword && p.Password != nil { // validated: there is at most one
			s.directory = s.read(p, key)
		}
	}
	return s
}

func (s *Snapshot) read(p *config.Provider, key DecoyKey) *directory {
	d := &directory{
		of: p, provider: providerName(p), organization: p.Organization,
		accounts: make(map[string]*secretUser, len(p.Password.Users)), unusable: map[string]bool{},
	}
	var hashes, costs []string
	for i, u := range p.Password.Users {
		email := Fold(u.Email)
		cost, err := password.Cost(u.Hash)
		switch {
		case email == "" || len(email) > maxEmail:
			s.problems = append(s.problems, fmt.Sprintf("%s: users[%d]: email is empty or longer than %d bytes", p.Object, i, maxEmail))
		case err != nil:
			d.unusable[email] = true
			s.problems = append(s.problems, fmt.Sprintf("%s: users[%d]: %v", p.Object, i, err))
		case d.accounts[email] != nil:
			d.unusable[email] = true
			s.problems = append(s.problems, fmt.Sprintf("%s: users[%d]: email equals another one apart from case, so neither can log in", p.Object, i))
		default:
			d.accounts[email] = &secretUser{Account: d.secretAccount(s.issuer, email, &u), hash: u.Hash}
			hashes, costs = append(hashes, u.Hash), append(costs, cost)
		}
	}
	for email := range d.unusable {
		delete(d.accounts, email)
	}
	if s.keepsUsers {
		// Users of the store have passwords too, mostly with hashes of today: they count as one, as nobody knows how many there are.
		hashes, costs = append(hashes, ""), append(costs, password.DefaultCost)
	}
	d.decoys = newDecoys(key, hashes, costs)
	return d
}

// secretAccount is the account of a user of the Secret.
func (d *directory) secretAccount(issuer, email string, u *config.User) Account {
	return Account{
		Subject: subject(issuer, d.provider, email), Provider: d.provider, Organization: d.organization,
		Username: u.Username, Email: u.Email, Name: u.Name, Groups: u.Groups,
		Ref: Ref{Email: email, Credential: secretCredential(u.Hash)},
	}
}

// Problems tells which users were left out and why, without their names or hashes.
func (s *Snapshot) Problems() []string { return s.problems }

// Provider returns the provider of that name, "namespace/name", if it is accepted and enabled and there is a store to log in
// with; else nil. The caller must not change it.
func (s *Snapshot) Provider(name string) *config.Provider { return s.providers[name] }

// TrustedProxies are the networks of login.trustedProxies, as [clientaddr.From] takes them.
func (s *Snapshot) TrustedProxies() []netip.Prefix { return s.proxies }

// AccessTokenLifetime is how long access tokens live.
func (s *Snapshot) AccessTokenLifetime() time.Duration { return s.accessLifetime }

// RefreshTokenLifetime is how long a login can be refreshed after its last use.
func (s *Snapshot) RefreshTokenLifetime() time.Duration { return s.refreshLifetime }

// PasswordLogin says whether there is a Password provider to log in with.
func (s *Snapshot) PasswordLogin() bool { return s.directory != nil }

// Issuer is the server's issuer: its external URL.
func (s *Snapshot) Issuer() string { return s.issuer }

// Signer holds the server's signing keys.
func (s *Snapshot) Signer() *issue.Signer { return s.signer }

// Store says whether this server keeps refresh tokens.
func (s *Snapshot) Store() bool { return s.store }

// maxEmail bounds e-mail addresses in bytes (RFC 5321 §4.5.3.1 allows 320).
const maxEmail = 320

// Fold is the form in which e-mail addresses are compared: that of [fold.Name].
func Fold(email string) string { return fold.Name(email) }

// subject is the sub of a user of a Secret: the UUIDv5 of issuer, namespace/provider and folded e-mail, joined by NUL, in
// Namespace. It needs no store, so it outlives one.
func subject(issuer, provider, email string) string {
	return uuid.NewSHA1(Namespace, []byte(issuer+"\x00"+provider+"\x00"+email)).String()
}
