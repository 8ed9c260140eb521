// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/test/oauth2server"
)

// says answers with a status, a media type and a text.
func says(status int, mediaType, text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if mediaType != "" {
			w.Header().Set("Content-Type", mediaType)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	})
}

const jsonType = "application/json; charset=utf-8"

// patienceWith is how long an answer to a row is waited for: one that never comes not as long as one that a busy machine is late with.
func patienceWith(row string) time.Duration {
	if row == "silent" {
		return 3 * time.Second
	}
	return time.Minute
}

// silent never answers. Only when the body has been read does the server see that the client has gone.
var silent = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
})

// endless writes an answer that does not end.
var endless = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", jsonType)
	chunk := []byte(strings.Repeat(" ", 32<<10))
	for {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
})

// elsewhere redirects to a place that would answer well, and must not be asked.
func elsewhere(status int, target string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target, status) })
}

// TestOAuth2HostileTokenEndpoint guards that no answer but one of RFC 6749 §5.1 gets anybody further, that nothing of it is told, and that userinfo is not asked.
func TestOAuth2HostileTokenEndpoint(t *testing.T) {
	good := `"access_token":"t","token_type":"Bearer"`
	for _, row := range []struct {
		name   string
		answer http.Handler
		reason string
		detail string
		away   bool
	}{
		{"form-encoded", says(200, "application/x-www-form-urlencoded", "access_token=t&token_type=bearer"), ReasonTokenEndpoint, "not a JSON object", false},
		{"HTML", says(200, "text/html", "<p>upstream-wrote-this"), ReasonTokenEndpoint, "not a JSON object", false},
		{"JSON that is HTML", says(200, jsonType, "<p>upstream-wrote-this"), ReasonTokenEndpoint, "not a JSON object", false},
		{"list", says(200, jsonType, "[]"), ReasonTokenEndpoint, "not a JSON object", false},
		{"nothing", says(200, jsonType, ""), ReasonTokenEndpoint, "not a JSON object", false},
		{"twice", says(200, jsonType, `{`+good+`,"access_token":"u"}`), ReasonTokenEndpoint, "not a JSON object", false},
		{"something behind", says(200, jsonType, `{`+good+`} {}`), ReasonTokenEndpoint, "not a JSON object", false},
		{"no token", says(200, jsonType, `{"token_type":"Bearer"}`), ReasonTokenEndpoint, "no access_token", false},
		{"empty token", says(200, jsonType, `{"access_token":"","token_type":"Bearer"}`), ReasonTokenEndpoint, "no access_token", false},
		{"token is a number", says(200, jsonType, `{"access_token":1,"token_type":"Bearer"}`), ReasonTokenEndpoint, "not a JSON object", false},
		{"token with a newline", says(200, jsonType, `{"access_token":"a\nX-Evil: 1","token_type":"Bearer"}`), ReasonTokenEndpoint, "no access_token", false},
		{"token too long", says(200, jsonType, `{"access_token":"`+strings.Repeat("t", 17<<10)+`","token_type":"Bearer"}`), ReasonTokenEndpoint, "no access_token", false},
		{"another name", says(200, jsonType, `{"Access_Token":"t","token_type":"Bearer"}`), ReasonTokenEndpoint, "no access_token", false},
		{"no type", says(200, jsonType, `{"access_token":"t"}`), ReasonTokenEndpoint, "token_type", false},
		{"mac", says(200, jsonType, `{"access_token":"t","token_type":"mac"}`), ReasonTokenEndpoint, "token_type", false},
		{"error and token", says(200, jsonType, `{`+good+`,"error":"invalid_grant"}`), ReasonTokenEndpoint, "invalid_grant", false},
		{"error with status 200", says(200, jsonType, `{"error":"bad_verification_code","error_description":"upstream-wrote-this"}`), ReasonTokenEndpoint, "invalid_grant", false},
		{"client refused with status 200", says(200, jsonType, `{"error":"incorrect_client_credentials"}`), ReasonClientRefused, "clientSecretRef", false},
		{"client refused", says(401, jsonType, `{"error":"invalid_client"}`), ReasonClientRefused, "clientSecretRef", false},
		{"client refused in HTML", says(401, "text/html", `upstream-wrote-this`), ReasonClientRefused, "clientSecretRef", false},
		{"error unheard of", says(400, jsonType, `{"error":"upstream-wrote-this"}`), ReasonTokenEndpoint, "an error code that OAuth does not define", false},
		{"error that is an object", says(400, jsonType, `{"error":{"message":"upstream-wrote-this"}}`), ReasonTokenEndpoint, "status 400", false},
		{"token with status 400", says(400, jsonType, `{`+good+`}`), ReasonTokenEndpoint, "status 400", false},
		{"overloaded", says(503, jsonType, `{`+good+`}`), ReasonUnavailable, "status 503", true},
		{"too many requests", says(429, "text/plain", "upstream-wrote-this"), ReasonUnavailable, "status 429", true},
		{"server_error", says(400, jsonType, `{"error":"server_error"}`), ReasonUnavailable, "server_error", true},
		{"redirect", elsewhere(http.StatusTemporaryRedirect, "/elsewhere"), ReasonTokenEndpoint, "status 307", false},
		{"huge", says(200, jsonType, `{`+good+strings.Repeat(" ", 65<<10)+`}`), ReasonUnavailable, "tokenEndpoint", true},
		{"endless", endless, ReasonUnavailable, "tokenEndpoint", true},
		{"silent", silent, ReasonUnavailable, "tokenEndpoint", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			as := githubServer(t, nil)
			as.Replace(as.TokenEndpoint(), row.answer)
			as.Replace(as.URL()+"/elsewhere", says(200, jsonType, `{`+good+`}`))
			_, err := logIn(t, connectFor(t, githubProvider(as), patienceWith(row.name)), as)
			wantRefusal(t, row.name, err, row.reason, row.detail)
			if errors.Is(err, ErrUnavailable) != row.away {
				t.Errorf("%v: unavailable %v, want %v", err, !row.away, row.away)
			}
			if n, m := as.Count(as.UserInfoEndpoint()), as.Count(as.URL()+"/elsewhere"); n+m > 0 {
				t.Errorf("userinfo was asked %d times, and the redirect followed %d times", n, m)
			}
		})
	}
}

