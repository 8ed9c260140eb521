// SPDX-License-Identifier: Apache-2.0

package extauthz

import "strings"

// fixed are the identity headers that every server has, in the order of fixedValues.
var fixed = [...]string{"x-auth-request-user", "x-auth-request-email", "x-auth-request-groups", "x-auth-request-preferred-username", "x-auth-tenant"}

// Names are all header names with which one server answers. They are immutable.
type Names struct {
	names       []string // in lower case; the fixed ones first
	underscored []string // the same with _ for -
	at          map[string]int
}

// NewNames prepares the five fixed names and those that the server's policies map.
func NewNames(mapped []string) *Names {
	n := &Names{at: make(map[string]int)}
	for _, name := range fixed {
		n.add(name)
	}
	for _, name := range mapped {
		n.add(strings.ToLower(name))
	}
	return n
}

func (n *Names) add(name string) {
	if _, ok := n.at[name]; ok {
		return
	}
	n.at[name] = len(n.names)
	n.names = append(n.names, name)
	n.underscored = append(n.underscored, strings.ReplaceAll(name, "-", "_"))
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
	return ok && odd != n.underscored[i]
}

// isOdd tells whether a name holds more than letters, digits and hyphens.
func isOdd(name string) bool {
	for i := 0; i < len(name); i++ {
		if c := name[i]; c != '-' && !isAlphanumeric(c) {
			return true
		}
	}
	return false
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
