// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Fields are the members of a mapping, in the order in which they are written.
type Fields []Field

// Field is one member. Value is a string, bool, int, []string, Fields, Inline or []Fields; anything else that encoding/json would take is
// written as YAML does, with its members sorted.
type Field struct {
	Name  string
	Value any
	// From says which setting this was, in a comment behind it; empty: none.
	From string
}

// Inline are fields on one line: {name: sso, key: clientSecret}.
type Inline Fields

// Set adds a member.
func (f *Fields) Set(name string, value any) { *f = append(*f, Field{Name: name, Value: value}) }

// SetFrom adds a member with the name of its setting.
func (f *Fields) SetFrom(name string, value any, from string) {
	*f = append(*f, Field{Name: name, Value: value, From: from})
}

// SecretRef is a reference to a key of a Secret.
func SecretRef(name, key string) Inline {
	return Inline{{Name: "name", Value: name}, {Name: "key", Value: key}}
}

// node is the mapping as YAML. Comments stand behind a value on its line, else behind its name.
func (f Fields) node() (*yaml.Node, error) {
	out := &yaml.Node{Kind: yaml.MappingNode}
	for _, field := range f {
		name, err := scalar(field.Name)
		if err != nil {
			return nil, err
		}
		value, err := valueNode(field.Value)
		if err != nil {
			return nil, fmt.Errorf("writing %s: %w", field.Name, err)
		}
		if value.Kind == yaml.ScalarNode && value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 || value.Style&yaml.FlowStyle != 0 {
			value.LineComment = comment(field.From)
		} else {
			name.LineComment = comment(field.From)
		}
		out.Content = append(out.Content, name, value)
	}
	return out, nil
}

func comment(text string) string {
	if text == "" {
		return ""
	}
	return "# " + oneLine(text)
}

func valueNode(v any) (*yaml.Node, error) {
	switch v := v.(type) {
	case Fields:
		return v.node()
	case Inline:
		n, err := Fields(v).node()
		if err == nil {
			n.Style = yaml.FlowStyle
		}
		return n, err
	case []Fields:
		return sequence(v, 0)
	case []Inline:
		return sequence(v, 0)
	case []string:
		return sequence(v, yaml.FlowStyle)
	case []any:
		return sequence(v, 0)
	case map[string]any:
		return mapNode(v)
	case json.Number: // keeps every digit
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: numberTag(v), Value: v.String()}, nil
	default:
		return scalar(v)
	}
}

func sequence[T any](items []T, style yaml.Style) (*yaml.Node, error) {
	out := &yaml.Node{Kind: yaml.SequenceNode, Style: style}
	for _, one := range items {
		n, err := valueNode(one)
		if err != nil {
			return nil, err
		}
		out.Content = append(out.Content, n)
	}
	return out, nil
}

// scalar is written so that readers of YAML 1.1 and 1.2 agree: `no` is in quotes.
func scalar(v any) (*yaml.Node, error) {
	n := &yaml.Node{}
	if err := n.Encode(v); err != nil {
		return nil, err
	}
	if n.Tag == "!!str" && n.Style&^yaml.SingleQuotedStyle == 0 && strings.Contains(n.Value, "'") && !strings.ContainsAny(n.Value, `"\`) { // as people write CEL
		n.Style = yaml.DoubleQuotedStyle
	}
	return n, nil
}
