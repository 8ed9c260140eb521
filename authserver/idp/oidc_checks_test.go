// SPDX-License-Identifier: Apache-2.0

package idp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/idp/optest"
)

// TestAPrivateKeyIsNoSecretForHS256 guards against the text of a private key as the key of ID tokens.
func TestAPrivateKeyIsNoSecretForHS256(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(t, optest.Start(t, optest.Options{}), func(p *config.Provider) {
		p.OIDC.Algorithms, p.OIDC.Client.Authentication = []string{"HS256"}, config.PrivateKeyJWT
		p.OIDC.Client.Secret = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	})
	if s := l.provider().Status(); s.Reason != idp.ReasonMisconfiguredProvider || !strings.Contains(s.Message, "signingAlgorithms") {
		t.Errorf("status %+v", s)
	}
}

// TestRefreshTokensAreText guards the form that a later refresh sends.
func TestRefreshTokensAreText(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, nil)
	for _, text := range []string{"a\r\nb", "\x00", "ü"} {
		op.Behave(optest.Behaviour{TokenAnswer: func(a map[string]any) { a["refresh_token"] = text }})
		if _, err := l.login(t); reasonOf(t, err) != idp.ReasonTokenEndpoint {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestARefreshIsOfTheLoginsIssuer guards OpenID Connect Core 1.0 §12.2 where other checks say nothing: without the last ID token, and where no issuer is known.
func TestARefreshIsOfTheLoginsIssuer(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, nil)
	u := l.mustLogin(t).Upstream
	u.IDToken, u.Issuer = "", "https://before.example"
	if _, err := l.provider().Refresh(t.Context(), u); !errors.Is(err, idp.ErrEnded) {
		t.Errorf("a login at another issuer: %v", err)
	}

	l = newLab(t, op, func(p *config.Provider) {
		p.OIDC.Issuer, p.OIDC.Discovery = "", ""
		p.OIDC.AuthorizationEndpoint, p.OIDC.TokenEndpoint, p.OIDC.JWKSEndpoint = op.URL(optest.PathAuthorize), op.URL(optest.PathToken), op.URL(optest.PathJWKS)
	})
	u = l.mustLogin(t).Upstream
	op.Behave(optest.Behaviour{IDToken: func(c map[string]any) { c["iss"] = "https://another.example" }})
	if _, err := l.provider().Refresh(t.Context(), u); !errors.Is(err, idp.ErrEnded) {
		t.Errorf("another iss: %v", err)
	}
}

// TestLogoutTokensAreBounded guards what is remembered and looked up of them.
func TestLogoutTokensAreBounded(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, nil)
	l.mustLogin(t)
	for _, name := range []string{"jti", "sid"} {
		for length, good := range map[int]bool{1024: true, 1025: false} {
			raw := op.LogoutToken(func(c, _ map[string]any) { c[name] = strings.Repeat("x", length) })
			if _, err := l.provider().BackChannelLogout(t.Context(), raw); (err == nil) != good {
				t.Errorf("%s of %d bytes: %v", name, length, err)
			}
		}
	}
}
