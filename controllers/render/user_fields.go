// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/gatehouse-auth/gatehouse/authserver/password"
)

// text reads a string of 1 to limit bytes without control characters and surrounding space.
func (e *entry) text(name string, n *yaml.Node, limit int) string {
	n = resolve(n)
	switch {
	case n.Kind != yaml.ScalarNode || n.Tag != "!!str":
		e.wrong("%s must be a string%s", name, quoteHint(n))
	case n.Value == "":
		e.wrong("%s is empty", name)
	case len(n.Value) > limit:
		e.wrong("%s has %d bytes, at most %d are allowed", name, len(n.Value), limit)
	case strings.TrimSpace(n.Value) != n.Value || strings.ContainsFunc(n.Value, unicode.IsControl):
		e.wrong("%s has spaces around it, line breaks or control characters", name)
	default:
		return n.Value
	}
	return ""
}

// resolve follows an alias to its anchor.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

func quoteHint(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return ": put it in quotes"
	}
	return ""
}

func (e *entry) groups(n *yaml.Node) {
	n = resolve(n)
	if n.Kind != yaml.SequenceNode {
		e.wrong("groups must be a list of strings")
		return
	}
	if len(n.Content) > maxGroups {
		e.wrong("groups has %d entries, at most %d are allowed", len(n.Content), maxGroups)
		return
	}
	for i, g := range n.Content {
		if group := e.text(fmt.Sprintf("groups[%d]", i), g, maxName); group != "" {
			e.user.Groups = append(e.user.Groups, group)
		}
	}
}

func (e *entry) hash(n *yaml.Node) {
	n = resolve(n)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		e.wrong("hash must be a string: make one with `gatehouse hash-password`")
		return
	}
	if err := password.Check(n.Value); err != nil {
		e.wrong("hash: %v", err)
		return
	}
	e.user.Hash = n.Value
}
