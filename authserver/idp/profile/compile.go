// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"errors"
	"fmt"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/expression"
)

// use is what an expression of a provider is for: its variables and the type of its result.
type use struct {
	variables expression.Variables
	kind      expression.Kind
}

var uses = map[string]use{
	"mapping":         {expression.OfLogin, expression.Attribute},
	"groups-mapping":  {expression.OfLogin, expression.Texts},
	"rule":            {expression.OfMember, expression.Rule},
	"groups-endpoint": {expression.OfGroups, expression.Texts},
}

// CheckExpression compiles an expression for its author. kind is mapping (of one attribute: a string or an integer), groups-mapping, rule, or groups-endpoint
// (over the answer of the groups endpoint). The error says what is wrong and where, at most 512 bytes, and repeats parts of the text: it is for the author's own object only.
func CheckExpression(kind, text string) error {
	u, ok := uses[kind]
	if !ok {
		return fmt.Errorf("checking an expression: there is no kind %q", kind)
	}
	_, err := expression.CompileOver(u.variables, text, u.kind)
	return err
}

// compileUse compiles an expression that render has shown to its author: the error names no part of it.
func compileUse(kind, text string) (*expression.Program, error) {
	u := uses[kind]
	program, err := expression.CompileOver(u.variables, text, u.kind)
	if err != nil {
		return nil, errors.New("expression: this server cannot compile it")
	}
	return program, nil
}

// Mapper reads the users of one provider. It is immutable and safe for concurrent use.
type Mapper struct {
	username, email, name, phone, comment, groups source
	rules                                         []rule
}

type rule struct {
	program *expression.Program
	message string
}

// Compile compiles the mappings and rules of a provider. An error names the field, such as "rules[1].expression", and holds nothing of its text.
func Compile(c *config.ProviderMappings, rules []config.ClaimRule) (*Mapper, error) {
	if c == nil || c.Username.Zero() {
		return nil, errors.New("mappings.username is required")
	}
	m := &Mapper{}
	for _, field := range []struct {
		name string
		kind string
		from *config.Source
		to   *source
	}{
		{"username", "mapping", &c.Username, &m.username},
		{"email", "mapping", &c.Email, &m.email},
		{"name", "mapping", &c.Name, &m.name},
		{"phone", "mapping", &c.Phone, &m.phone},
		{"comment", "mapping", &c.Comment, &m.comment},
		{"groups", "groups-mapping", &c.Groups, &m.groups},
	} {
		var err error
		if *field.to, err = compileSource(field.from, field.kind); err != nil {
			return nil, fmt.Errorf("mappings.%s.%w", field.name, err)
		}
	}
	for i := range rules {
		program, err := compileUse("rule", rules[i].Expression)
		if err != nil {
			return nil, fmt.Errorf("rules[%d].%w", i, err)
		}
		m.rules = append(m.rules, rule{program, rules[i].Message})
	}
	return m, nil
}

// source is where an attribute comes from; the zero value gives none.
type source struct {
	claims  []string
	program *expression.Program
}

func compileSource(c *config.Source, kind string) (source, error) {
	if len(c.Joined) > 0 {
		return source{}, errors.New("joined: providers do not join claims")
	}
	if c.Expression == "" {
		return source{claims: c.Claims}, nil
	}
	program, err := compileUse(kind, c.Expression)
	return source{program: program}, err
}
