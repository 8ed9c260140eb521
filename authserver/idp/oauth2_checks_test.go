// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/test/oauth2server"
)

// TestOAuth2GroupsLinks guards where the access token goes and how much is read, by the header Link.
func TestOAuth2GroupsLinks(t *testing.T) {
	const page = `[{"slug":"core","organization":{"login":"acme"}}]`
	for _, row := range []struct {
		name, link, text, reason, detail string
	}{
		{"with a user", `<//x@HOST/user/teams?page=PAGE>; rel="next"`, page, ReasonUserInfo, "not at its own host"},
		{"large pages", `</user/teams?page=PAGE>; rel="next"`, page + strings.Repeat(" ", maxGroupPage-len(page)), "", "larger than"},
	} {
		as := githubServer(t, nil)
		asked := 0
		as.Replace(as.TeamsEndpoint(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked++
			w.Header().Set("Content-Type", jsonType)
			w.Header().Set("Link", strings.NewReplacer("HOST", r.Host, "PAGE", fmt.Sprint(asked+1)).Replace(row.link))
			_, _ = io.WriteString(w, row.text)
		}))
		c := githubProvider(as)
		c.OAuth2.GroupsEndpoint, c.OAuth2.GroupsExpression = as.TeamsEndpoint(), teamNames
		_, err := logIn(t, connectTo(t, c), as)
		e, ok := errors.AsType[*Error](err)
		if !ok || !strings.Contains(e.Detail, row.detail) || row.reason != "" && e.Reason != row.reason {
			t.Errorf("%s: %v, want %q", row.name, err, row.detail)
		}
		if asked*maxGroupPage > maxGroupTotal+maxGroupPage {
			t.Errorf("%s: %d pages were asked for", row.name, asked)
		}
	}
}

// TestOAuth2RefreshIsOfTheLoginsIssuer guards a login whose userinfo was at another origin.
func TestOAuth2RefreshIsOfTheLoginsIssuer(t *testing.T) {
	as := githubServer(t, func(o *oauth2server.Options) { o.Shape = oauth2server.Gitea })
	p := connectTo(t, githubProvider(as))
	profile, err := logIn(t, p, as)
	if err != nil {
		t.Fatal(err)
	}
	u := profile.Upstream
	u.Issuer = "https://before.example"
	if _, err := p.Refresh(t.Context(), u); !errors.Is(err, ErrEnded) {
		t.Errorf("got %v", err)
	}
}

// TestOAuth2EmptySubject guards that nobody is identified by an empty string.
func TestOAuth2EmptySubject(t *testing.T) {
	as := githubServer(t, nil)
	as.SetUserInfo(`{"id":"","login":"octocat"}`)
	_, err := logIn(t, connectTo(t, githubProvider(as)), as)
	wantRefusal(t, "an empty id", err, ReasonSubject, "subjectAttribute")
}
