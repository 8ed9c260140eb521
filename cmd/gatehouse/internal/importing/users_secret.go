// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/password"
)

// directoryUser is a user of a Password provider's Secret.
type directoryUser struct {
	email, username, name, hash string
	groups                      []string
}

// usersYAML is the list that usersSecretRef names.
func usersYAML(users []directoryUser) (string, error) {
	list := make([]Fields, len(users))
	for i, u := range users {
		f := Fields{{Name: "email", Value: u.email}}
		if u.username != "" && u.username != u.email {
			f.Set("username", u.username)
		}
		if u.name != "" {
			f.Set("name", u.name)
		}
		if len(u.groups) > 0 {
			f.Set("groups", u.groups)
		}
		f.Set("hash", u.hash)
		list[i] = f
	}
	var out bytes.Buffer
	if err := writeDocument(&out, Fields{{Name: "users", Value: list}}); err != nil {
		return "", err
	}
	_, text, _ := strings.Cut(out.String(), "users:\n")
	return strings.TrimSuffix(text, "\n"), nil
}

// usable tells whether the server verifies passwords against a hash, and why not.
func usable(hash string) error { return password.Check(hash) }

// passwordObject is a provider whose users are those of a Secret. Without users the Secret is to be made.
func passwordObject(name, from string, users []directoryUser, result *Result) (*Object, error) {
	object := &Object{Kind: "IdentityProvider", Name: name}
	object.Spec.Set("type", "Password")
	object.Spec.Set("password", Fields{{Name: "usersSecretRef", Value: SecretRef(name+"-users", "users.yaml"), From: from}})
	entry := Entry{Key: "users.yaml", File: true, From: from,
		Hint: `the file with a line for each user: - {email: ada@example.com, hash: "$argon2id$…"}, with the hash that gatehouse hash-password prints`}
	if len(users) > 0 {
		text, err := usersYAML(users)
		if err != nil {
			return nil, fmt.Errorf("writing the users: %w", err)
		}
		entry.Value = text
	}
	result.Secrets = append(result.Secrets, Secret{Name: name + "-users", Entries: []Entry{entry}})
	return object, nil
}