// TestOAuth2HostileUserInfo guards that nobody gets in by an answer that is not one strict JSON object with a subject and a username.
func TestOAuth2HostileUserInfo(t *testing.T) {
	for _, row := range []struct {
		name   string
		answer http.Handler
		reason string
		detail string
	}{
		{"id missing", says(200, jsonType, `{"login":"bob"}`), ReasonSubject, "subjectAttribute id"},
		{"id null", says(200, jsonType, `{"id":null,"login":"bob"}`), ReasonSubject, "subjectAttribute id"},
		{"id empty", says(200, jsonType, `{"id":"","login":"bob"}`), ReasonSubject, "subjectAttribute id"},
		{"id a list", says(200, jsonType, `{"id":["1"],"login":"bob"}`), ReasonSubject, "subjectAttribute id"},
		{"id a bool", says(200, jsonType, `{"id":true,"login":"bob"}`), ReasonSubject, "subjectAttribute id"},
		{"id a fraction", says(200, jsonType, `{"id":1.5,"login":"bob"}`), ReasonSubject, "subjectAttribute id"},
		{"id with an exponent", says(200, jsonType, `{"id":9e15,"login":"bob"}`), ReasonSubject, "subjectAttribute id"},
		{"id too long", says(200, jsonType, `{"id":"`+strings.Repeat("1", 256)+`","login":"bob"}`), ReasonSubject, "subjectAttribute id"},
		{"id with a control character", says(200, jsonType, `{"id":"1\u0000","login":"bob"}`), ReasonSubject, "subjectAttribute id"},
		{"id in other letters", says(200, jsonType, `{"ID":1,"login":"bob"}`), ReasonSubject, "subjectAttribute id"},
		{"id nested", says(200, jsonType, `{"data":{"id":1},"login":"bob"}`), ReasonSubject, "subjectAttribute id"},
		{"id twice", says(200, jsonType, `{"id":1,"id":2,"login":"bob"}`), ReasonUserInfo, "duplicate_member"},
		{"id twice, once escaped", says(200, jsonType, `{"id":1,"\u0069d":2,"login":"bob"}`), ReasonUserInfo, "duplicate_member"},
		{"no username", says(200, jsonType, `{"id":1}`), ReasonUsername, "claimMappings.username"},
		{"username a list", says(200, jsonType, `{"id":1,"login":["bob"]}`), ReasonUsername, "claimMappings.username"},
		{"username with a newline", says(200, jsonType, `{"id":1,"login":"upstream-wrote-this\n"}`), "bad_username", "claimMappings.username"},
		{"a list", says(200, jsonType, `[{"id":1,"login":"bob"}]`), ReasonUserInfo, "JSON object"},
		{"null", says(200, jsonType, `null`), ReasonUserInfo, "JSON object"},
		{"not UTF-8", says(200, jsonType, "{\"id\":1,\"login\":\"\xff\"}"), ReasonUserInfo, "JSON object"},
		{"something behind", says(200, jsonType, `{"id":1,"login":"bob"}{"id":2}`), ReasonUserInfo, "JSON object"},
		{"deep", says(200, jsonType, `{"id":1,"login":"bob","x":`+strings.Repeat("[", 20)+strings.Repeat("]", 20)+`}`), ReasonUserInfo, "json_limits"},
		{"HTML", says(200, "text/html", `upstream-wrote-this`), ReasonUserInfo, "not JSON"},
		{"a JWT", says(200, "application/jwt", `a.b.c`), ReasonUserInfo, "signed"},
		{"forbidden", says(403, jsonType, `{"id":1,"login":"upstream-wrote-this"}`), ReasonUserInfo, "status 403"},
		{"created", says(201, jsonType, `{"id":1,"login":"bob"}`), ReasonUserInfo, "status 201"},
		{"redirect", elsewhere(http.StatusFound, "/elsewhere"), ReasonUserInfo, "status 302"},
		{"away", says(502, jsonType, `{"id":1,"login":"bob"}`), ReasonUnavailable, "status 502"},
		{"huge", says(200, jsonType, `{"id":1,"login":"bob","x":"`+strings.Repeat("x", 65<<10)+`"}`), ReasonUnavailable, "userInfoEndpoint"},
		{"endless", endless, ReasonUnavailable, "userInfoEndpoint"},
		{"silent", silent, ReasonUnavailable, "userInfoEndpoint"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			as := githubServer(t, nil)
			as.Replace(as.UserInfoEndpoint(), row.answer)
			as.Replace(as.URL()+"/elsewhere", says(200, jsonType, `{"id":1,"login":"bob"}`))
			_, err := logIn(t, connectFor(t, githubProvider(as), patienceWith(row.name)), as)
			wantRefusal(t, row.name, err, row.reason, row.detail)
			if n := as.Count(as.URL() + "/elsewhere"); n > 0 {
				t.Error("the access token followed a redirect")
			}
		})
	}
}

