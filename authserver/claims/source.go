// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"errors"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/expression"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Subject is the claims of one token under judgement, and what evaluating expressions over them may still cost. Rules and
// mappings that take the same one share [expression.MaxTotal]. It is not safe for concurrent use.
type Subject struct {
	*token.Claims
	evaluation *expression.Subject // once there is an expression
}

// Of starts a judgement.
func Of(c *token.Claims) *Subject { return &Subject{Claims: c} }

// expressions returns what all expressions share.
func (c *Subject) expressions() *expression.Subject {
	if c.evaluation == nil {
		c.evaluation = expression.Of(c.Claims)
	}
	return c.evaluation
}

// source is where a value comes from; the zero value gives none. At most one of its fields is set.
type source struct {
	claims  []string
	joined  []string
	program *expression.Program
}

// compileSource returns an error that continues the name of the source's field.
func compileSource(c *config.Source, kind expression.Kind) (source, error) {
	s := source{claims: c.Claims, joined: c.Joined}
	if c.Expression == "" {
		return s, nil
	}
	var err error
	s.program, err = compileExpression(c.Expression, kind)
	return s, err
}

func compileExpression(text string, kind expression.Kind) (*expression.Program, error) {
	program, err := expression.Compile(text, kind)
	if err != nil {
		return nil, errors.New(".expression: this server cannot compile it")
	}
	return program, nil
}

// lookup returns the first of the claims that is present. One that is present decides, whatever its value.
func (s *source) lookup(c *Subject) token.Value {
	for _, name := range s.claims {
		if value, ok := c.Lookup(name); ok {
			return value
		}
	}
	return token.Value{}
}

// join encodes each of the joined claims, its slashes included, and puts bare slashes between them. All must be
// non-empty strings.
func (s *source) join(c *Subject, also string) (string, bool) {
	var b strings.Builder
	for i, name := range s.joined {
		value, _ := c.Lookup(name)
		text, ok := value.Text()
		if !ok || text == "" {
			return "", false
		}
		if i > 0 {
			b.WriteByte('/')
		}
		appendEncoded(&b, text, "/"+also)
	}
	return b.String(), true
}

// text returns the string that a source other than a joined one gives, "" if it gives none.
func (s *source) text(c *Subject) string {
	if s.program != nil {
		values, _, err := s.program.Strings(c.expressions())
		if err != nil || len(values) != 1 {
			return ""
		}
		return values[0]
	}
	value := s.lookup(c)
	text, _ := value.Text()
	return text
}

// encodedText returns the string that the source gives, encoded, "" if it gives none.
func (s *source) encodedText(c *Subject) string {
	if s.joined != nil {
		text, _ := s.join(c, "")
		return text
	}
	return encode(s.text(c), "")
}

// encodedTexts returns the string or the list of strings that the source gives, encoded and joined with commas.
func (s *source) encodedTexts(c *Subject) string {
	switch {
	case s.joined != nil:
		text, _ := s.join(c, ",")
		return text
	case s.program != nil:
		values, _, err := s.program.Strings(c.expressions())
		if err != nil {
			return ""
		}
		return encodeList(values)
	}
	value := s.lookup(c)
	if text, ok := value.Text(); ok {
		return encode(text, ",")
	}
	list, _ := value.Strings()
	return encodeList(list)
}

// encodedScalars returns the string, number or bool, or the list of those, that the source gives, encoded; a list is
// joined with commas, and a comma is encoded outside of lists too: no string can pass for a list. Numbers keep every
// digit. Objects, null and lists with another element give nothing.
func (s *source) encodedScalars(c *Subject) string {
	switch {
	case s.joined != nil:
		text, _ := s.join(c, ",")
		return text
	case s.program != nil:
		values, list, err := s.program.Strings(c.expressions())
		switch {
		case err != nil:
			return ""
		case list:
			return encodeList(values)
		case len(values) == 1:
			return encode(values[0], ",")
		}
		return ""
	}
	value := s.lookup(c)
	if text, ok := scalar(value); ok {
		return encode(text, ",")
	}
	return encodeList(scalars(value))
}
