// SPDX-License-Identifier: Apache-2.0

package idp_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/idp/optest"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

const redirectURI = "https://auth.example/auth/sso/login/callback/"

// clock is a clock that tests set.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// lab is a provider in a set of its own, in front of a fake OP.
type lab struct {
	op      *optest.OP
	base    *config.Base
	options idp.Options
	clock   *clock
	set     *idp.Set
}

// providerOf returns the configuration of a provider in front of op, as render writes it.
func providerOf(op *optest.OP) config.Provider {
	c := op.Client()
	return config.Provider{
		Object: "IdentityProvider/default/sso", Name: "sso", Type: config.ProviderOIDC, DisplayName: "SSO", Organization: "default",
		CABundle: "op", UserSync: config.SyncAlways, Linking: config.LinkingNone,
		Mappings: &config.ProviderMappings{
			Username: config.Source{Claims: []string{"preferred_username"}}, Email: config.Source{Claims: []string{"email"}},
			Name: config.Source{Claims: []string{"name"}}, Groups: config.Source{Claims: []string{"groups"}},
		},
		OIDC: &config.OIDC{
			Issuer: op.Issuer(), Discovery: op.URL(optest.PathMetadata), Algorithms: []string{"RS256"},
			Client: config.Client{
				ID: c.ID, Secret: c.Secret, Authentication: config.ClientSecretBasic, Scopes: []string{"openid", "email", "profile"}, PKCE: true,
			},
		},
	}
}

func newLab(t testing.TB, op *optest.OP, edit func(p *config.Provider)) *lab {
	t.Helper()
	p := providerOf(op)
	if edit != nil {
		edit(&p)
	}
	engine := keys.New(keys.Options{})
	t.Cleanup(engine.Close)
	l := &lab{op: op, clock: &clock{}}
	l.base = &config.Base{Bundles: map[string]string{"op": op.CABundle()}, Providers: []config.Provider{p}}
	l.options = idp.Options{
		Clients: outbound.NewClients(outbound.Options{}), Keys: engine, Now: l.clock.now,
		ExtraAllowedCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
	l.reload(t)
	return l
}

// reload makes the set anew, from the one there is.
func (l *lab) reload(t testing.TB) {
	t.Helper()
	set, err := idp.NewSet(l.set, l.base, l.options)
	if err != nil {
		t.Fatal(err)
	}
	l.set = set
}

func (l *lab) provider() *idp.Provider { return l.set.Get("sso") }

const (
	verifier = "a-verifier-of-more-than-43-characters-for-RFC-7636"
	nonce    = "the nonce of this login"
	state    = "the state of this login"
)

// begin sends the browser to the OP and returns what the callback brought.
func (l *lab) begin(t testing.TB) (url.Values, error) {
	t.Helper()
	ask := idp.Ask{State: state, Nonce: nonce, RedirectURI: redirectURI}
	if l.provider().PKCE() {
		ask.Challenge = challengeOf(verifier)
	}
	target, err := l.provider().AuthorizationURL(t.Context(), ask)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := l.op.Browser().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusFound {
		t.Fatalf("the OP answered the authorization request with %d", resp.StatusCode)
	}
	back, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	return back.Query(), nil
}

func (l *lab) answer(q url.Values) idp.Answer {
	a := idp.Answer{Code: q.Get("code"), Nonce: nonce, RedirectURI: redirectURI, Issuer: q.Get("iss"), HasIssuer: q.Has("iss")}
	if l.provider().PKCE() {
		a.Verifier = verifier
	}
	return a
}

// login goes all the way.
func (l *lab) login(t testing.TB) (*idp.Profile, error) {
	t.Helper()
	q, err := l.begin(t)
	if err != nil {
		return nil, err
	}
	return l.provider().Exchange(t.Context(), l.answer(q))
}

func (l *lab) mustLogin(t testing.TB) *idp.Profile {
	t.Helper()
	p, err := l.login(t)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// reasonOf is the reason of a refusal, "" for none.
func reasonOf(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	e, ok := errors.AsType[*idp.Error](err)
	if !ok {
		t.Fatalf("the error is no *idp.Error: %v", err)
	}
	return e.Reason
}

// shown is everything of an error that anybody may come to see.
func shown(err error) string {
	text := fmt.Sprintf("%v %+v", err, err)
	if e, ok := errors.AsType[*idp.Error](err); ok {
		text += e.RuleMessage() + e.Detail
	}
	return text
}

// challengeOf is the S256 code challenge of a verifier.
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