// TestOAuth2Rules guards that a rule keeps somebody out with its author's words.
func TestOAuth2Rules(t *testing.T) {
	as := githubServer(t, nil)
	c := githubProvider(as)
	c.Rules = []config.ClaimRule{{Expression: "userinfo.login in ['ann', 'bob']", Message: "ask the platform team for access"}}
	_, err := logIn(t, connectTo(t, c), as)
	wantRefusal(t, "not on the list", err, ReasonRule, "claimValidationRules[0]")
	if e, ok := errors.AsType[*Error](err); !ok || e.RuleMessage() != "ask the platform team for access" {
		t.Errorf("%v: the rule's message is not what people read", err)
	}
	c.Rules[0].Expression = "userinfo.login in ['ann', 'octocat']"
	if _, err := logIn(t, connectTo(t, c), as); err != nil {
		t.Errorf("on the list: %v", err)
	}
}

// TestOAuth2RulesSeeGroups guards what people want most of GitHub: members of their organization, or of its teams, and nobody else; at a login and at each
// refresh.
func TestOAuth2RulesSeeGroups(t *testing.T) {
	const message = "members of the acme organization only"
	for _, row := range []struct {
		name       string
		endpoint   func(*oauth2server.Server) string
		expression string
		mapped     config.Source
		rule       string
		in         bool
	}{
		{"organization", (*oauth2server.Server).OrganizationsEndpoint, "groups.map(o, o.login)", config.Source{}, "'acme' in groups", true},
		{"another organization", (*oauth2server.Server).OrganizationsEndpoint, "groups.map(o, o.login)", config.Source{}, "'globex' in groups", false},
		{"organization by ID", (*oauth2server.Server).OrganizationsEndpoint, "groups.map(o, string(o.id))", config.Source{}, "'1' in groups", true},
		{"any team", (*oauth2server.Server).TeamsEndpoint, teamNames, config.Source{}, "groups.exists(g, g.startsWith('acme/'))", true},
		{"any team of another", (*oauth2server.Server).TeamsEndpoint, teamNames, config.Source{}, "groups.exists(g, g.startsWith('globex/'))", false},
		{"the endpoint, not the mapping", (*oauth2server.Server).OrganizationsEndpoint, "groups.map(o, o.login)", config.Source{Expression: "['globex']"}, "'globex' in groups", false},
		{"the mapping, without an endpoint", nil, "", config.Source{Expression: "['globex', userinfo.login]"}, "'globex' in groups && 'octocat' in groups", true},
		{"nothing mapped", nil, "", config.Source{Claims: []string{"groups"}}, "'acme' in groups", false},
	} {
		as := githubServer(t, nil)
		c := githubProvider(as)
		c.Mappings.Groups, c.Rules = row.mapped, []config.ClaimRule{{Expression: row.rule, Message: message}}
		if row.endpoint != nil {
			c.OAuth2.GroupsEndpoint, c.OAuth2.GroupsExpression = row.endpoint(as), row.expression
		}
		p := connectTo(t, c)
		_, err := logIn(t, p, as)
		if row.in {
			if err != nil {
				t.Errorf("%s: %v", row.name, err)
			}
			continue
		}
		wantRefusal(t, row.name, err, ReasonRule, message)
		if e, ok := errors.AsType[*Error](err); ok && e.RuleMessage() != message {
			t.Errorf("%s: people read %q", row.name, e.RuleMessage())
		}
		if s := p.Status(); !s.Ready {
			t.Errorf("%s: somebody who may not log in turned the provider's status: %+v", row.name, s)
		}
	}

	as := githubServer(t, func(o *oauth2server.Options) { o.Shape = oauth2server.Gitea })
	c := githubProvider(as)
	c.OAuth2.GroupsEndpoint, c.OAuth2.GroupsExpression = as.OrganizationsEndpoint(), "groups.map(o, o.?login.orValue(o.?username.orValue('')))"
	c.Rules = []config.ClaimRule{{Expression: "'acme' in groups", Message: message}}
	p := connectTo(t, c)
	login, err := logIn(t, p, as)
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.Refresh(t.Context(), login.Upstream)
	if err != nil {
		t.Fatalf("a member: %v", err)
	}
	person := oauth2server.Octocat()
	person.Organizations = nil
	as.SetPerson(person)
	_, err = p.Refresh(t.Context(), again.Upstream)
	wantRefusal(t, "who has left", err, ReasonRule, message)
	if !errors.Is(err, ErrEnded) {
		t.Errorf("who has left: %v, want ErrEnded", err)
	}
}

