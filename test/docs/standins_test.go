// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/entratest"
	"github.com/gatehouse-auth/gatehouse/authserver/idp/optest"
	"github.com/gatehouse-auth/gatehouse/test/oauth2server"
	"github.com/gatehouse-auth/gatehouse/test/tokenendpoint"
)

// The stand-ins for services that tests cannot reach each know one client and are strict about it. Who is outsider to a browser is somebody
// whom the page's rule keeps out.

// clientSecret is the one on all pages.
const clientSecret = "change-me"

// callback is the redirect URI that a page has registered.
func (s *shell) callback(provider string) []string {
	return []string{"http://" + s.address + ":8080/auth/" + provider + "/login/callback/"}
}

func keycloak(t *testing.T, s *shell, _ string) []string {
	op := optest.Start(t, optest.Options{Plain: true, Client: optest.Client{ID: "gatehouse", Secret: clientSecret, RedirectURIs: s.callback("keycloak")}})
	jane := map[string]any{"sub": "f4b2c0de-1111-2222-3333-444455556666", "preferred_username": "jane", "email": "jane@corp.example", "email_verified": true, "name": "Jane Doe",
		"groups": []string{"engineering"}}
	op.User = jane
	s.people = map[string]func(){"outsider": func() {
		op.User = map[string]any{"sub": "0c0ffee0-1111-2222-3333-444455556666", "preferred_username": "eve", "email": "eve@corp.example", "email_verified": true,
			"groups": []string{"sales"}}
	}}
	return []string{"https://keycloak.example.com/realms/main", op.Issuer()}
}

func google(t *testing.T, s *shell, _ string) []string {
	op := optest.Start(t, optest.Options{Plain: true, Client: optest.Client{ID: "123456789012-abc.apps.googleusercontent.com", Secret: clientSecret, RedirectURIs: s.callback("google")}})
	op.User = map[string]any{"sub": "110169484474386276334", "email": "jane@example.com", "email_verified": true, "hd": "example.com", "name": "Jane Doe"}
	s.people = map[string]func(){"outsider": func() {
		op.User = map[string]any{"sub": "110169484474386276999", "email": "eve@gmail.com", "email_verified": true, "name": "Eve"}
	}}
	return []string{"https://accounts.google.com", op.Issuer()}
}

func github(t *testing.T, s *shell, _ string) []string {
	as := oauth2server.Start(t, oauth2server.Options{
		Shape: oauth2server.GitHub, ClientID: "Ov23li0123456789abcd", ClientSecret: clientSecret, Method: oauth2server.Post, PKCE: true, Interactive: true,
		RedirectURIs: s.callback("github"),
	})
	s.people = map[string]func(){"outsider": func() {
		stranger := oauth2server.Octocat()
		stranger.ID, stranger.Login, stranger.Organizations, stranger.Teams = 583231, "stranger", []string{"elsewhere"}, nil
		as.SetPerson(stranger)
	}}
	t.Cleanup(func() {
		for _, cause := range as.Refusals() {
			t.Errorf("the stand-in for GitHub refused: %s", cause)
		}
	})
	return []string{
		"https://github.com/login/oauth/authorize", as.AuthorizationEndpoint(), "https://github.com/login/oauth/access_token", as.TokenEndpoint(),
		"https://api.github.com/user/emails", as.EmailsEndpoint(), "https://api.github.com/user/orgs", as.OrganizationsEndpoint(), "https://api.github.com/user", as.UserInfoEndpoint(),
	}
}

// entraID has what two of Microsoft's clients see: the login of package optest, and package entratest's tokens for another directory's people.
func entraID(t *testing.T, s *shell, bin string) []string {
	const staff, contoso = "8a5ba1b5-6e2c-4c5f-9d0e-3f1c2b7a9e10", "bbbbcccc-1111-dddd-2222-eeee3333ffff"
	op := optest.Start(t, optest.Options{Plain: true, Client: optest.Client{ID: "5f0c3c1e-2b7d-4b6a-8f54-0d9f7a1b2c3d", Secret: clientSecret, RedirectURIs: s.callback("entra-id")}})
	op.User = map[string]any{"sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", "tid": staff, "oid": "00000000-0000-0000-66f3-3332eca7ea81", "preferred_username": "jane@example.com",
		"email": "jane@example.com", "name": "Jane Doe"}
	cloud, err := entratest.New(entratest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	cloud.SetAuthority(server.URL)
	token, err := cloud.Directory(contoso).Token(entratest.V1, "api://contoso-shop", entratest.User{
		ObjectID: "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb", Name: "Bob", UPN: "bob@contoso.example", Roles: []string{"Buyer"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := json.Marshal(token)
	if err != nil {
		t.Fatal(err)
	}
	// Microsoft's command line, for the two commands of the page.
	program(t, filepath.Join(bin, "az"), `#!/usr/bin/env bash
case "$*" in
"login --tenant `+contoso+` --allow-no-subscriptions") ;;
"account get-access-token --resource api://contoso-shop --query accessToken --output tsv") jq -r . <<<'`+string(answer)+`' ;;
*) echo "az: not a command of the page: $*" >&2; exit 2 ;;
esac
`)
	return []string{"https://login.microsoftonline.com/" + staff + "/v2.0", op.Issuer(), "# authorityHost: login.microsoftonline.us", "authorityHost: " + server.URL + " #"}
}

// payments is a partner's token endpoint, which knows the public key that the page makes for it. An AuthServer is there that may reach it.
func payments(t *testing.T, s *shell, _ string) []string {
	var once sync.Once
	var endpoint *tokenendpoint.Endpoint
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() {
			block, _ := pem.Decode([]byte(read(filepath.Join(s.dir, "payments-public.pem"))))
			if block == nil {
				return
			}
			key, err := x509.ParsePKIXPublicKey(block.Bytes)
			if err != nil {
				return
			}
			endpoint = tokenendpoint.New(tokenendpoint.Options{
				Algorithm: "ES256", Key: key, Issuer: "gatehouse-of-acme", Subject: "robot@acme.example", Audience: "https://login.payments.example",
				Lifetime: 5 * time.Minute, Parameters: map[string]string{"scope": "payments.read"},
			})
		})
		if endpoint == nil {
			http.Error(w, "no public key is registered", http.StatusInternalServerError)
			return
		}
		endpoint.ServeHTTP(w, r)
	}))
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(func() {
		if endpoint == nil || endpoint.Requests() == 0 {
			t.Error("the stand-in for the partner was not asked")
		} else if refusals := endpoint.Refusals(); len(refusals) > 0 {
			t.Errorf("the stand-in for the partner refused: %v", refusals)
		}
	})
	apply(t, `{apiVersion: auth.gatehouse.dev/v1alpha1, kind: AuthServer, metadata: {name: default, namespace: default}, spec: {outbound: {allowedCIDRs: [127.0.0.0/8]}}}`)
	return []string{"https://login.payments.example/oauth2/token", server.URL + tokenendpoint.Path}
}
