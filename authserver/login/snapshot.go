// SPDX-License-Identifier: Apache-2.0

package login

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
)

// Namespace is the UUIDv5 namespace (RFC 9562 §5.5) of subjects of users of a Secret.
var Namespace = uuid.MustParse("739c5a23-1c58-4e88-9a93-2b5ef100fc64")

// A Snapshot is what one configuration says about logins. It is immutable and safe for concurrent use.
type Snapshot struct {
	issuer                          string
	audience                        []string
	accessLifetime, refreshLifetime time.Duration
	signer                          *issue.Signer
	store                           bool
	directory                       *directory // nil: password login is off
	problems                        []string
}

// directory is the users of the one Password provider.
type directory struct {
	provider     string // namespace/name
	organization string
	accounts     map[string]*account // by folded e-mail
	decoys       *decoys
}

type account struct {
	user       config.User
	subject    string
	credential [sha256.Size]byte // of the hash: changes when the password does
}

// NewSnapshot reads base and signer. Users that cannot log in are left out and told by Problems; the rest is served. The key
// is the same for every snapshot of a server.
func NewSnapshot(base *config.Base, signer *issue.Signer, key DecoyKey) *Snapshot {
	s := &Snapshot{
		issuer: base.ExternalURL, audience: base.Tokens.Audience, signer: signer,
		accessLifetime: base.Tokens.AccessTokenLifetime.Value(), refreshLifetime: base.Tokens.RefreshTokenLifetime.Value(),
		store: base.Store.Type != config.StoreNone,
	}
	if !s.store {
		return s
	}
	for i := range base.Providers {
		if p := &base.Providers[i]; p.Type == config.ProviderPassword && p.Password != nil {
			s.directory = s.read(p, key)
			break // validated: there is at most one
		}
	}
	return s
}

func (s *Snapshot) read(p *config.Provider, key DecoyKey) *directory {
	d := &directory{
		provider: strings.TrimPrefix(p.Object, "IdentityProvider/"), organization: p.Organization,
		accounts: make(map[string]*account, len(p.Password.Users)),
	}
	ambiguous := map[string]bool{}
	var hashes, costs []string
	for i, u := range p.Password.Users {
		email := Fold(u.Email)
		cost, err := password.Cost(u.Hash)
		switch {
		case email == "" || len(email) > maxEmail:
			s.problems = append(s.problems, fmt.Sprintf("%s: users[%d]: email is empty or longer than %d bytes", p.Object, i, maxEmail))
		case err != nil:
			s.problems = append(s.problems, fmt.Sprintf("%s: users[%d]: %v", p.Object, i, err))
		case d.accounts[email] != nil:
			ambiguous[email] = true
			s.problems = append(s.problems, fmt.Sprintf("%s: users[%d]: email equals another one apart from case, so neither can log in", p.Object, i))
		default:
			d.accounts[email] = &account{user: u, subject: subject(s.issuer, d.provider, email), credential: sha256.Sum256([]byte(u.Hash))}
			hashes, costs = append(hashes, u.Hash), append(costs, cost)
		}
	}
	for email := range ambiguous {
		delete(d.accounts, email)
	}
	d.decoys = newDecoys(key, hashes, costs)
	return d
}

// Problems tells which users were left out and why, without their names or hashes.
func (s *Snapshot) Problems() []string { return s.problems }

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

// Fold is the form in which e-mail addresses are compared: NFKC of lower case, without space around it.
func Fold(email string) string {
	return norm.NFKC.String(strings.ToLower(norm.NFKC.String(strings.TrimSpace(email))))
}

// subject is the sub of a user of a Secret: the UUIDv5 of issuer, namespace/provider and folded e-mail, joined by NUL, in
// Namespace. It needs no store, so it outlives one.
func subject(issuer, provider, email string) string {
	return uuid.NewSHA1(Namespace, []byte(issuer+"\x00"+provider+"\x00"+email)).String()
}

// find returns the account, or nil and the hash to compute in its stead. Both take the same time.
func (d *directory) find(email string) (a *account, hash string) {
	decoy := d.decoys.hash(email)
	if a := d.accounts[email]; a != nil {
		return a, a.user.Hash
	}
	return nil, decoy
}