// TestOAuth2Emails guards that the second endpoint is asked only where userinfo has no address, and that only the one address which is primary and verified counts.
func TestOAuth2Emails(t *testing.T) {
	for _, row := range []struct {
		name   string
		shown  string // in userinfo
		answer http.Handler
		email  string
		sure   bool
		asked  int
		reason string
		detail string
	}{
		{name: "GitHub's list", email: "mona@acme.example", sure: true, asked: 1},
		{name: "shown already", shown: "shown@acme.example", email: "shown@acme.example", asked: 0},
		{name: "primary not verified", answer: says(200, jsonType, `[{"email":"a@x.example","primary":true,"verified":false},{"email":"b@x.example","primary":false,"verified":true}]`), asked: 1},
		{name: "verified as a string", answer: says(200, jsonType, `[{"email":"a@x.example","primary":true,"verified":"true"}]`), asked: 1},
		{name: "primary as a number", answer: says(200, jsonType, `[{"email":"a@x.example","primary":1,"verified":true}]`), asked: 1},
		{name: "two primary ones", answer: says(200, jsonType, `[{"email":"a@x.example","primary":true,"verified":true},{"email":"b@x.example","primary":true,"verified":true}]`), asked: 1},
		{name: "none", answer: says(200, jsonType, `[]`), asked: 1},
		{name: "an address with a newline", answer: says(200, jsonType, `[{"email":"a@x.example\nb","primary":true,"verified":true}]`), asked: 1},
		{name: "no address", answer: says(200, jsonType, `[{"primary":true,"verified":true}]`), asked: 1},
		{name: "duplicate member", answer: says(200, jsonType, `[{"email":"a@x.example","primary":true,"verified":false,"verified":true}]`), asked: 1, reason: ReasonUserInfo, detail: "emailsEndpoint"},
		{name: "an object", answer: says(200, jsonType, `{"email":"a@x.example","primary":true,"verified":true}`), asked: 1, reason: ReasonUserInfo, detail: "emailsEndpoint"},
		{name: "strings", answer: says(200, jsonType, `["a@x.example"]`), asked: 1, reason: ReasonUserInfo, detail: "emailsEndpoint"},
		{name: "forbidden", answer: says(403, jsonType, `{}`), asked: 1, reason: ReasonUserInfo, detail: "check that the scopes allow"},
		{name: "away", answer: says(500, jsonType, `[]`), asked: 1, reason: ReasonUnavailable, detail: "emailsEndpoint"},
		{name: "endless", answer: endless, asked: 1, reason: ReasonUnavailable, detail: "emailsEndpoint"},
	} {
		t.Run(row.name, func(t *testing.T) {
			as := githubServer(t, nil)
			person := oauth2server.Octocat()
			person.Email = row.shown
			as.SetPerson(person)
			if row.answer != nil {
				as.Replace(as.EmailsEndpoint(), row.answer)
			}
			c := githubProvider(as)
			c.OAuth2.EmailsEndpoint = as.EmailsEndpoint()
			got, err := logIn(t, connectTo(t, c), as)
			if n := as.Count(as.EmailsEndpoint()); n != row.asked {
				t.Errorf("the endpoint was asked %d times, want %d", n, row.asked)
			}
			if row.reason != "" {
				wantRefusal(t, row.name, err, row.reason, row.detail)
				return
			}
			if err != nil || got.Email != row.email || got.EmailVerified != row.sure {
				t.Errorf("%+v, %v, want %q verified %v", got, err, row.email, row.sure)
			}
		})
	}
}

