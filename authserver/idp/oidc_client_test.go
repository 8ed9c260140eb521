// SPDX-License-Identifier: Apache-2.0

package idp_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/idp/optest"
)

// privateKey returns a key in PEM and its public half.
func privateKey(t testing.TB) (string, crypto.PublicKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), key.Public()
}

// TestClientAuthentication logs in with every method at an OP that takes exactly the registered one, with each of the others, and with a wrong secret.
func TestClientAuthentication(t *testing.T) {
	key, public := privateKey(t)
	other, _ := privateKey(t)
	methods := map[string]string{
		config.ClientSecretBasic: "client_secret_basic", config.ClientSecretPost: "client_secret_post",
		config.PrivateKeyJWT: "private_key_jwt", config.ClientNone: "none",
	}
	for ours, registered := range methods {
		op := optest.Start(t, optest.Options{Client: optest.Client{Method: registered, Key: public}})
		for used := range methods {
			for _, right := range []bool{true, false} {
				if used == config.ClientNone && !right {
					continue
				}
				l := newLab(t, op, func(p *config.Provider) {
					p.OIDC.Client.Authentication = used
					switch {
					case used == config.ClientNone:
						p.OIDC.Client.Secret = ""
					case used == config.PrivateKeyJWT && right:
						p.OIDC.Client.Secret = key
					case used == config.PrivateKeyJWT:
						p.OIDC.Client.Secret = other
					case !right || p.OIDC.Client.Secret == "":
						p.OIDC.Client.Secret = "a wrong secret of some length"
					}
				})
				want := idp.ReasonClientRefused
				if ours == used && right {
					want = ""
				}
				if _, err := l.login(t); reasonOf(t, err) != want {
					t.Errorf("registered %s, used %s, right secret %v: %v", ours, used, right, err)
				}
			}
		}
	}
}

func TestAssertionsAreForOneUseAndTheIssuer(t *testing.T) {
	key, public := privateKey(t)
	op := optest.Start(t, optest.Options{Client: optest.Client{Method: "private_key_jwt", Key: public}})
	l := newLab(t, op, func(p *config.Provider) {
		p.OIDC.Client.Authentication, p.OIDC.Client.Secret = config.PrivateKeyJWT, key
	})
	for range 3 { // the OP refuses a jti that it has seen
		l.mustLogin(t)
	}
}

