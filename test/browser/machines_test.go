// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// TestPrivateKeyJWT asks npm's oidc-provider for tokens with client assertions of each algorithm (RFC 7523 §2.2): it takes ours, and refuses ours when one thing is
// changed, so that what it takes means something.
func TestPrivateKeyJWT(t *testing.T) {
	algorithms := []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
	secrets, others := map[string]string{}, map[string]string{} // by algorithm: private JWKs, of which the provider knows the first
	rsaKeys := [2]*rsa.PrivateKey{newRSA(t), newRSA(t)}
	var p openIDProvider
	for _, algorithm := range algorithms {
		private := jose.JSONWebKey{Key: machineKey(t, algorithm, rsaKeys[0]), KeyID: "k-" + algorithm, Algorithm: algorithm}
		other := private
		other.Key = machineKey(t, algorithm, rsaKeys[1])
		secrets[algorithm], others[algorithm] = jwkText(t, private), jwkText(t, other)
		p.Machines = append(p.Machines, machine{ClientID: "machine " + algorithm, Algorithm: algorithm, JWKS: &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{private.Public()}}})
	}
	issuer := p.start(t)

	// ask sends a client credentials grant. The maker's own assertion goes with it, and that grant passes over it.
	ask := func(t *testing.T, audience string, client config.Client, at time.Time, random io.Reader) (assertion.Token, error) {
		t.Helper()
		m, err := assertion.Compile(&config.Credential{
			Key: []byte(secrets["ES256"]), Algorithm: "ES256", Issuer: "i", Subject: "s", Audience: audience, Lifetime: config.Duration(time.Minute),
			TokenEndpoint: issuer + "/token", GrantType: "client_credentials", Client: &client,
		})
		if err != nil {
			t.Fatal(err)
		}
		return m.Obtain(context.Background(), http.DefaultClient, func() time.Time { return at }, random)
	}
	for _, algorithm := range algorithms {
		t.Run(algorithm, func(t *testing.T) {
			client := config.Client{ID: "machine " + algorithm, Secret: secrets[algorithm], Authentication: config.PrivateKeyJWT}
			token, err := ask(t, issuer, client, time.Now(), rand.Reader)
			if err != nil || len(token.Value) < 20 || time.Until(token.ExpiresAt) < time.Minute {
				t.Fatalf("%s, %v", token, err)
			}
			another := client
			another.Secret = others[algorithm]
			refused(t, "another key", func() error { _, err := ask(t, issuer, another, time.Now(), rand.Reader); return err })
			refused(t, "another audience", func() error { _, err := ask(t, issuer+"x", client, time.Now(), rand.Reader); return err })
			refused(t, "an hour ago", func() error { _, err := ask(t, issuer, client, time.Now().Add(-time.Hour), rand.Reader); return err })
			const fixed = "the same random numbers each time, and so the same jti"
			now := time.Now()
			if _, err := ask(t, issuer, client, now, strings.NewReader(fixed)); err != nil {
				t.Error(err)
			}
			refused(t, "the same jti", func() error { _, err := ask(t, issuer, client, now, strings.NewReader(fixed)); return err })
		})
	}
}

func newRSA(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func jwkText(t *testing.T, key jose.JSONWebKey) string {
	t.Helper()
	text, err := key.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func machineKey(t *testing.T, algorithm string, rsaKey *rsa.PrivateKey) crypto.Signer {
	t.Helper()
	curves := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}
	switch curve := curves[algorithm]; {
	case algorithm == "EdDSA":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	case curve != nil:
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	return rsaKey
}

// refused demands that the provider does not know the client.
func refused(t *testing.T, what string, ask func() error) {
	t.Helper()
	var told *assertion.Error
	if err := ask(); !errors.As(err, &told) || told.Reason != assertion.ReasonRequestRefused || told.Code != "invalid_client" {
		t.Errorf("%s: %v, want invalid_client", what, err)
	}
}
