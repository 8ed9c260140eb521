// SPDX-License-Identifier: Apache-2.0

package extauthz

import "strings"

// fixed are the identity headers that every server has, in the order of Names.allow.
var fixed = [...]string{"x-auth-request-user", "x-auth-request-email", "x-auth-request-groups", "x-auth-request-preferred-username", "x-auth-tenant"}

// Names are all header names with which one server answers. They are immutable.
type Names struct {
	names []name // the fixed ones first
	at    map[string]int
	// always removes, in every answer, the spelling of each name with _ for -.
	always []byte
}

// name is one name, with the parts of an answer that repeat it.
type name struct {
	lower, underscored string
	key                []byte // the field key of a HeaderValue
	remove             []byte // the field headers_to_remove
}

// NewNames prepares the five fixed names and those that the server's policies map.
func NewNames(mapped []string) *Names {
	n := &Names{at: make(map[string]int)}
	for _, s := range fixed {
		n.add(s)
	}
	for _, s := range mapped {
		n.add(strings.ToLower(s))
	}
	return n
}

func (n *Names) add(lower string) {
	if _, ok := n.at[lower]; ok {
		return
	}
	n.at[lower] = len(n.names)
	one := newName(lower)
	n.names = append(n.names, one)
	n.always = appendString(n.always, okHeadersToRemove, one.underscored)
}

func newName(lower string) name {
	return name{lower, strings.ReplaceAll(lower, "-", "_"), appendString(nil, headerValueKey, lower), appendString(nil, okHeadersToRemove, lower)}
}

// imitated tells whether an application could take a header of the request, whose name is odd, for one of the server's:
// those that get their headers as CGI variables (RFC 3875 §4.1.18), or as their language's idea of them, see one name for
// all that differ only in what stands between letters and digits. The spelling with _ throughout is not meant: every
// answer takes care of it.
func (n *Names) imitated(odd string) bool {
	folded := []byte(strings.ToLower(odd))
	for i, c := range folded {
		if !isAlphanumeric(c) {
			folded[i] = '-'
		}
	}
	i, ok := n.at[string(folded)]
	return ok && odd != n.names[i].underscored
}

// isOdd tells whether a name holds more than letters, digits and hyphens.
func isOdd(name []byte) bool {
	for _, c := range name {
		if c != '-' && !isAlphanumeric(c) {
			return true
		}
	}
	return false
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
