// SPDX-License-Identifier: Apache-2.0

package oauth2server

import (
	"net/http"
	"strconv"
	"strings"
)

// Person is who logs in.
type Person struct {
	ID          int64
	Login, Name string
	// Email is what userinfo shows; empty for none, which GitHub writes as null.
	Email string
	// EmailVerified is told by Google's shape.
	EmailVerified bool
	Emails        []Email
	// HostedDomain is Google's hd; empty for none.
	HostedDomain  string
	Organizations []string
	Teams         []Team
}

// Email is one of somebody's addresses.
type Email struct {
	Address           string
	Primary, Verified bool
}

// Team is a team of an organization.
type Team struct{ Organization, Slug string }

// Octocat is who logs in unless told otherwise. The ID is 2⁵³+1, which no double holds.
func Octocat() Person {
	return Person{
		ID: 9007199254740993, Login: "octocat", Name: "Mona Lisa", EmailVerified: true, HostedDomain: "acme.example",
		Emails: []Email{
			{"old@acme.example", false, true}, {"mona@acme.example", true, true}, {"new@acme.example", false, false},
		},
		Organizations: []string{"acme", "github"},
		Teams:         []Team{{"acme", "core"}, {"acme", "ops"}},
	}
}

// Shape is whose answers a server gives.
type Shape interface {
	paths() paths
	userInfo(p *Person) map[string]any
	tokenType() string
	scope(asked string) string
	formUnlessAsked() bool // the token endpoint's answers
	expires() bool
	refreshes() bool
	tokenError(code string) (status int, answer map[string]any)
}

type paths struct{ authorize, token, userInfo, emails, organizations, teams, logout string }

// Shapes.
var (
	GitHub   Shape = github{}
	GitLab   Shape = gitlab{}
	Gitea    Shape = gitea{}
	Google   Shape = google{}
	Facebook Shape = facebook{}
)

// plain is what RFC 6749 has, and what a shape changes a part of.
type plain struct{}

func (plain) tokenType() string         { return "Bearer" }
func (plain) scope(asked string) string { return asked }
func (plain) formUnlessAsked() bool     { return false }
func (plain) expires() bool             { return true }
func (plain) refreshes() bool           { return false }

func (plain) tokenError(code string) (int, map[string]any) {
	status := http.StatusBadRequest
	if code == "invalid_client" {
		status = http.StatusUnauthorized
	}
	return status, map[string]any{"error": code, "error_description": "The request was refused."}
}

// orNull is how absent texts are written by those who write them.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

type github struct{ plain }

func (github) paths() paths {
	return paths{"/login/oauth/authorize", "/login/oauth/access_token", "/user", "/user/emails", "/user/orgs", "/user/teams", "/logout"}
}

func (github) userInfo(p *Person) map[string]any {
	return map[string]any{"login": p.Login, "id": p.ID, "node_id": "MDQ6VXNlcjE=", "type": "User", "site_admin": false, "name": orNull(p.Name), "email": orNull(p.Email), "company": nil,
		"public_repos": 2, "plan": map[string]any{"name": "free", "space": 400}}
}
func (github) tokenType() string         { return "bearer" }
func (github) formUnlessAsked() bool     { return true }
func (github) expires() bool             { return false }
func (github) scope(asked string) string { return strings.ReplaceAll(asked, " ", ",") }

func (github) tokenError(code string) (int, map[string]any) {
	names := map[string]string{"invalid_grant": "bad_verification_code", "invalid_client": "incorrect_client_credentials"}
	if name, ok := names[code]; ok {
		code = name
	}
	return http.StatusOK, map[string]any{"error": code, "error_description": "The request was refused.", "error_uri": "https://docs.github.com/apps"}
}

type gitlab struct{ plain }

func (gitlab) paths() paths {
	return paths{"/oauth/authorize", "/oauth/token", "/api/v4/user", "/api/v4/user/emails", "/api/v4/groups", "/api/v4/teams", "/users/sign_out"}
}

func (gitlab) userInfo(p *Person) map[string]any {
	return map[string]any{"id": p.ID, "username": p.Login, "name": p.Name, "state": "active", "email": p.Email, "confirmed_at": "2024-05-01T09:00:00.000Z", "identities": []any{},
		"two_factor_enabled": true, "external": false}
}
func (gitlab) refreshes() bool { return true }

type gitea struct{ plain }

func (gitea) paths() paths {
	return paths{"/login/oauth/authorize", "/login/oauth/access_token", "/api/v1/user", "/api/v1/user/emails", "/api/v1/user/orgs", "/api/v1/user/teams", "/user/logout"}
}

func (gitea) userInfo(p *Person) map[string]any {
	return map[string]any{"id": p.ID, "login": p.Login, "login_name": "", "full_name": p.Name, "email": p.Email, "is_admin": false, "active": true}
}
func (gitea) tokenType() string { return "bearer" }
func (gitea) refreshes() bool   { return true }

type google struct{ plain }

func (google) paths() paths {
	return paths{"/o/oauth2/v2/auth", "/token", "/v1/userinfo", "/v1/emails", "/v1/groups", "/v1/teams", "/Logout"}
}

func (google) userInfo(p *Person) map[string]any {
	answer := map[string]any{"sub": "1" + strconv.FormatInt(p.ID, 10), "name": p.Name, "picture": "https://lh3.example/photo.jpg", "email": p.Email, "email_verified": p.EmailVerified}
	if p.HostedDomain != "" {
		answer["hd"] = p.HostedDomain
	}
	return answer
}

type facebook struct{ plain }

func (facebook) paths() paths {
	return paths{"/dialog/oauth", "/oauth/access_token", "/me", "/me/emails", "/me/groups", "/me/teams", "/logout.php"}
}

func (facebook) userInfo(p *Person) map[string]any {
	answer := map[string]any{"id": strconv.FormatInt(p.ID, 10), "name": p.Name}
	if p.Email != "" {
		answer["email"] = p.Email
	}
	return answer
}
func (facebook) tokenType() string { return "bearer" }

func (facebook) tokenError(string) (int, map[string]any) {
	return http.StatusBadRequest, map[string]any{"error": map[string]any{"message": "The request was refused.", "type": "OAuthException", "code": 100}}
}
