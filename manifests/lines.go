// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// step is one part of a field path: .name, [3] or [key].
var step = regexp.MustCompile(`\.?([^.\[\]]+)|\[([^\]]*)\]`)

// lineOf is the line of a field path such as spec.issuers[0].keys[1], or of the nearest parent that is there.
func (d *document) lineOf(path string) int {
	node, line := d.node, d.line
	for _, m := range step.FindAllStringSubmatch(path, -1) {
		name := m[1]
		if name == "" {
			name = m[2]
		}
		next, at := enter(node, name)
		if next == nil {
			return line
		}
		node, line = next, at
	}
	return line
}

// enter returns a member or element and the line where it begins; for a member that is the line of its name.
func enter(n *yaml.Node, name string) (*yaml.Node, int) {
	n = follow(n)
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				return n.Content[i+1], n.Content[i].Line
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i], n.Content[i].Line
		}
	}
	return nil, 0
}

// child is a mapping's member, nil if it has none of that name.
func child(n *yaml.Node, name string) *yaml.Node {
	c, _ := enter(n, name)
	if c == nil {
		return nil
	}
	return follow(c)
}

func follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// shift moves a tree's lines from those of its document to those of its file.
func shift(n *yaml.Node, by int, seen map[*yaml.Node]bool) {
	if seen[n] {
		return
	}
	seen[n] = true
	n.Line += by
	for _, c := range n.Content {
		shift(c, by, seen)
	}
}
