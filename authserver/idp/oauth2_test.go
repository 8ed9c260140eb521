// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
	"github.com/gatehouse-auth/gatehouse/test/oauth2server"
)

const (
	callback = "https://auth.example/auth/github/login/callback/?x=1"
	verifier = "a-verifier-of-at-least-forty-three-characters.~_1"
	// Both hold what a careless client leaves unescaped.
	oddID     = "client:1/+% ü"
	oddSecret = "s:e+c/r%e t=&ü"
)

// githubProvider is a provider as render writes it.
func githubProvider(as *oauth2server.Server) *config.Provider {
	return &config.Provider{
		Object: "IdentityProvider/default/github", Name: "github", Type: config.ProviderOAuth2, DisplayName: "GitHub", Organization: "default", UserSync: config.SyncAlways, Linking: config.LinkingNone,
		Mappings: &config.ProviderMappings{
			Username: config.Source{Claims: []string{"login"}}, Email: config.Source{Claims: []string{"email"}}, Name: config.Source{Claims: []string{"name"}},
		},
		OAuth2: &config.OAuth2{
			Client:                config.Client{ID: oddID, Secret: oddSecret, Authentication: config.ClientSecretBasic, Scopes: []string{"read:user", "user:email"}, PKCE: true},
			AuthorizationEndpoint: as.AuthorizationEndpoint(), TokenEndpoint: as.TokenEndpoint(), UserInfoEndpoint: as.UserInfoEndpoint(), SubjectAttribute: "id",
		},
	}
}

func githubServer(t *testing.T, change func(*oauth2server.Options)) *oauth2server.Server {
	t.Helper()
	o := oauth2server.Options{Shape: oauth2server.GitHub, ClientID: oddID, ClientSecret: oddSecret, RedirectURIs: []string{callback}, PKCE: true}
	if change != nil {
		change(&o)
	}
	return oauth2server.Start(t, o)
}

// connectTo makes the provider, which may dial loopback.
func connectTo(t testing.TB, c *config.Provider) *Provider {
	t.Helper()
	return connectFor(t, c, time.Minute)
}

// connectFor is connectTo for a provider that waits so long for an answer to begin.
func connectFor(t testing.TB, c *config.Provider, wait time.Duration) *Provider {
	t.Helper()
	base := &config.Base{Providers: []config.Provider{*c}}
	base.Outbound.AllowedCIDRs = []string{"127.0.0.0/8", "::1/128"}
	set, err := NewSet(nil, base, Options{Clients: outbound.NewClients(outbound.Options{Timeout: 2 * time.Minute, ResponseHeaderTimeout: wait})})
	if err != nil {
		t.Fatal(err)
	}
	return set.Get(c.Name)
}

// logIn does what a browser and the callback do.
func logIn(t testing.TB, p *Provider, as *oauth2server.Server) (*Profile, error) {
	t.Helper()
	ask := Ask{State: "the-state", Nonce: "the-nonce", RedirectURI: callback}
	answer := Answer{Nonce: "the-nonce", RedirectURI: callback}
	if p.PKCE() {
		ask.Challenge, answer.Verifier = oauth2server.Challenge(verifier), verifier
	}
	target, err := p.AuthorizationURL(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		t.Fatalf("the authorization endpoint sends the browser nowhere: status %d, %q", resp.StatusCode, as.Refusals())
	}
	q := back.Query()
	if q.Get("state") != "the-state" || q.Get("x") != "1" {
		t.Fatalf("the callback is %s", back)
	}
	answer.Code = q.Get("code")
	return p.Exchange(t.Context(), answer)
}

// wantRefusal demands an error with a reason, a detail that tells, words for a person, and nothing of what must stay unsaid.
func wantRefusal(t *testing.T, what string, err error, reason, detail string) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Reason != reason || !strings.Contains(e.Detail, detail) {
		t.Errorf("%s: %v, want reason %s with %q", what, err, reason, detail)
		return
	}
	for _, secret := range []string{oddSecret, url.QueryEscape(oddSecret), verifier, "upstream-wrote-this"} {
		if strings.Contains(e.Error()+e.RuleMessage(), secret) {
			t.Errorf("%s: the error holds %q: %v", what, secret, err)
		}
	}
}

