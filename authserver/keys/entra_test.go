// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/authserver/entratest"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// newCloud returns a fake Entra ID that listens.
func newCloud(t *testing.T) (cloud *entratest.Cloud, authority string) {
	t.Helper()
	cloud, err := entratest.New(entratest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	cloud.SetAuthority(server.URL)
	return cloud, server.URL
}

// findFor asks for the key of a token.
func findFor(t *testing.T, engine *Engine, src Source, token string) (Found, error) {
	t.Helper()
	parsed, _, err := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{})
	if err != nil {
		t.Fatal(err)
	}
	kid, ok := parsed.Header["kid"].(string)
	return engine.Find(t.Context(), src, Ask{Algorithm: "RS256", KeyID: kid, HasKeyID: ok, MaxStale: day})
}

// TestEntraID: the ways to the keys of a directory, per directory and in common, for both versions of tokens.
func TestEntraID(t *testing.T) {
	cloud, authority := newCloud(t)
	d := cloud.Directory(directory)
	for _, tt := range []struct {
		name, version string
		src           Source
		reason        Reason
		keysFrom      string
	}{
		{"v2.0", entratest.V2, Source{URL: authority + "/" + directory + "/v2.0/.well-known/openid-configuration", Issuer: authority + "/" + directory + "/v2.0"},
			ReasonReady, "/" + directory + "/discovery/v2.0/keys"},
		{"v1.0", entratest.V1, Source{URL: authority + "/" + directory + "/.well-known/openid-configuration", Issuer: "https://sts.windows.net/" + directory + "/"},
			ReasonReady, "/common/discovery/keys"},
		{"v2.0 of the common metadata", entratest.V2, Source{URL: authority + "/common/v2.0/.well-known/openid-configuration", Issuer: authority + "/" + directory + "/v2.0"},
			ReasonReady, "/common/discovery/v2.0/keys"},
		{"v2.0 of organizations", entratest.V2, Source{URL: authority + "/organizations/v2.0/.well-known/openid-configuration", Issuer: authority + "/" + directory + "/v2.0"},
			ReasonReady, "/organizations/discovery/v2.0/keys"},
		{"v1.0 of the common metadata", entratest.V1, Source{URL: authority + "/common/.well-known/openid-configuration", Issuer: "https://sts.windows.net/" + directory + "/"},
			ReasonReady, "/common/discovery/keys"},
		{"v1.0 issuer with v2.0 metadata", entratest.V1, Source{URL: authority + "/common/v2.0/.well-known/openid-configuration", Issuer: "https://sts.windows.net/" + directory + "/"},
			ReasonIssuerMismatch, ""},
		{"metadata of personal accounts", entratest.V2, Source{URL: authority + "/consumers/v2.0/.well-known/openid-configuration", Issuer: authority + "/" + directory + "/v2.0"},
			ReasonIssuerMismatch, ""},
		{"a directory that does not exist", entratest.V2, Source{URL: authority + "/" + strings.Replace(directory, "8", "9", 1) + "/v2.0/.well-known/openid-configuration", Issuer: authority + "/" + directory + "/v2.0"},
			ReasonBadStatus, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			engine := New(Options{})
			defer engine.Close()
			src := tt.src
			src.Discovery, src.Directory, src.AllowedCIDRs = true, directory, loopback
			token, err := d.Token(tt.version, "api://shop", entratest.User{ObjectID: "1", UPN: "ada@contoso.example"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			before := cloud.Requests(tt.keysFrom)
			found, err := findFor(t, engine, src, token)
			s := engine.Status(src)
			if s.Reason != tt.reason {
				t.Fatalf("got %s: %s", s.Reason, s.Message)
			}
			if tt.reason != ReasonReady {
				if !errors.Is(err, ErrUnavailable) {
					t.Errorf("got error %v", err)
				}
				return
			}
			if err != nil || s.Problems != 0 || cloud.Requests(tt.keysFrom) != before+1 {
				t.Fatalf("got error %v, status %+v, %d requests for %s", err, s, cloud.Requests(tt.keysFrom)-before, tt.keysFrom)
			}
			if _, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return found.Key.Material(), nil }); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTemplateNeedsADirectory: metadata common to all directories are no custom issuer's.
func TestTemplateNeedsADirectory(t *testing.T) {
	cloud, authority := newCloud(t)
	cloud.Directory(directory)
	src := Source{URL: authority + "/common/v2.0/.well-known/openid-configuration", Discovery: true, Issuer: authority + "/" + directory + "/v2.0", AllowedCIDRs: loopback}
	s := fetchOnce(t, src, Options{})
	if s.Reason != ReasonIssuerMismatch || !strings.Contains(s.Message, src.Issuer) || strings.Contains(s.Message, template) {
		t.Errorf("got %s: %s", s.Reason, s.Message)
	}
}

// TestEntraIDRotation: a key that begins to sign is found at once, one taken back is gone, and keys tell whose they are.
func TestEntraIDRotation(t *testing.T) {
	cloud, authority := newCloud(t)
	d := cloud.Directory(directory)
	engine := New(Options{UnknownKeyInterval: 1})
	defer engine.Close()
	src := Source{URL: authority + "/" + directory + "/v2.0/.well-known/openid-configuration", Discovery: true, Issuer: d.Issuer(entratest.V2), Directory: directory, AllowedCIDRs: loopback}
	token := func() string {
		t.Helper()
		text, err := d.Token(entratest.V2, "app", entratest.User{ObjectID: "1"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	old := token()
	if _, err := findFor(t, engine, src, old); err != nil {
		t.Fatal(err)
	}
	if err := cloud.Rotate(); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"new": token(), "old": old} {
		found, err := findFor(t, engine, src, text)
		if err != nil || found.Key.Issuer() != authority+"/{tenantid}/v2.0" {
			t.Errorf("%s key: %v, %v", name, found.Key, err)
		}
	}
	personal, err := d.TokenOfConsumersKey(entratest.V2, "app", entratest.User{ObjectID: "1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := findFor(t, engine, src, personal); err != nil || found.Key.Issuer() != authority+"/"+entratest.Consumers+"/v2.0" {
		t.Errorf("key of personal accounts: %v, %v", found.Key, err) // whose it is, the policy checks
	}
	cloud.Withdraw()
	if err := cloud.Rotate(); err != nil { // something unknown to ask for
		t.Fatal(err)
	}
	if _, err := findFor(t, engine, src, token()); err != nil {
		t.Error(err)
	}
	if _, err := findFor(t, engine, src, old); !errors.Is(err, jwk.ErrUnknownKeyID) {
		t.Errorf("a key taken back: got %v", err)
	}
}
