// SPDX-License-Identifier: Apache-2.0

package migrating

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/test/oauth2server"
	"github.com/gatehouse-auth/gatehouse/test/served"
)

// jumpserverRows are the parameters and URLs of JumpServer's documentation.
var jumpserverRows = []string{
	"`OAuth2` (enable)", "`Service Provider`", "`Icon`", "`Client ID`", "`Client Secret`", "Client Secret Basic", "Client Secret Post", "`Scope`",
	"`Authorization Endpoint Address`", "`Token Endpoint Address`", "`User Info Endpoint Address`", "`Logout Endpoint Address`", "`Mapped Attributes`", "`Organization`",
	"`Always Update User Info`", "`Sync Logout`", "`/core/auth/oauth2/login/`", "`/core/auth/oauth2/login/callback/`", "`/core/auth/oauth2/logout/`",
}

// TestJumpServer guards that every OAuth2 setting of JumpServer has what takes its place, and that it works as the page says.
func TestJumpServer(t *testing.T) {
	covered(t, "jumpserver.md", jumpserverRows, map[string]func(*testing.T, string){
		"GitHub":                gitHub,
		"Client authentication": clientAuthentication,
		"Attributes":            attributes,
		"Icon":                  icon,
		"Logout":                logout,
	}, map[string]func(*testing.T, string){
		"a user without the subject attribute":                           refusedSubjectless,
		"an e-mail address that the service did not verify, for linking": refusedUnverified,
		"github.com without a rule":                                      refusedOpenGitHub,
		"a user name that another user has":                              refusedTaken,
	})
}

// service is the page's OAuth2 service on this machine, and what its manifests say in its place.
func service(t *testing.T, address string, o oauth2server.Options) (*oauth2server.Server, map[string]string, string) {
	t.Helper()
	o.ClientID, o.ClientSecret, o.PKCE = "gatehouse", "s:e+c r%t", true
	if len(o.RedirectURIs) == 0 {
		o.RedirectURIs = []string{"http://" + address + "/auth/service/login/callback/"}
	}
	as := oauth2server.Start(t, o)
	return as, map[string]string{
		"https://service.example/oauth2/authorize": as.AuthorizationEndpoint(), "https://service.example/oauth2/token": as.TokenEndpoint(),
		"https://service.example/oauth2/userinfo": as.UserInfoEndpoint(),
	}, secret("service", map[string]string{"clientSecret": o.ClientSecret})
}

// strict demands that the service refused nothing.
func strict(t *testing.T, as *oauth2server.Server) {
	t.Helper()
	if refused := as.Refusals(); len(refused) > 0 {
		t.Errorf("the service refused: %q", refused)
	}
}

func gitHub(t *testing.T, text string) {
	address := freeAddress(t)
	as := oauth2server.Start(t, oauth2server.Options{
		Shape: oauth2server.GitHub, ClientID: "Iv1.example", ClientSecret: "s:e+c r%t", Method: oauth2server.Post, PKCE: true,
		RedirectURIs: []string{"http://" + address + "/auth/github/login/callback/"},
	})
	ada := oauth2server.Octocat()
	ada.Login, ada.Email = "ada", ""
	as.SetPerson(ada)
	s := serveAt(t, address, place(t, address, text, map[string]string{
		"https://github.com/login/oauth/authorize": as.AuthorizationEndpoint(), "https://github.com/login/oauth/access_token": as.TokenEndpoint(),
		"https://api.github.com/user": as.UserInfoEndpoint(), "https://api.github.com/user/emails": as.EmailsEndpoint(),
	}), secret("github", map[string]string{"clientSecret": "s:e+c r%t"}))
	b := newBrowser(t)
	if page := b.open(s.url + "/login"); !strings.Contains(words(page.body), "GitHub") {
		t.Errorf("the login page does not name the service: %s", words(page.body))
	}
	b.enter(s, "github", "ada")
	if as.Count(as.EmailsEndpoint()) != 1 {
		t.Errorf("the second e-mail endpoint was asked %d times", as.Count(as.EmailsEndpoint()))
	}
	strict(t, as)
	eve := ada
	eve.ID = 42 // under the login that Ada had
	as.SetPerson(eve)
	if page := newBrowser(t).turnedAway(s, "github"); !strings.Contains(words(page.body), "only Ada and Grace may log in") {
		t.Errorf("the rule's message is not told: %s", words(page.body))
	}
}

