// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"errors"

	"github.com/go-json-experiment/json"

	"github.com/gatehouse-auth/gatehouse/authserver/directory"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
)

// newUserBody is the body of POST /users. A member that is null counts as absent.
type newUserBody struct {
	Email        string   `json:"email"`
	Username     string   `json:"username"`
	Name         string   `json:"name"`
	Organization string   `json:"organization"`
	Groups       []string `json:"groups"`
	Password     *string  `json:"password"`
}

// changeBody is the body of PATCH /users/{user}: what is absent or null stays.
type changeBody struct {
	Email    *string   `json:"email"`
	Username *string   `json:"username"`
	Name     *string   `json:"name"`
	Groups   *[]string `json:"groups"`
	Password *string   `json:"password"`
	Disabled *bool     `json:"disabled"`
}

func parseNewUser(text []byte) (directory.NewUser, error) {
	var b newUserBody
	if err := parseUsersBody(text, &b, "email, username, name, organization, groups and password"); err != nil {
		return directory.NewUser{}, err
	}
	switch {
	case b.Email == "":
		return directory.NewUser{}, requestError("email is required")
	case b.Password == nil:
		return directory.NewUser{}, requestError("password is required")
	}
	return directory.NewUser{
		Email: b.Email, Username: b.Username, Name: b.Name, Organization: b.Organization, Groups: b.Groups, Password: logs.Secret(*b.Password),
	}, nil
}

func parseChange(text []byte) (directory.Change, error) {
	var b changeBody
	if err := parseUsersBody(text, &b, "email, username, name, groups, password and disabled"); err != nil {
		return directory.Change{}, err
	}
	if b == (changeBody{}) {
		return directory.Change{}, requestError("there is nothing to change: give one of email, username, name, groups, password and disabled")
	}
	return directory.Change{
		Email: b.Email, Username: b.Username, Name: b.Name, Groups: b.Groups, Password: (*logs.Secret)(b.Password), Disabled: b.Disabled,
	}, nil
}

// parseUsersBody reads one JSON object strictly. An error repeats names, never values: a password may be one.
func parseUsersBody(text []byte, into any, members string) error {
	err := json.Unmarshal(text, into, json.RejectUnknownMembers(true))
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &semantic) && errors.Is(err, json.ErrUnknownName):
		return requestError("unknown member " + cut(semantic.JSONPointer.LastToken()) + ": use " + members)
	case errors.As(err, &semantic) && semantic.JSONPointer != "":
		name := semantic.JSONPointer
		for parent := name.Parent(); parent != ""; parent = name.Parent() {
			name = parent
		}
		return requestError(cut(name.LastToken()) + " has another type than it must have: groups is a list of strings, disabled true or false, all others are strings")
	case err != nil:
		return requestError("the body must be one JSON object of " + members + ", no member twice")
	}
	return nil
}