const teamNames = "groups.map(t, t.organization.login + '/' + t.slug)"

func manyTeams(n int) (teams []oauth2server.Team, names []string) {
	for i := range n {
		teams = append(teams, oauth2server.Team{Organization: "acme", Slug: fmt.Sprintf("t%d", i)})
		names = append(names, fmt.Sprintf("acme/t%d", i))
	}
	return teams, names
}

// TestOAuth2Groups guards that the groups of all pages count, each page asked once, and that they take the place of mapped ones.
func TestOAuth2Groups(t *testing.T) {
	for _, count := range []int{0, 1, 3, 4, 27, 30} { // pages of 3
		as := githubServer(t, func(o *oauth2server.Options) { o.PageSize = 3 })
		teams, names := manyTeams(count)
		person := oauth2server.Octocat()
		person.Teams = teams
		as.SetPerson(person)
		c := githubProvider(as)
		c.OAuth2.GroupsEndpoint, c.OAuth2.GroupsExpression = as.TeamsEndpoint()+"?per_page=100", teamNames
		c.Mappings.Groups = config.Source{Expression: "['mapped']"}
		got, err := logIn(t, connectTo(t, c), as)
		if err != nil || !cmp.Equal(got.Groups, names) || len(as.Refusals()) > 0 {
			t.Errorf("%d teams: %v, %v; refusals %q", count, got, err, as.Refusals())
		}
		if n, want := as.Count(as.TeamsEndpoint()), max(1, (count+2)/3); n != want {
			t.Errorf("%d teams: %d pages were asked for, want %d", count, n, want)
		}
	}

	as := githubServer(t, nil)
	c := githubProvider(as)
	c.OAuth2.GroupsEndpoint, c.OAuth2.GroupsExpression = as.OrganizationsEndpoint(), "groups.map(o, o.login)"
	if got, err := logIn(t, connectTo(t, c), as); err != nil || !cmp.Equal(got.Groups, []string{"acme", "github"}) {
		t.Errorf("organizations: %v, %v", got, err)
	}
	as.Replace(as.OrganizationsEndpoint(), says(200, jsonType, `{"member_of":["a","b"]}`))
	c.OAuth2.GroupsExpression = "groups.member_of"
	if got, err := logIn(t, connectTo(t, c), as); err != nil || !cmp.Equal(got.Groups, []string{"a", "b"}) {
		t.Errorf("an object: %v, %v", got, err)
	}
}