func clientAuthentication(t *testing.T, text string) {
	for method, field := range map[oauth2server.Method]string{oauth2server.Basic: "ClientSecretBasic", oauth2server.Post: "ClientSecretPost"} {
		t.Run(field, func(t *testing.T) {
			address := freeAddress(t)
			as, replace, beside := service(t, address, oauth2server.Options{Method: method})
			text := strings.Replace(text, "clientAuthenticationMethod: ClientSecretBasic", "clientAuthenticationMethod: "+field, 1)
			s := serveAt(t, address, place(t, address, text, replace), beside)
			newBrowser(t).enter(s, "service", oauth2server.Octocat().Login)
			strict(t, as)
		})
	}
}

func attributes(t *testing.T, text string) {
	address := freeAddress(t)
	as, replace, beside := service(t, address, oauth2server.Options{})
	tell := func(login, name, groups string) {
		as.SetUserInfo(`{"id": 9007199254740993, "login": "` + login + `", "name": "` + name + `", "email": "ada@example.com", "contact": {"phone": "+44 20"},
			"bio": "Wrote the first program", "teams": ` + groups + `}`)
	}
	tell("ada", "Ada Lovelace", `["engines"]`)
	s := serveAt(t, address, place(t, address, text, replace), beside)
	newBrowser(t).enter(s, "service", "ada")

	tell("countess", "Augusta Ada King", `["nobility"]`)
	b := newBrowser(t)
	b.enter(s, "service", "ada") // userSync: FirstLogin
	v := b.open(s.url + "/verify")
	if v.header.Get("X-Auth-Tenant") != "engineering" || v.header.Get("X-Auth-Request-Groups") != "engines" || v.header.Get("X-Auth-Request-Email") != "ada@example.com" {
		t.Errorf("organization %q, groups %q, e-mail address %q", v.header.Get("X-Auth-Tenant"), v.header.Get("X-Auth-Request-Groups"), v.header.Get("X-Auth-Request-Email"))
	}

	address = freeAddress(t)
	as, replace, beside = service(t, address, oauth2server.Options{})
	tell("ada", "Ada Lovelace", `["engines"]`)
	s = serveAt(t, address, place(t, address, strings.Replace(text, "userSync: FirstLogin", "userSync: Always", 1), replace), beside)
	newBrowser(t).enter(s, "service", "ada")
	tell("countess", "Augusta Ada King", `["nobility"]`)
	b = newBrowser(t)
	b.enter(s, "service", "countess")
	if groups := b.open(s.url + "/verify").header.Get("X-Auth-Request-Groups"); groups != "engines" {
		t.Errorf("groups follow later logins: %q", groups)
	}
}

var imageSource = regexp.MustCompile(`<img[^>]* src="(/[^"]+)"`)

func icon(t *testing.T, text string) {
	address := freeAddress(t)
	_, replace, beside := service(t, address, oauth2server.Options{})
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 64, 64))); err != nil {
		t.Fatal(err)
	}
	beside += "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: icons, namespace: default}\nbinaryData: {service.png: " +
		base64.StdEncoding.EncodeToString(picture.Bytes()) + "}\n"
	s := serveAt(t, address, place(t, address, text, replace), beside)
	b := newBrowser(t)
	page := b.open(s.url + "/login")
	if !strings.Contains(words(page.body), "Our service") {
		t.Errorf("the login page does not name the service: %s", words(page.body))
	}
	for _, m := range imageSource.FindAllStringSubmatch(page.body, -1) {
		if got := b.open(s.url + m[1]); got.status == http.StatusOK && got.header.Get("Content-Type") == "image/png" && got.body == picture.String() {
			return
		}
	}
	t.Errorf("no picture of the login page is the icon: %s", page.body)
}