// TestAuthorizationRequest compares all its parameters (OpenID Connect Core 1.0 §3.1.2.1, RFC 7636 §4.3).
func TestAuthorizationRequest(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	for name, row := range map[string]struct {
		edit func(*config.Provider)
		want url.Values
	}{
		"usual":          {func(*config.Provider) {}, nil},
		"without PKCE":   {func(p *config.Provider) { p.OIDC.Client.PKCE = false }, url.Values{"code_challenge": nil, "code_challenge_method": nil}},
		"without scopes": {func(p *config.Provider) { p.OIDC.Client.Scopes = nil }, url.Values{"scope": {"openid"}}},
		"openid is always asked for": {
			func(p *config.Provider) { p.OIDC.Client.Scopes = []string{"groups"} }, url.Values{"scope": {"openid groups"}},
		},
		"further parameters": {
			func(p *config.Provider) {
				p.OIDC.Parameters = []config.Parameter{{Name: "prompt", Value: "select_account & more"}}
			},
			url.Values{"prompt": {"select_account & more"}},
		},
		"an endpoint with a query": {
			func(p *config.Provider) {
				p.OIDC.AuthorizationEndpoint = op.URL(optest.PathAuthorize) + "?tenant=a%26b"
			}, url.Values{"tenant": {"a&b"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, op, row.edit)
			if _, err := l.begin(t); err != nil {
				t.Fatal(err)
			}
			want := url.Values{
				"client_id": {op.Client().ID}, "response_type": {"code"}, "redirect_uri": {redirectURI}, "scope": {"openid email profile"},
				"state": {state}, "nonce": {nonce}, "code_challenge_method": {"S256"}, "code_challenge": {challengeOf(verifier)},
			}
			maps.Copy(want, row.want)
			maps.DeleteFunc(want, func(_ string, v []string) bool { return len(v) == 0 })
			if diff := cmp.Diff(want, op.LastAuthorization()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAskIsWhole: a request that could not be tied to its login is not made.
func TestAskIsWhole(t *testing.T) {
	l := newLab(t, optest.Start(t, optest.Options{}), nil)
	whole := idp.Ask{State: state, Nonce: nonce, Challenge: challengeOf(verifier), RedirectURI: redirectURI}
	for name, spoil := range map[string]func(*idp.Ask){
		"state": func(a *idp.Ask) { a.State = "" }, "nonce": func(a *idp.Ask) { a.Nonce = "" },
		"challenge": func(a *idp.Ask) { a.Challenge = "" }, "redirect URI": func(a *idp.Ask) { a.RedirectURI = "" },
	} {
		a := whole
		spoil(&a)
		if u, err := l.provider().AuthorizationURL(t.Context(), a); err == nil {
			t.Errorf("without %s: %s", name, u)
		}
	}
}

// TestAnswerIsWhole: nor is a code exchanged by a login that has lost what it had remembered.
func TestAnswerIsWhole(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, nil)
	q, err := l.begin(t)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*idp.Answer){
		"code": func(a *idp.Answer) { a.Code = "" }, "nonce": func(a *idp.Answer) { a.Nonce = "" },
		"verifier": func(a *idp.Answer) { a.Verifier = "" }, "redirect URI": func(a *idp.Answer) { a.RedirectURI = "" },
	} {
		a := l.answer(q)
		spoil(&a)
		if _, err := l.provider().Exchange(t.Context(), a); err == nil {
			t.Errorf("without %s: exchanged", name)
		}
	}
	if n := op.Calls(optest.PathToken); n != 0 {
		t.Errorf("%d token requests", n)
	}
	a := l.answer(q)
	a.Verifier = strings.ToUpper(verifier)
	if _, err := l.provider().Exchange(t.Context(), a); reasonOf(t, err) != idp.ReasonTokenEndpoint {
		t.Errorf("another verifier: %v", err)
	}
}

// TestMixUp sends the callback of one provider to another (RFC 9207 §1): neither token endpoint hears of it.
func TestMixUp(t *testing.T) {
	honest, evil := optest.Start(t, optest.Options{}), optest.Start(t, optest.Options{})
	a, b := newLab(t, honest, nil), newLab(t, evil, nil)
	q, err := a.begin(t)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.provider().CheckIssuer(t.Context(), q.Get("iss"), true); reasonOf(t, err) != idp.ReasonIssuerMismatch {
		t.Error(err)
	}
	if _, err := b.provider().Exchange(t.Context(), b.answer(q)); reasonOf(t, err) != idp.ReasonIssuerMismatch {
		t.Error(err)
	}
	if n := honest.Calls(optest.PathToken) + evil.Calls(optest.PathToken); n != 0 {
		t.Errorf("%d token requests", n)
	}
}

// TestExplicitEndpointsWin: those given count, the rest is discovered; with all of them nothing is.
func TestExplicitEndpointsWin(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	op.Behave(optest.Behaviour{Metadata: func(m map[string]any) {
		for _, name := range []string{"authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"} {
			m[name] = op.URL("/nowhere")
		}
	}})
	all := func(p *config.Provider) {
		p.SyncLogout = true
		p.OIDC.AuthorizationEndpoint, p.OIDC.TokenEndpoint, p.OIDC.JWKSEndpoint = op.URL(optest.PathAuthorize), op.URL(optest.PathToken), op.URL(optest.PathJWKS)
		p.OIDC.UserInfoEndpoint, p.OIDC.EndSessionEndpoint = op.URL(optest.PathUserInfo), op.URL(optest.PathEndSession)
	}
	l := newLab(t, op, all)
	p := l.mustLogin(t)
	if u, ok := l.provider().LogoutURL(t.Context(), p.Upstream, "", ""); !ok || !strings.HasPrefix(u, op.URL(optest.PathEndSession)+"?") {
		t.Error(u, ok)
	}
	if n := op.Calls(optest.PathMetadata); n != 0 {
		t.Errorf("%d readings of metadata", n)
	}
	op.Behave(optest.Behaviour{})
	l = newLab(t, op, func(p *config.Provider) { all(p); p.OIDC.JWKSEndpoint = "" })
	l.mustLogin(t)
	if n := op.Calls(optest.PathMetadata); n == 0 {
		t.Error("jwks_uri was not discovered")
	}
}

// TestIssuerUnchecked: without an issuer iss is what the provider likes, so it names nobody's identity.
func TestIssuerUnchecked(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	op.Behave(optest.Behaviour{IDToken: func(c map[string]any) { c["iss"] = "https://accounts.google.com" }})
	l := newLab(t, op, func(p *config.Provider) {
		p.OIDC.Issuer, p.OIDC.Discovery = "", ""
		p.OIDC.AuthorizationEndpoint, p.OIDC.TokenEndpoint, p.OIDC.JWKSEndpoint = op.URL(optest.PathAuthorize), op.URL(optest.PathToken), op.URL(optest.PathJWKS)
	})
	if p := l.mustLogin(t); p.Issuer != op.Issuer() {
		t.Errorf("the identity's issuer is %q", p.Issuer)
	}
	op.Behave(optest.Behaviour{IDToken: func(c map[string]any) { delete(c, "iss") }})
	if _, err := l.login(t); reasonOf(t, err) != idp.ReasonIDTokenIssuer {
		t.Errorf("an ID token without iss: %v", err)
	}
}

// TestMaxAge demands auth_time where max_age was asked for, and that it is as fresh.
func TestMaxAge(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, func(p *config.Provider) { p.OIDC.Parameters = []config.Parameter{{Name: "max_age", Value: "300"}} })
	for name, row := range map[string]struct {
		ago    any
		reason string
	}{
		"fresh": {60, ""}, "old": {400, idp.ReasonIDTokenTime}, "absent": {nil, idp.ReasonIDTokenTime},
		"future": {-3600, idp.ReasonIDTokenTime}, "text": {"now", idp.ReasonIDTokenTime},
	} {
		op.Behave(optest.Behaviour{IDToken: func(c map[string]any) {
			switch ago := row.ago.(type) {
			case nil:
				delete(c, "auth_time")
			case int:
				c["auth_time"] = l.clock.now().Unix() - int64(ago)
			default:
				c["auth_time"] = ago
			}
		}})
		if _, err := l.login(t); reasonOf(t, err) != row.reason {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRules refuse with their author's message.
func TestRules(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	rule := func(expression string) func(*config.Provider) {
		return func(p *config.Provider) {
			p.Rules = []config.ClaimRule{{Expression: "true"}, {Expression: expression, Message: "only for the crew"}}
		}
	}
	for expression, reason := range map[string]string{
		"claims.email.endsWith('@corp.example')":               "",
		"userinfo.groups.exists(g, g == 'ops')":                "",
		"'ops' in groups && groups.exists(g, g == 'dev')":      "",
		"'sales' in groups":                                    idp.ReasonRule,
		"size(groups) == 0":                                    idp.ReasonRule,
		"claims.email.endsWith('@other.example')":              idp.ReasonRule,
		"claims.no_such_claim == 'a'":                          idp.ReasonRule,
		"'x' in userinfo.groups || claims.sub == userinfo.sub": "",
	} {
		_, err := newLab(t, op, rule(expression)).login(t)
		if got := reasonOf(t, err); got != reason {
			t.Errorf("%s: %v", expression, err)
		}
		if e, ok := errors.AsType[*idp.Error](err); ok && e.RuleMessage() != "only for the crew" {
			t.Errorf("%s: the person is told %q", expression, e.RuleMessage())
		}
	}
}

func TestNoUsernameIsRefused(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	delete(op.User, "preferred_username")
	if _, err := newLab(t, op, nil).login(t); reasonOf(t, err) != idp.ReasonUsername {
		t.Error(err)
	}
}

// TestWhatIsMisconfiguredHarmsNobodyElse: such a provider is there, says why it cannot be used, and the others work.
func TestWhatIsMisconfiguredHarmsNobodyElse(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	for name, row := range map[string]struct {
		edit func(*config.Provider)
		want string
	}{
		"key": {func(p *config.Provider) {
			p.OIDC.Client.Authentication, p.OIDC.Client.Secret = config.PrivateKeyJWT, "hunter2"
		}, "clientSecretRef"},
		"HS256": {func(p *config.Provider) { p.OIDC.Algorithms, p.OIDC.Client.Secret = []string{"HS256"}, "hunter2" }, "signingAlgorithms"},
		"HS256, no key": {func(p *config.Provider) {
			p.OIDC.Algorithms, p.OIDC.Client.Authentication, p.OIDC.Client.Secret = []string{"RS256", "HS256"}, config.ClientNone, ""
		}, "signingAlgorithms"},
		"rule":           {func(p *config.Provider) { p.Rules = []config.ClaimRule{{Expression: "hunter2("}} }, "rules[0]"},
		"endpoint":       {func(p *config.Provider) { p.OIDC.TokenEndpoint = "javascript:hunter2" }, "tokenEndpoint"},
		"parameter":      {func(p *config.Provider) { p.OIDC.Parameters = []config.Parameter{{Name: "state", Value: "hunter2"}} }, "state"},
		"max_age":        {func(p *config.Provider) { p.OIDC.Parameters = []config.Parameter{{Name: "max_age", Value: "hunter2"}} }, "max_age"},
		"authentication": {func(p *config.Provider) { p.OIDC.Client.Authentication = "hunter2" }, "clientAuthenticationMethod"},
		"bundle":         {func(p *config.Provider) { p.CABundle = "bad" }, "CA bundle"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, op, nil)
			bad := providerOf(op)
			bad.Object, bad.Name = "IdentityProvider/default/bad", "bad"
			row.edit(&bad)
			l.base.Bundles["bad"] = "hunter2"
			l.base.Providers = append(slices.Clone(l.base.Providers), bad)
			l.reload(t)
			l.mustLogin(t)
			p := l.set.Get("bad")
			if s := p.Status(); !s.Fetched || s.Ready || s.Reason != idp.ReasonMisconfiguredProvider || !strings.Contains(s.Message, row.want) || strings.Contains(s.Message, "hunter2") {
				t.Errorf("status %+v", s)
			}
			_, err := p.AuthorizationURL(t.Context(), idp.Ask{State: state, Nonce: nonce, Challenge: challengeOf(verifier), RedirectURI: redirectURI})
			if reasonOf(t, err) != idp.ReasonMisconfigured {
				t.Error(err)
			}
		})
	}
}
