// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// ValueKind is what a value is.
type ValueKind int

// What a value can be.
const (
	Null ValueKind = iota
	Text
	Boolean
	Number
	List
	Mapping
)

// Value is one value of a file, with its line.
type Value struct {
	Kind ValueKind
	// Text of a Text, Boolean or Number, as it is written.
	Text string
	// Items of a List.
	Items []Value
	// Members of a Mapping, in order; no name is there twice.
	Members []Member
	Line    int
}

// Member is one of a Mapping.
type Member struct {
	Name  string
	Line  int
	Value Value
}

// Get is the member of a name; a Null if there is none.
func (v Value) Get(name string) Value {
	for _, m := range v.Members {
		if m.Name == name {
			return m.Value
		}
	}
	return Value{Line: v.Line}
}

// Any is the value as encoding/json has it, with json.Number for numbers.
func (v Value) Any() any {
	switch v.Kind {
	case Text:
		return v.Text
	case Boolean:
		return v.Text == "true"
	case Number:
		return json.Number(v.Text)
	case List:
		out := make([]any, len(v.Items))
		for i, item := range v.Items {
			out[i] = item.Any()
		}
		return out
	case Mapping:
		out := make(map[string]any, len(v.Members))
		for _, m := range v.Members {
			out[m.Name] = m.Value.Any()
		}
		return out
	default:
		return nil
	}
}

// maxDepth bounds how deep values may be nested.
const maxDepth = 32

var (
	errDepth  = errors.New("it is nested too deep")
	errBehind = errors.New("there is something behind the value's end")
)

// ReadJSON reads one JSON value (RFC 8259, RFC 7493: no name twice).
func ReadJSON(in Input) (Value, error) {
	p := &jsonParser{data: in.Data, decoder: jsontext.NewDecoder(bytes.NewReader(in.Data))}
	v, err := p.value(0)
	if err == nil {
		_, end := p.decoder.ReadToken()
		if !errors.Is(end, io.EOF) {
			err = errBehind
		}
	}
	if err != nil {
		return Value{}, Mistakes{{File: in.File, Line: p.line(), Text: jsonText(err)}}
	}
	return v, nil
}

// jsonText says what is wrong without a word of the input, which the library's errors quote.
func jsonText(err error) string {
	switch {
	case errors.Is(err, errDepth) || errors.Is(err, errBehind):
		return err.Error()
	case errors.Is(err, jsontext.ErrDuplicateName):
		return "it is not valid JSON: a name is there twice in one object"
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return "it is not valid JSON: it ends too early"
	}
	return "it is not valid JSON"
}

type jsonParser struct {
	data    []byte
	decoder *jsontext.Decoder
}

// line is that of what was read last.
func (p *jsonParser) line() int {
	return lineAt(p.data, min(int(p.decoder.InputOffset()), len(p.data)))
}

func (p *jsonParser) value(depth int) (Value, error) {
	if depth > maxDepth {
		return Value{}, errDepth
	}
	token, err := p.decoder.ReadToken()
	if err != nil {
		return Value{}, err
	}
	v := Value{Line: p.line()}
	switch token.Kind() {
	case '"':
		v.Kind, v.Text = Text, token.String()
	case '0':
		v.Kind, v.Text = Number, token.String()
	case 't', 'f':
		v.Kind, v.Text = Boolean, strconv.FormatBool(token.Bool())
	case '[':
		v.Kind = List
		return v, p.items(&v, depth)
	case '{':
		v.Kind = Mapping
		return v, p.members(&v, depth)
	}
	return v, nil
}

func (p *jsonParser) items(v *Value, depth int) error {
	for p.decoder.PeekKind() != ']' {
		item, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		v.Items = append(v.Items, item)
	}
	_, err := p.decoder.ReadToken()
	return err
}

func (p *jsonParser) members(v *Value, depth int) error {
	for p.decoder.PeekKind() != '}' {
		name, err := p.decoder.ReadToken()
		if err != nil {
			return err
		}
		m := Member{Name: name.String(), Line: p.line()}
		if m.Value, err = p.value(depth + 1); err != nil {
			return err
		}
		v.Members = append(v.Members, m)
	}
	_, err := p.decoder.ReadToken()
	return err
}

// ReadYAML reads one YAML document. Anchors, aliases, merge keys and tags of its own are refused: what a file says has to be in it where it says it.
func ReadYAML(in Input) (Value, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(in.Data))
	var root, more yaml.Node
	if err := decoder.Decode(&root); err != nil {
		return Value{}, yamlMistake(in, err)
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		if err != nil {
			return Value{}, yamlMistake(in, err)
		}
		return Value{}, Mistakes{{File: in.File, Line: more.Line, Text: "there is a second document: split the file"}}
	}
	if len(root.Content) == 0 {
		return Value{}, Mistakes{{File: in.File, Text: "it is empty"}}
	}
	v, m := yamlValue(root.Content[0], 0)
	if m != nil {
		m.File = in.File
		return Value{}, Mistakes{*m}
	}
	return v, nil
}