func logout(t *testing.T, text string) {
	address := freeAddress(t)
	as, replace, beside := service(t, address, oauth2server.Options{})
	replace["https://service.example/logout"] = as.LogoutEndpoint()
	s := serveAt(t, address, place(t, address, text, replace), beside)
	b := newBrowser(t)
	b.enter(s, "service", oauth2server.Octocat().Login)
	b.open(s.url + "/auth/service/logout/")
	if len(as.Logouts()) != 1 {
		t.Errorf("the service was asked to log out %d times", len(as.Logouts()))
	}
	if v := b.open(s.url + "/verify"); v.status != http.StatusUnauthorized {
		t.Errorf("/verify after the logout: %d", v.status)
	}
	strict(t, as)
}

func refusedSubjectless(t *testing.T, _ string) {
	address := freeAddress(t)
	as, replace, beside := service(t, address, oauth2server.Options{})
	s := serveAt(t, address, place(t, address, manifest(t, sectionsOf(t, "jumpserver.md")["Client authentication"]), replace), beside)
	for _, subject := range []string{``, `"id": null,`, `"id": "",`, `"id": 1.5,`, `"id": true,`} {
		as.SetUserInfo(`{` + subject + ` "login": "ada"}`)
		newBrowser(t).turnedAway(s, "service")
	}
	as.SetUserInfo(`{"id": 1, "login": "ada"}`)
	newBrowser(t).enter(s, "service", "ada")
}

// two are two providers of one organization at the same service, of different kinds of user info.
func two(t *testing.T) (s *site, first, second *oauth2server.Server) {
	t.Helper()
	address := freeAddress(t)
	text := manifest(t, sectionsOf(t, "jumpserver.md")["Client authentication"])
	text = strings.Replace(text, "  type: OAuth2\n", "  type: OAuth2\n  linking: VerifiedEmail\n", 1)
	first, replace, beside := service(t, address, oauth2server.Options{})
	second, other, _ := service(t, address, oauth2server.Options{RedirectURIs: []string{"http://" + address + "/auth/club/login/callback/"}})
	_, provider, _ := strings.Cut(text, "---\n")
	provider = strings.Replace(provider, "name: service,", "name: club,", 1)
	return serveAt(t, address, place(t, address, text, replace)+"---\n"+place(t, address, provider, other), beside), first, second
}

func refusedUnverified(t *testing.T, _ string) {
	s, first, second := two(t)
	first.SetUserInfo(`{"id": 1, "login": "ada", "email": "ada@example.com", "email_verified": true}`)
	newBrowser(t).enter(s, "service", "ada")
	second.SetUserInfo(`{"id": 2, "login": "mallory", "email": "ada@example.com", "email_verified": "true"}`)
	newBrowser(t).enter(s, "club", "mallory") // another user: "true" is a text
	second.SetUserInfo(`{"id": 3, "login": "lovelace", "email": "ada@example.com", "email_verified": true}`)
	newBrowser(t).enter(s, "club", "ada") // Ada herself, who keeps the name that the provider of her first login gives her
}

func refusedOpenGitHub(t *testing.T, _ string) {
	text := manifest(t, sectionsOf(t, "jumpserver.md")["GitHub"])
	beside := secret("github", map[string]string{"clientSecret": "x"})
	if found := served.Findings(t, text+beside); len(found) > 0 {
		t.Fatalf("the page's own manifest is not taken: %v", found)
	}
	begin, rest, _ := strings.Cut(text, "  claimValidationRules:")
	_, end, _ := strings.Cut(rest, "  oauth2:\n")
	open := begin + "  oauth2:\n" + end
	if found := strings.Join(served.Findings(t, open+beside), "\n"); !strings.Contains(found, "claimValidationRules") {
		t.Errorf("anybody may log in: %s", found)
	}
	meant := strings.Replace(open, "  type: OAuth2\n", "  type: OAuth2\n  allowAnyone: true\n", 1)
	if found := served.Findings(t, meant+beside); len(found) > 0 {
		t.Errorf("allowAnyone does not help: %v", found)
	}
}

func refusedTaken(t *testing.T, _ string) {
	s, first, second := two(t)
	first.SetUserInfo(`{"id": 1, "login": "bob", "email": "bob@example.com", "email_verified": true}`)
	second.SetUserInfo(`{"id": 2, "login": "bob", "email": "other@example.com", "email_verified": true}`)
	newBrowser(t).enter(s, "service", "bob")
	newBrowser(t).enter(s, "club", "bob.club")
}
