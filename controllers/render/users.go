// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// Bounds of one user of a list, in bytes.
const (
	maxEmail  = 320 // RFC 5321: 64 + 1 + 255
	maxName   = 256
	maxGroups = 128
)

// usersWanted shows the shape in messages.
const usersWanted = "want a YAML list such as\n- email: bob@example.com\n  hash: '<from gatehouse hash-password>'"

// parseUsers reads the YAML list of a users Secret. It walks the document itself: a YAML library's errors quote values,
// and hashes are among them. The mistakes name an entry by number, line and e-mail address.
func parseUsers(data []byte) (users []config.User, mistakes []string) {
	root, err := yamlRoot(data)
	if err != nil {
		return nil, []string{err.Error()}
	}
	if root == nil {
		return []config.User{}, nil // an empty list is fine: nobody can log in yet
	}
	if root.Kind != yaml.SequenceNode {
		return nil, []string{"the content is not a list: " + usersWanted}
	}
	u := userList{byEmail: map[string]int{}, byUsername: map[string]int{}}
	users = make([]config.User, 0, len(root.Content))
	for i, node := range root.Content {
		users = append(users, u.read(i, node))
	}
	return users, u.mistakes
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

// yamlRoot returns the one document's content, nil when it is empty.
func yamlRoot(data []byte) (*yaml.Node, error) {
	d := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc, more yaml.Node
	if err := d.Decode(&doc); err != nil {
		if len(strings.TrimSpace(string(data))) == 0 || err.Error() == "EOF" {
			return nil, nil
		}
		if m := yamlLine.FindString(err.Error()); m != "" {
			return nil, fmt.Errorf("the content is not valid YAML near %s: %s", m, usersWanted)
		}
		return nil, fmt.Errorf("the content is not valid YAML: %s", usersWanted)
	}
	if err := d.Decode(&more); err == nil || err.Error() != "EOF" {
		return nil, fmt.Errorf("the content holds more than one YAML document: put all users into one list")
	}
	if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
		return nil, nil
	}
	return doc.Content[0], nil
}

// userList collects users and what is wrong with them.
type userList struct {
	byEmail, byUsername map[string]int // folded, to the entry's index
	mistakes            []string
}

// entry is a user being read.
type entry struct {
	list *userList
	at   string // "entry 3 (line 7)"
	seen map[string]bool
	user config.User
}

func (e *entry) wrong(format string, args ...any) {
	at := e.at
	if e.user.Email != "" {
		at += " " + quoted(e.user.Email)
	}
	e.list.mistakes = append(e.list.mistakes, at+": "+fmt.Sprintf(format, args...))
}

// userFields are the members of an entry and how each is read, in the order of reading: the e-mail address first, as
// messages about the others name it.
var userFields = []struct {
	name string
	read func(*entry, *yaml.Node)
}{
	{"email", func(e *entry, n *yaml.Node) { e.user.Email = e.text("email", n, maxEmail) }},
	{"username", func(e *entry, n *yaml.Node) { e.user.Username = e.text("username", n, maxName) }},
	{"name", func(e *entry, n *yaml.Node) { e.user.Name = e.text("name", n, maxName) }},
	{"groups", (*entry).groups},
	{"hash", (*entry).hash},
}

func (l *userList) read(index int, node *yaml.Node) config.User {
	e := &entry{list: l, at: fmt.Sprintf("entry %d (line %d)", index, node.Line), seen: map[string]bool{}}
	if node.Kind != yaml.MappingNode {
		e.wrong("it is not a mapping: %s", usersWanted)
		return e.user
	}
	for _, field := range userFields {
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value != field.name {
				continue
			}
			if e.seen[field.name] {
				e.wrong("%s is there twice", field.name)
				continue
			}
			e.seen[field.name] = true
			field.read(e, node.Content[i+1])
		}
	}
	e.unknown(node)
	e.finish(index)
	return e.user
}

// unknown refuses other members. Their names are told if they look like names: a list out of shape may hold a hash there.
func (e *entry) unknown(node *yaml.Node) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i].Value
		switch {
		case slices.ContainsFunc(userFields, func(f struct {
			name string
			read func(*entry, *yaml.Node)
		}) bool {
			return f.name == name
		}):
		case name == "password":
			e.wrong("password is not accepted: give hash, from `gatehouse hash-password`")
		case plainName.MatchString(name):
			e.wrong("unknown field %s: the fields are email, username, name, groups and hash", name)
		default:
			e.wrong("unknown field at line %d: the fields are email, username, name, groups and hash", node.Content[i].Line)
		}
	}
}

var plainName = regexp.MustCompile(`^[A-Za-z][A-Za-z_-]{0,31}$`)

// finish checks what must be there and be unique.
func (e *entry) finish(index int) {
	if !e.seen["email"] {
		e.wrong("email is missing")
	}
	if !e.seen["hash"] {
		e.wrong("hash is missing: make one with `gatehouse hash-password`")
	}
	if e.user.Username == "" {
		e.user.Username = e.user.Email
	}
	if e.user.Email == "" {
		return
	}
	if len(fold(e.user.Email)) > maxEmail {
		e.wrong("email has more than %d bytes when case-folded", maxEmail)
		return
	}
	if other, taken := e.list.byEmail[fold(e.user.Email)]; taken {
		e.wrong("entry %d has the same email (upper and lower case count as one)", other)
		return
	}
	e.list.byEmail[fold(e.user.Email)] = index
	if other, taken := e.list.byUsername[fold(e.user.Username)]; taken {
		e.wrong("entry %d has the same username (upper and lower case count as one): applications could not tell them apart", other)
		return
	}
	e.list.byUsername[fold(e.user.Username)] = index
}

// fold maps strings that differ only in case or compatibility forms to one. What the server's login holds for equal
// (login.Fold: NFKC of lower case) is equal here too, so no two entries meet there; each rune's simple folding makes a few
// more equal, such as σ and ς.
func fold(s string) string {
	s = norm.NFKC.String(strings.ToLower(norm.NFKC.String(strings.TrimSpace(s))))
	return strings.Map(func(r rune) rune {
		least := r
		for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
			least = min(least, o)
		}
		return least
	}, s)
}

// quoted quotes a value for a message and bounds it.
func quoted(s string) string {
	const most = 64
	if len(s) > most {
		return fmt.Sprintf("%q…", s[:most])
	}
	return fmt.Sprintf("%q", s)
}
