// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"fmt"
	"strings"
)

// passwords makes a Password provider for enablePasswordDB, with the users of staticPasswords whose hashes are costly enough.
func (o *dexImport) passwords(taken names) {
	on := o.s.Bool("enablePasswordDB", false)
	one := o.s.Get("staticPasswords")
	if one != nil && one.Value.Kind != List {
		o.s.Mistake("staticPasswords", "want a list")
		return
	}
	var users []directoryUser
	weak, absent := 0, 0
	if one != nil {
		users, weak, absent = o.users(one.Value.Items)
	}
	if !on && one == nil {
		return
	}
	name := taken.take(o.in.Named("staff"))
	object, err := passwordObject(name, "staticPasswords", users, &o.result)
	if err != nil {
		o.s.Mistake("staticPasswords", "its users cannot be written")
		return
	}
	tell := func(key, format string, args ...any) {
		object.Notes = append(object.Notes, o.s.Note(key, format, args...))
	}
	if !on {
		object.Spec = append(Fields{object.Spec[0], {Name: "enabled", Value: false, From: "enablePasswordDB"}}, object.Spec[1:]...)
	} else {
		tell("enablePasswordDB", "users that were made through Dex's gRPC API are in its storage, and do not move: gatehouse users add")
	}
	if len(users) > 0 {
		tell("staticPasswords", "users carried over with their hashes: %d. sub in tokens is another than Dex's, which came from userID: it is made of the issuer, the provider and the address", len(users))
	}
	if weak > 0 {
		tell("staticPasswords", "users not carried over: %d. Their hash is no bcrypt of at least cost 8: they get a new password (gatehouse hash-password)", weak)
	}
	if absent > 0 {
		tell("staticPasswords", "users not carried over: %d. hashFromEnv or a $VARIABLE has their hash: put them into the Secret", absent)
	}
	o.result.Objects = append(o.result.Objects, *object)
}

// users are those with a hash that the server verifies, and how many have another, or one that is not in the file.
func (o *dexImport) users(items []Value) (users []directoryUser, weak, absent int) {
	seen := map[string]bool{}
	for i, item := range items {
		s := o.s.ChildAt(fmt.Sprintf("staticPasswords[%d]", i), item)
		hash := strings.TrimSpace(s.Secret("hash"))
		email := s.Text("email")
		u := directoryUser{email: email, username: s.Text("preferredUsername"), name: s.Text("name"), hash: hash, groups: list(s, "groups")}
		if username := s.Text("username"); u.username == "" {
			u.username = username
		}
		s.Text("userID")
		tellEach(s, s.Tell, [][2]string{{"emailVerified", "not carried over: addresses of a Secret's users are yours to know"}})
		fromEnv := s.Text("hashFromEnv")
		switch {
		case email == "":
			s.mistakes = append(s.mistakes, Mistake{File: o.in.File, Line: item.Line, Text: "email is missing or empty in staticPasswords"})
		case seen[strings.ToLower(email)]:
			s.Mistake("email", "it is there twice in staticPasswords")
		case hash == "" && fromEnv != "" || variableOf(hash) != "":
			absent++
		case usable(hash) != nil:
			weak++
		default:
			users = append(users, u)
		}
		seen[strings.ToLower(email)] = true
	}
	return users, weak, absent
}
