// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// connector speaks one protocol with one provider. Its methods may be called from several goroutines. Abilities that not every
// protocol has are the interfaces below.
type connector interface {
	authorizationURL(ctx context.Context, a Ask) (string, error)
	// exchange is called after checkIssuer has agreed.
	exchange(ctx context.Context, a Answer) (*Profile, error)
	status() Status
}

// issuerChecker knows what a callback's iss must be (RFC 9207).
type issuerChecker interface {
	checkIssuer(ctx context.Context, iss string, has bool) error
}

// refresher renews a login without the person.
type refresher interface {
	refresh(ctx context.Context, u Upstream) (*Profile, error)
}

// leaver can log out at the provider, too. It is asked only where syncLogout is set.
type leaver interface {
	logoutURL(ctx context.Context, u Upstream, postLogout, state string) (string, bool)
}

// backChannel takes logout requests of the provider.
type backChannel interface {
	backChannelLogout(ctx context.Context, token string) (Logout, error)
}

// connectors make the connector of each type of provider. An error tells the administrator what of the provider cannot
// work, without its secrets.
var connectors = map[string]func(*config.Provider, deps) (connector, error){
	config.ProviderOIDC:   newOIDC,
	config.ProviderOAuth2: newOAuth2,
}

// deps are what a connector works with.
type deps struct {
	// client dials only where the provider's outbound rules allow.
	client *http.Client
	reach  outbound.Profile
	keys   KeySource
	now    func() time.Time
	random io.Reader
	// discover returns the metadata of an issuer, which may be known from an earlier configuration.
	discover func(source, issuer string) *discovery
}

// broken stands in for a provider that cannot be used as it is written: it harms nobody else.
type broken struct {
	err   error
	since time.Time
}

func (b *broken) authorizationURL(context.Context, Ask) (string, error) { return "", b.refusal() }

func (b *broken) exchange(context.Context, Answer) (*Profile, error) { return nil, b.refusal() }

func (b *broken) refresh(context.Context, Upstream) (*Profile, error) { //nolint:unparam // the signature is refresher's
	return nil, unavailable(b.err.Error()) // the session is not to blame
}

func (b *broken) status() Status {
	return Status{Fetched: true, Reason: ReasonMisconfiguredProvider, Message: b.err.Error(), Since: b.since}
}

func (b *broken) refusal() error { return refuse(ReasonMisconfigured, b.err.Error()) }
