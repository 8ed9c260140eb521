// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"slices"
	"strings"
	"unicode"
)

// htpasswd makes a Password provider for htpasswd_file. Its users move if the file lies beside the settings, for hashes that are as costly as they have to be.
func (o *proxyImport) htpasswd(taken names) {
	file := o.s.Text("htpasswd_file")
	groups := list(o.s, "htpasswd_user_groups")
	if file == "" {
		return
	}
	text := besideOf(o.in, file)
	users, weak, odd := htpasswdUsers(text, groups)
	for _, u := range users {
		o.s.secrets["htpasswd_file: "+u.hash] = u.hash
	}
	name := taken.take(o.in.Named("staff"))
	object, err := passwordObject(name, o.s.Name("htpasswd_file"), users, &o.result)
	if err != nil {
		o.s.Mistake("htpasswd_file", "its users cannot be written")
		return
	}
	tell := func(format string, args ...any) {
		object.Notes = append(object.Notes, o.s.Note("htpasswd_file", format, args...))
	}
	if text == "" {
		tell("it is not beside the settings: put it there and import again, or write its users with their addresses")
	}
	if len(users) > 0 {
		tell("users carried over: %d. They log in with the name that stands there in the place of an e-mail address: write their addresses into the Secret", len(users))
	}
	if weak > 0 {
		tell("users not carried over: %d. SHA-1, and bcrypt below cost 8, which is what htpasswd writes unless told otherwise (-C 10), are guessed too fast. They get a new password: gatehouse hash-password", weak)
	}
	if odd > 0 {
		tell("lines not carried over: %d. They are no name:hash", odd)
	}
	o.result.Objects = append(o.result.Objects, *object)
}

// htpasswdUsers are those with a hash that the server verifies, and how many have another, or are none.
func htpasswdUsers(text string, groups []string) (users []directoryUser, weak, odd int) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, hash, ok := strings.Cut(line, ":")
		switch {
		case !ok || name == "" || len(name) > 254 || strings.ContainsFunc(name, unicode.IsControl) ||
			slices.ContainsFunc(users, func(u directoryUser) bool { return strings.EqualFold(u.email, name) }):
			odd++
		case usable(hash) != nil:
			weak++
		default:
			users = append(users, directoryUser{email: name, hash: hash, groups: groups})
		}
	}
	return users, weak, odd
}
