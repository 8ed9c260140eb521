// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

var yamlLine = regexp.MustCompile(`line (\d+)`)

// yamlMistake keeps the line of a parser's error, and not its text, which may quote the input.
func yamlMistake(in Input, err error) error {
	m := Mistake{File: in.File, Text: "it is not valid YAML"}
	if found := yamlLine.FindStringSubmatch(err.Error()); found != nil {
		m.Line, _ = strconv.Atoi(found[1]) // digits
	}
	return Mistakes{m}
}

func yamlValue(n *yaml.Node, depth int) (Value, *Mistake) {
	wrong := func(text string) (Value, *Mistake) { return Value{}, &Mistake{Line: n.Line, Text: text} }
	switch {
	case depth > maxDepth:
		return wrong(errDepth.Error())
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return wrong("anchors and aliases are not read: write the value where it belongs")
	}
	v := Value{Line: n.Line}
	switch n.Kind {
	case yaml.SequenceNode:
		v.Kind = List
		for _, one := range n.Content {
			item, m := yamlValue(one, depth+1)
			if m != nil {
				return Value{}, m
			}
			v.Items = append(v.Items, item)
		}
		return v, nil
	case yaml.MappingNode:
		v.Kind = Mapping
		return yamlMembers(n, v, depth)
	default:
		return yamlScalar(n, v)
	}
}

func yamlMembers(n *yaml.Node, v Value, depth int) (Value, *Mistake) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i]
		switch {
		case name.Kind != yaml.ScalarNode || name.ShortTag() == "!!merge":
			return Value{}, &Mistake{Line: name.Line, Text: "a name that is no plain text"}
		case seen[name.Value]:
			return Value{}, &Mistake{Line: name.Line, Text: "a name is there twice in one mapping"}
		}
		seen[name.Value] = true
		member, m := yamlValue(n.Content[i+1], depth+1)
		if m != nil {
			return Value{}, m
		}
		v.Members = append(v.Members, Member{Name: name.Value, Line: name.Line, Value: member})
	}
	return v, nil
}

func yamlScalar(n *yaml.Node, v Value) (Value, *Mistake) {
	v.Text = n.Value
	switch n.ShortTag() {
	case "!!str", "!!timestamp":
		v.Kind = Text
	case "!!int", "!!float":
		v.Kind = Number
	case "!!bool":
		var b bool
		if err := n.Decode(&b); err != nil {
			return Value{}, &Mistake{Line: n.Line, Text: "a boolean that is neither true nor false"}
		}
		v.Kind, v.Text = Boolean, strconv.FormatBool(b)
	case "!!null":
		v.Kind, v.Text = Null, ""
	default:
		return Value{}, &Mistake{Line: n.Line, Text: "tags are not read: write the value as text"}
	}
	return v, nil
}