// TestOAuth2Shapes guards that somebody logs in at servers that answer as GitHub, GitLab, Gitea, Google and Facebook do, without a refusal on the way, and that
// an ID above 2⁵³ keeps every digit.
func TestOAuth2Shapes(t *testing.T) {
	for _, row := range []struct {
		name   string
		shape  oauth2server.Shape
		change func(*config.Provider)
		want   Profile
	}{
		{"GitHub", oauth2server.GitHub, func(*config.Provider) {}, Profile{Subject: "9007199254740993", Username: "octocat", Name: "Mona Lisa", Email: "mona@acme.example"}},
		{"GitLab", oauth2server.GitLab, func(p *config.Provider) { p.Mappings.Username.Claims = []string{"username"} },
			Profile{Subject: "9007199254740993", Username: "octocat", Name: "Mona Lisa", Email: "mona@acme.example"}},
		{"Gitea", oauth2server.Gitea, func(p *config.Provider) { p.Mappings.Name.Claims = []string{"full_name"} },
			Profile{Subject: "9007199254740993", Username: "octocat", Name: "Mona Lisa", Email: "mona@acme.example"}},
		{"Google", oauth2server.Google, func(p *config.Provider) {
			p.Mappings.Username.Claims, p.OAuth2.SubjectAttribute = []string{"email"}, "sub"
			p.Rules = []config.ClaimRule{{Expression: "claims.hd == 'acme.example' && userinfo.hd == 'acme.example'"}}
		}, Profile{Subject: "19007199254740993", Username: "mona@acme.example", Name: "Mona Lisa", Email: "mona@acme.example", EmailVerified: true}},
		{"Facebook", oauth2server.Facebook, func(p *config.Provider) {
			p.Mappings.Username, p.OAuth2.UserInfoEndpoint = config.Source{Expression: "userinfo.?email.orValue('fb-' + userinfo.id)"}, p.OAuth2.UserInfoEndpoint+"?fields=id,name,email"
		}, Profile{Subject: "9007199254740993", Username: "mona@acme.example", Name: "Mona Lisa", Email: "mona@acme.example"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			as := githubServer(t, func(o *oauth2server.Options) { o.Shape = row.shape })
			person := oauth2server.Octocat()
			person.Email = "mona@acme.example"
			as.SetPerson(person)
			c := githubProvider(as)
			row.change(c)
			p := connectTo(t, c)
			if s := p.Status(); s.Fetched || s.Ready {
				t.Errorf("before the first login: %+v", s)
			}
			got, err := logIn(t, p, as)
			if err != nil {
				t.Fatalf("%v; refusals %q", err, as.Refusals())
			}
			if refusals := as.Refusals(); len(refusals) > 0 {
				t.Errorf("refused on the way: %q", refusals)
			}
			if s := p.Status(); !s.Ready || s.Reason != keys.ReasonReady {
				t.Errorf("after a login: %+v", s)
			}
			if got.SubjectHash == ([32]byte{}) || got.SessionHash != ([32]byte{}) || got.Upstream.IDToken != "" {
				t.Errorf("back-channel: %x %x", got.SubjectHash, got.SessionHash)
			}
			row.want.Issuer, row.want.SubjectHash, row.want.Upstream = as.URL(), got.SubjectHash, got.Upstream
			if diff := cmp.Diff(&row.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestOAuth2ClientAuthentication guards that each method is exactly what a strict server takes, and that with another one the refusal says what to check.
func TestOAuth2ClientAuthentication(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	privatePEM := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	methods := []struct {
		ours, secret string
		theirs       oauth2server.Method
	}{
		{config.ClientSecretBasic, oddSecret, oauth2server.Basic},
		{config.ClientSecretPost, oddSecret, oauth2server.Post},
		{config.PrivateKeyJWT, privatePEM, oauth2server.PrivateKeyJWT},
		{config.ClientNone, "", oauth2server.None},
	}
	for _, shape := range []oauth2server.Shape{oauth2server.GitHub, oauth2server.GitLab} {
		for _, theirs := range methods {
			as := githubServer(t, func(o *oauth2server.Options) {
				o.Shape, o.Method, o.PublicKey = shape, theirs.theirs, &private.PublicKey
			})
			for _, ours := range methods {
				c := githubProvider(as)
				c.OAuth2.Client.Authentication, c.OAuth2.Client.Secret = ours.ours, ours.secret
				c.Mappings.Username = config.Source{Expression: "string(userinfo.id)"}
				p := connectTo(t, c)
				before := len(as.Refusals())
				_, err := logIn(t, p, as)
				name := fmt.Sprintf("%T %s by %s", shape, theirs.theirs, ours.ours)
				if ours.ours == theirs.ours {
					if err != nil || len(as.Refusals()) > before {
						t.Errorf("%s: %v; refusals %q", name, err, as.Refusals()[before:])
					}
					continue
				}
				wantRefusal(t, name, err, ReasonClientRefused, "check clientID, clientSecretRef and clientAuthenticationMethod")
				if s := p.Status(); s.Ready || !s.Fetched || s.Reason != ReasonMisconfiguredProvider {
					t.Errorf("%s: status %+v", name, s)
				}
			}
		}
	}
}

// TestOAuth2AuthorizationURL guards the parameters of the request and that a query of the endpoint's own is kept.
func TestOAuth2AuthorizationURL(t *testing.T) {
	as := githubServer(t, nil)
	c := githubProvider(as)
	c.OAuth2.AuthorizationEndpoint = "https://github.example/authorize?allow_signup=false"
	p := connectTo(t, c)
	got, err := p.AuthorizationURL(t.Context(), Ask{State: "s", Nonce: "n", Challenge: "c", RedirectURI: callback})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(got)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"allow_signup": {"false"}, "response_type": {"code"}, "client_id": {oddID}, "redirect_uri": {callback}, "state": {"s"}, "scope": {"read:user user:email"},
		"code_challenge": {"c"}, "code_challenge_method": {"S256"},
	}
	if diff := cmp.Diff(want, u.Query()); diff != "" || u.Host != "github.example" {
		t.Errorf("%s (-want +got)\n%s", got, diff)
	}
	c.OAuth2.Client.PKCE, c.OAuth2.Client.Scopes = false, nil
	got, err = connectTo(t, c).AuthorizationURL(t.Context(), Ask{State: "s", Nonce: "n", RedirectURI: callback})
	if err != nil || strings.Contains(got, "code_challenge") || strings.Contains(got, "scope") || strings.Contains(got, "nonce") {
		t.Errorf("without PKCE and scopes: %s, %v", got, err)
	}
}

// TestOAuth2WithoutPKCE guards that a provider with PKCE off gets no verifier.
func TestOAuth2WithoutPKCE(t *testing.T) {
	as := githubServer(t, func(o *oauth2server.Options) { o.PKCE = false })
	c := githubProvider(as)
	c.OAuth2.Client.PKCE = false
	if _, err := logIn(t, connectTo(t, c), as); err != nil || len(as.Refusals()) > 0 {
		t.Errorf("%v; refusals %q", err, as.Refusals())
	}
}

// TestOAuth2CheckIssuer guards that a callback which names another server is refused before the token endpoint is called (RFC 9207).
func TestOAuth2CheckIssuer(t *testing.T) {
	as := githubServer(t, nil)
	c := githubProvider(as)
	c.OAuth2.AuthorizationEndpoint = "https://GitHub.example:443/login/oauth/authorize"
	p := connectTo(t, c)
	for _, iss := range []string{"https://github.example", "https://github.example/", "https://github.example/login/oauth"} {
		if err := p.CheckIssuer(t.Context(), iss, true); err != nil {
			t.Errorf("%s: %v", iss, err)
		}
	}
	if err := p.CheckIssuer(t.Context(), "", false); err != nil {
		t.Errorf("without iss: %v", err)
	}
	for _, iss := range []string{"", "https://evil.example", "http://github.example", "https://github.example:8443", "https://github.example.evil.example", "https://github.example@evil.example", "https://u@github.example", "github.example", ":"} {
		_, err := p.Exchange(t.Context(), Answer{Code: as.Code(callback, oauth2server.Challenge(verifier)), Verifier: verifier, Nonce: "n", RedirectURI: callback, Issuer: iss, HasIssuer: true})
		wantRefusal(t, iss, err, ReasonIssuerMismatch, "iss of the callback")
	}
	if n := as.Count(as.TokenEndpoint()); n != 0 {
		t.Errorf("the token endpoint was called %d times", n)
	}
}

// TestOAuth2Codes guards that a code which is not this login's gives nobody: used twice, made up, or with another verifier or redirect URI; and that such codes
// tell nothing of the provider's health.
func TestOAuth2Codes(t *testing.T) {
	for _, shape := range []oauth2server.Shape{oauth2server.GitHub, oauth2server.Gitea} {
		as := githubServer(t, func(o *oauth2server.Options) { o.Shape = shape })
		p := connectTo(t, githubProvider(as))
		challenge := oauth2server.Challenge(verifier)
		code := as.Code(callback, challenge)
		good := Answer{Code: code, Verifier: verifier, Nonce: "n", RedirectURI: callback}
		if _, err := p.Exchange(t.Context(), good); err != nil {
			t.Fatalf("%v; refusals %q", err, as.Refusals())
		}
		for name, answer := range map[string]Answer{
			"used twice":           good,
			"made up":              {Code: "upstream-wrote-this", Verifier: verifier, Nonce: "n", RedirectURI: callback},
			"another verifier":     {Code: as.Code(callback, challenge), Verifier: verifier + "x", Nonce: "n", RedirectURI: callback},
			"another redirect URI": {Code: as.Code(callback, challenge), Verifier: verifier, Nonce: "n", RedirectURI: callback + "x"},
		} {
			_, err := p.Exchange(t.Context(), answer)
			wantRefusal(t, name, err, ReasonTokenEndpoint, "invalid_grant")
		}
		if s := p.Status(); !s.Ready {
			t.Errorf("bad codes turned the provider's status: %+v", s)
		}
	}
}

// TestOAuth2Logout guards that logging out leads to the endpoint as it is written, with syncLogout only.
func TestOAuth2Logout(t *testing.T) {
	as := githubServer(t, nil)
	c := githubProvider(as)
	c.OAuth2.LogoutEndpoint = as.LogoutEndpoint() + "?from=gatehouse"
	if got, ok := connectTo(t, c).LogoutURL(t.Context(), Upstream{}, "https://auth.example/login", "s"); ok || got != "" {
		t.Errorf("without syncLogout: %q, %v", got, ok)
	}
	c.SyncLogout = true
	if got, ok := connectTo(t, c).LogoutURL(t.Context(), Upstream{}, "https://auth.example/login", "s"); !ok || got != c.OAuth2.LogoutEndpoint {
		t.Errorf("with syncLogout: %q, %v", got, ok)
	}
	c.OAuth2.LogoutEndpoint = ""
	if got, ok := connectTo(t, c).LogoutURL(t.Context(), Upstream{}, "https://auth.example/login", "s"); ok || got != "" {
		t.Errorf("without an endpoint: %q, %v", got, ok)
	}
}

// TestOAuth2Refresh guards that a refresh asks again who somebody is and judges the rules again; that it ends a session where the provider, a rule or another
// subject says so, and only there.
func TestOAuth2Refresh(t *testing.T) {
	start := func(t *testing.T) (*oauth2server.Server, *Provider, Upstream) {
		as := githubServer(t, func(o *oauth2server.Options) { o.Shape = oauth2server.Gitea })
		c := githubProvider(as)
		c.Rules = []config.ClaimRule{{Expression: "userinfo.active", Message: "your account is not active"}}
		p := connectTo(t, c)
		profile, err := logIn(t, p, as)
		if err != nil || profile.Upstream.RefreshToken == "" || profile.Upstream.ExpiresAt.IsZero() {
			t.Fatalf("%v, %v; refusals %q", profile, err, as.Refusals())
		}
		return as, p, profile.Upstream
	}
	t.Run("goes on", func(t *testing.T) {
		as, p, u := start(t)
		person := oauth2server.Octocat()
		person.Login = "octocat-renamed"
		as.SetPerson(person)
		for range 3 {
			profile, err := p.Refresh(t.Context(), u)
			if err != nil || profile.Username != "octocat-renamed" || profile.Upstream.RefreshToken == u.RefreshToken {
				t.Fatalf("%v, %v; refusals %q", profile, err, as.Refusals())
			}
			u = profile.Upstream
		}
		if len(as.Refusals()) > 0 {
			t.Errorf("refusals %q", as.Refusals())
		}
	})
	t.Run("keeps a token that is not replaced", func(t *testing.T) {
		as, p, u := start(t)
		profile, err := p.Refresh(t.Context(), u)
		if err != nil {
			t.Fatal(err)
		}
		access := ""
		as.Replace(as.TokenEndpoint(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer"}`, access)
		}))
		as.Replace(as.UserInfoEndpoint(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"id":9007199254740993,"login":"octocat","active":true}`))
		}))
		access = "new"
		again, err := p.Refresh(t.Context(), profile.Upstream)
		if err != nil || again.Upstream.RefreshToken != profile.Upstream.RefreshToken {
			t.Errorf("%v, kept %v", err, again != nil)
		}
	})
	t.Run("consent withdrawn", func(t *testing.T) {
		as, p, u := start(t)
		as.RevokeAll()
		if _, err := p.Refresh(t.Context(), u); !errors.Is(err, ErrEnded) {
			t.Errorf("%v, want ErrEnded", err)
		}
	})
	t.Run("rule", func(t *testing.T) {
		as, p, u := start(t)
		as.SetUserInfo(`{"id":9007199254740993,"login":"octocat","active":false}`)
		_, err := p.Refresh(t.Context(), u)
		if e, ok := errors.AsType[*Error](err); !errors.Is(err, ErrEnded) || !ok || e.RuleMessage() != "your account is not active" {
			t.Errorf("%v, want ErrEnded with the rule's message", err)
		}
	})
	t.Run("somebody else", func(t *testing.T) {
		as, p, u := start(t)
		as.SetUserInfo(`{"id":9007199254740992,"login":"octocat","active":true}`)
		_, err := p.Refresh(t.Context(), u)
		wantRefusal(t, "another id", err, ReasonUserInfoSubject, "another id")
		if !errors.Is(err, ErrEnded) {
			t.Errorf("%v, want ErrEnded", err)
		}
	})
	t.Run("away", func(t *testing.T) {
		as, p, u := start(t)
		as.Replace(as.TokenEndpoint(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
		if _, err := p.Refresh(t.Context(), u); !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrEnded) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
	})
	t.Run("away after the token endpoint", func(t *testing.T) {
		as, p, u := start(t)
		as.Replace(as.UserInfoEndpoint(), says(502, jsonType, "{}"))
		kept, err := p.Refresh(t.Context(), u)
		if !errors.Is(err, ErrUnavailable) || kept == nil || kept.Upstream.RefreshToken == u.RefreshToken || kept.Upstream.Subject != u.Subject {
			t.Fatalf("the new refresh token is lost: %v, %v", kept, err)
		}
		if _, err := p.Refresh(t.Context(), u); !errors.Is(err, ErrEnded) {
			t.Errorf("%v: the old one still counts, so the test shows nothing", err)
		}
	})
	t.Run("client unknown", func(t *testing.T) {
		as, _, u := start(t)
		c := githubProvider(as)
		c.OAuth2.Client.Secret = "replaced"
		if _, err := connectTo(t, c).Refresh(t.Context(), u); err == nil || errors.Is(err, ErrEnded) {
			t.Errorf("%v: a client secret that was replaced ends nobody's session", err)
		}
	})
	t.Run("none", func(t *testing.T) {
		as := githubServer(t, nil)
		p := connectTo(t, githubProvider(as))
		profile, err := logIn(t, p, as)
		if err != nil || !profile.Upstream.Zero() {
			t.Fatalf("%v, upstream zero %v", err, profile != nil && profile.Upstream.Zero())
		}
		if _, err := p.Refresh(t.Context(), profile.Upstream); !errors.Is(err, ErrNoRefresh) {
			t.Errorf("%v, want ErrNoRefresh", err)
		}
	})
}

// TestOAuth2Misconfigured guards that what cannot work is told by name of its field, at /configz and to whoever tries.
func TestOAuth2Misconfigured(t *testing.T) {
	as := githubServer(t, nil)
	for want, change := range map[string]func(*config.Provider){
		"authorizationEndpoint names no host":           func(p *config.Provider) { p.OAuth2.AuthorizationEndpoint = "https:///x" },
		"tokenEndpoint is neither https:// nor http://": func(p *config.Provider) { p.OAuth2.TokenEndpoint = "ftp://x.example" },
		"userInfoEndpoint holds a user name":            func(p *config.Provider) { p.OAuth2.UserInfoEndpoint = "https://u@x.example" },
		"emailsEndpoint is not a URL":                   func(p *config.Provider) { p.OAuth2.EmailsEndpoint = "https://[" },
		"logoutEndpoint names no host":                  func(p *config.Provider) { p.OAuth2.LogoutEndpoint = "https:x" },
		"clientSecretRef":                               func(p *config.Provider) { p.OAuth2.Client.Authentication = config.PrivateKeyJWT },
		"groupsEndpoint.expression: this server cannot compile it": func(p *config.Provider) {
			p.OAuth2.GroupsEndpoint, p.OAuth2.GroupsExpression = as.TeamsEndpoint(), "userinfo.x"
		},
		"groupsEndpoint.url names no host":                            func(p *config.Provider) { p.OAuth2.GroupsEndpoint, p.OAuth2.GroupsExpression = "https:x", "groups" },
		"mappings.username.expression: this server cannot compile it": func(p *config.Provider) { p.Mappings.Username = config.Source{Expression: "claims.("} },
	} {
		c := githubProvider(as)
		change(c)
		p := connectTo(t, c)
		if s := p.Status(); s.Ready || s.Reason != ReasonMisconfiguredProvider || !strings.Contains(s.Message, want) || strings.Contains(s.Message, oddSecret) {
			t.Errorf("status %+v, want %q", s, want)
		}
		_, err := p.AuthorizationURL(t.Context(), Ask{State: "s", Nonce: "n", Challenge: "c", RedirectURI: callback})
		wantRefusal(t, want, err, ReasonMisconfigured, want)
	}
}
