// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"errors"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// ReadTOML reads a TOML document as a mapping, in the file's order. The settings of a table are one member, with the table's name. Dates are texts. Mistakes hold nothing of the file.
func ReadTOML(in Input) (Value, error) {
	var checked map[string]any // also finds names that are there twice
	if err := toml.Unmarshal(in.Data, &checked); err != nil {
		m := Mistake{File: in.File, Text: "it is not valid TOML, or a name is there twice"}
		var at *toml.DecodeError
		if errors.As(err, &at) {
			m.Line, _ = at.Position()
		}
		return Value{}, Mistakes{m}
	}
	p := &tomlParser{root: Value{Kind: Mapping, Line: 1}}
	p.parser.Reset(in.Data)
	for p.parser.NextExpression() {
		if err := p.expression(p.parser.Expression()); err != nil {
			return Value{}, Mistakes{{File: in.File, Line: p.line, Text: err.Error()}}
		}
	}
	if p.parser.Error() != nil {
		return Value{}, Mistakes{{File: in.File, Text: "it is not valid TOML"}}
	}
	return p.root, nil
}

// tomlParser gathers expressions. The parser gives lines, which the decoder does not.
type tomlParser struct {
	parser unstable.Parser
	root   Value
	table  string // its name; empty at the top
	line   int
}

func (p *tomlParser) expression(n *unstable.Node) error {
	name, line := p.key(n)
	p.line = line
	switch n.Kind {
	case unstable.Table, unstable.ArrayTable:
		p.table = name
		p.root.member(name, line, Value{Kind: Mapping, Line: line})
	case unstable.KeyValue:
		v, err := p.value(n.Value(), 0)
		if err != nil {
			return err
		}
		into := &p.root
		if p.table != "" {
			into = p.root.member(p.table, line, Value{Kind: Mapping, Line: line})
		}
		into.Members = append(into.Members, Member{Name: name, Line: line, Value: v})
	}
	return nil
}

// member is the value of a name, which is made if it is not there.
func (v *Value) member(name string, line int, otherwise Value) *Value {
	for i := range v.Members {
		if v.Members[i].Name == name {
			return &v.Members[i].Value
		}
	}
	v.Members = append(v.Members, Member{Name: name, Line: line, Value: otherwise})
	return &v.Members[len(v.Members)-1].Value
}

// key is the name of a setting or table, with dots between its parts, and its line.
func (p *tomlParser) key(n *unstable.Node) (string, int) {
	var parts []string
	line := 0
	for it := n.Key(); it.Next(); {
		part := it.Node()
		if line == 0 {
			line = p.parser.Shape(part.Raw).Start.Line
		}
		parts = append(parts, string(part.Data))
	}
	return strings.Join(parts, "."), line
}

func (p *tomlParser) value(n *unstable.Node, depth int) (Value, error) {
	if depth > maxDepth {
		return Value{}, errDepth
	}
	v := Value{Line: p.line, Text: string(n.Data)}
	switch n.Kind {
	case unstable.Bool:
		v.Kind = Boolean
	case unstable.Integer, unstable.Float:
		v.Kind = Number
	case unstable.Array:
		v.Kind, v.Text = List, ""
		for it := n.Children(); it.Next(); {
			item, err := p.value(it.Node(), depth+1)
			if err != nil {
				return Value{}, err
			}
			v.Items = append(v.Items, item)
		}
	case unstable.InlineTable:
		v.Kind, v.Text = Mapping, ""
		for it := n.Children(); it.Next(); {
			member := it.Node()
			name, _ := p.key(member)
			value, err := p.value(member.Value(), depth+1)
			if err != nil {
				return Value{}, err
			}
			v.Members = append(v.Members, Member{Name: name, Line: p.line, Value: value})
		}
	default:
		v.Kind = Text
	}
	return v, nil
}