// TestOAuth2HostileGroups guards that groups which are not all there, or not what the expression reads, refuse the login: fewer groups could be the wrong ones.
// The access token never leaves the endpoint's origin.
func TestOAuth2HostileGroups(t *testing.T) {
	linked := func(link, text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", link)
			w.Header().Set("Content-Type", jsonType)
			_, _ = io.WriteString(w, text)
		})
	}
	other := githubServer(t, nil)
	other.Replace(other.TeamsEndpoint(), says(200, jsonType, `[]`))
	page := `[{"slug":"core","organization":{"login":"acme"}}]`
	pages := 0
	for _, row := range []struct {
		name   string
		answer http.Handler
		reason string
		detail string
	}{
		{"next on another host", linked(`<`+other.TeamsEndpoint()+`>; rel="next"`, page), ReasonUserInfo, "not at its own host"},
		{"next with a user", linked(`<//x@127.0.0.1/user/teams>; rel="next"`, page), ReasonUserInfo, "not at its own host"},
		{"next in another scheme", linked(`<https:///user/teams>; rel=next`, page), ReasonUserInfo, "not at its own host"},
		{"the same page", linked(`</user/teams>; rel="next"`, page), ReasonUserInfo, "same page"},
		{"pages without end", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			pages++
			linked(fmt.Sprintf(`</user/teams?page=%d>; rel="next"`, pages), page).ServeHTTP(w, r)
		}), ReasonTooManyGroups, "more than 10 pages"},
		{"an object with a next page", linked(`</user/teams?page=2>; rel="next"`, `{"teams":[]}`), ReasonUserInfo, "neither a JSON list nor"},
		{"a string", says(200, jsonType, `"acme/core"`), ReasonUserInfo, "neither a JSON list nor"},
		{"a duplicate member", says(200, jsonType, `[{"slug":"a","slug":"b","organization":{"login":"acme"}}]`), ReasonUserInfo, "neither a JSON list nor"},
		{"another element", says(200, jsonType, `[{"slug":"core"}]`), "groups", "groupsEndpoint.expression"},
		{"another type", says(200, jsonType, `[{"slug":1,"organization":{"login":"acme"}}]`), "groups", "groupsEndpoint.expression"},
		{"forbidden", says(403, jsonType, `[]`), ReasonUserInfo, "status 403"},
		{"away", says(500, jsonType, `[]`), ReasonUnavailable, "groupsEndpoint"},
		{"redirect", elsewhere(http.StatusFound, other.TeamsEndpoint()), ReasonUserInfo, "status 302"},
		{"huge", says(200, jsonType, `[`+strings.Repeat(" ", 1<<20)+`]`), ReasonUnavailable, "groupsEndpoint"},
		{"endless", endless, ReasonUnavailable, "groupsEndpoint"},
		{"silent", silent, ReasonUnavailable, "groupsEndpoint"},
	} {
		t.Run(row.name, func(t *testing.T) {
			as := githubServer(t, nil)
			as.Replace(as.TeamsEndpoint(), row.answer)
			c := githubProvider(as)
			c.OAuth2.GroupsEndpoint, c.OAuth2.GroupsExpression = as.TeamsEndpoint(), teamNames
			p := connectFor(t, c, patienceWith(row.name))
			_, err := logIn(t, p, as)
			wantRefusal(t, row.name, err, row.reason, row.detail)
			if s := p.Status(); row.reason == ReasonTooManyGroups && !s.Ready {
				t.Errorf("somebody's many groups turned the provider's status: %+v", s)
			}
			if n := as.Count(as.TeamsEndpoint()); n > maxGroupPages {
				t.Errorf("%d pages were asked for", n)
			}
		})
	}
	if n := other.Count(other.TeamsEndpoint()); n > 0 {
		t.Errorf("another host was asked %d times", n)
	}

	as := githubServer(t, func(o *oauth2server.Options) { o.PageSize = 100 })
	person := oauth2server.Octocat()
	person.Teams, _ = manyTeams(600)
	as.SetPerson(person)
	c := githubProvider(as)
	c.OAuth2.GroupsEndpoint, c.OAuth2.GroupsExpression = as.TeamsEndpoint(), teamNames
	_, err := logIn(t, connectTo(t, c), as)
	wantRefusal(t, "600 groups", err, "too_many_groups", "groups")
}

