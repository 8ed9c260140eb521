// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// signerFor makes a party that signs with an algorithm.
func signerFor(t *testing.T, algorithm string, rsaKey *rsa.PrivateKey) *party {
	t.Helper()
	curves := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}
	var private any
	var err error
	switch algorithm[:2] {
	case "RS", "PS":
		private = rsaKey
	case "ES":
		private, err = ecdsa.GenerateKey(curves[algorithm], rand.Reader)
	case "Ed":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case "HS":
		private = []byte(strings.Repeat("s", 64))
	default:
		t.Fatalf("no key for %s", algorithm)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &party{algorithm, "k-" + algorithm, private}
}

// TestAssertionsOfEveryAlgorithm guards that what a policy may allow of tokens, it may of assertions, and that it allows no other.
func TestAssertionsOfEveryAlgorithm(t *testing.T) {
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	names := jwk.AlgorithmNames()
	parties := make([]*party, len(names))
	var list []config.Policy
	for i, name := range names {
		parties[i] = signerFor(t, name, rsaKey)
		list = append(list, policyOf("t-"+name, func(p *config.Policy) {
			p.Issuers, p.Algorithms = []config.Issuer{inline(t, "https://"+name+".example", parties[i])}, []string{name}
			p.TokenExchange = &config.TokenExchange{}
		}))
	}
	l := newLab(t, render(t, baseOf(nil), 4, list...))
	for i, name := range names {
		other := parties[(i+1)%len(parties)]
		forged := assertionOf(t, &party{other.alg, "k-" + name, other.private}, "https://"+name+".example", nil)
		wantRefusal(t, l.exchange(t, url.Values{"assertion": {forged}}), http.StatusBadRequest, codeInvalidGrant)
		accessToken(t, l.exchange(t, url.Values{"assertion": {assertionOf(t, parties[i], "https://"+name+".example", nil)}}))
	}
}

// TestHostileAssertions guards that the intake of tokens stands before the token endpoint too: a sample of what package token is attacked with.
func TestHostileAssertions(t *testing.T) {
	c := cast()
	l := newLab(t, render(t, baseOf(nil), 1, exchangePolicies(t)...))
	const issuer = "https://idp.acme.example"
	good := assertionOf(t, c.acme, issuer, nil)
	parts := strings.Split(good, ".")
	public := must(x509.MarshalPKIXPublicKey(&c.acme.private.(*rsa.PrivateKey).PublicKey))
	spki := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	b64 := base64.RawURLEncoding.EncodeToString
	var twice strings.Builder
	twice.WriteString(`{"iss":"` + issuer + `","sub":"bob","aud":"` + ownIssuer + `","jti":"x","exp":4102444800,"sub":"admin"}`)
	mallorys := c.mallory.jwk(t)
	for name, raw := range map[string]string{
		"no signature":               parts[0] + "." + parts[1] + ".",
		"alg none":                   b64([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".",
		"alg none with a signature":  b64([]byte(`{"alg":"none","typ":"JWT","kid":"k1"}`)) + "." + parts[1] + "." + parts[2],
		"HS256 with the public key":  (&party{"HS256", "k1", spki}).sign(t, nil, assertionClaims),
		"HS256 with the bare key":    (&party{"HS256", "k1", public}).sign(t, nil, assertionClaims),
		"its own key":                c.mallory.sign(t, obj{"jwk": mallorys}, assertionClaims),
		"a key elsewhere":            c.mallory.sign(t, obj{"jku": "https://evil.example/keys", "x5u": "https://evil.example/c"}, assertionClaims),
		"crit":                       c.acme.sign(t, obj{"crit": []string{"exp"}, "exp": 1}, assertionClaims),
		"b64 false":                  c.acme.sign(t, obj{"b64": false}, assertionClaims),
		"zip":                        c.acme.sign(t, obj{"zip": "DEF"}, assertionClaims),
		"a member twice":             parts[0] + "." + b64([]byte(twice.String())) + "." + parts[2],
		"other claims":               parts[0] + "." + encode(t, assertionClaims.with(obj{"sub": "admin"})) + "." + parts[2],
		"padding":                    good + "=",
		"a space":                    good + " ",
		"four segments":              good + ".AAAA",
		"JSON serialization":         `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`,
		"another token's signature":  parts[0] + "." + parts[1] + "." + strings.Split(assertionOf(t, c.acme, issuer, obj{"jti": "y"}), ".")[2],
		"too long":                   good + strings.Repeat("A", 17<<10),
		"the other issuer's key":     c.old.sign(t, nil, assertionClaims),
		"a tenant's key for another": assertionOf(t, c.umbrella, issuer, nil),
	} {
		t.Run(name, func(t *testing.T) {
			for _, headers := range [][]string{nil, {"x-jwt-tenant-id: acme"}} {
				w := l.exchange(t, url.Values{"assertion": {raw}}, headers...)
				wantRefusal(t, w, http.StatusBadRequest, codeInvalidGrant)
				if log := l.log.take(); strings.Contains(log, parts[1]) || strings.Contains(log, "admin") {
					t.Errorf("told: %s", log)
				}
			}
		})
	}
	accessToken(t, l.exchange(t, url.Values{"assertion": {good}}))
}