// TestNextLink guards the reading of the header Link (RFC 8288 §3), as GitHub and others write it and as nobody should.
func TestNextLink(t *testing.T) {
	for header, want := range map[string]string{
		`<https://a.example/x?page=2>; rel="next", <https://a.example/x?page=9>; rel="last"`: "https://a.example/x?page=2",
		`<https://a.example/x?page=1>; rel="prev", <https://a.example/x?page=3>; rel="next"`: "https://a.example/x?page=3",
		`<https://a.example/x?a=1,2;3>; rel=next`:                                            "https://a.example/x?a=1,2;3",
		`</x>; title="a, rel=\"x"; rel="prev next"`:                                          "",
		`</x>; title="a, b; c"; rel="prev next"`:                                             "/x",
		`</x> ; REL = "NEXT"`:                                                                "/x",
		`</x>; rel="last"; rel="next"`:                                                       "",
		`</x>; rel="nextish"`:                                                                "",
		`</x>; xrel="next"`:                                                                  "",
		`/x; rel="next"`:                                                                     "",
		`</x; rel="next"`:                                                                    "",
		`</x>`:                                                                               "",
		``:                                                                                   "",
		`,,, </x>; rel=next`:                                                                 "/x",
		`garbage, </x>; rel=next`:                                                            "",
	} {
		if got := nextLink([]string{header}); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	if got := nextLink([]string{`</a>; rel="prev"`, `</b>; rel="next"`}); got != "/b" {
		t.Errorf("in a second header: %q", got)
	}
}

// FuzzNextLink guards that no header makes reading it run away or panic.
func FuzzNextLink(f *testing.F) {
	f.Add(`<https://a.example/x?page=2>; rel="next", <https://a.example/x?page=9>; rel="last"`)
	f.Add(`<>;rel="`)
	f.Fuzz(func(t *testing.T, header string) {
		if got := nextLink([]string{header}); !strings.Contains(header, got) {
			t.Errorf("%q is not a part of %q", got, header)
		}
	})
}
