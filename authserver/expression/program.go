// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"errors"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Kind is what an expression is for, which decides the types that its result may have.
type Kind int

// Kinds of expressions.
const (
	// Rule: a bool.
	Rule Kind = iota
	// Text: a string.
	Text
	// Texts: a string or a list of strings.
	Texts
	// Scalars: a string, number or bool, or a list of those.
	Scalars
)

// Program is a compiled expression, safe for concurrent use.
type Program struct {
	kind    Kind
	program cel.Program
}

var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(cel.Variable("claims", cel.MapType(cel.StringType, cel.DynType)), cel.OptionalTypes())
})

// Compile compiles text.
func Compile(text string, kind Kind) (*Program, error) {
	env, err := environment()
	if err != nil {
		return nil, err
	}
	tree, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, err
	}
	program, err := env.Program(tree)
	if err != nil {
		return nil, err
	}
	return &Program{kind: kind, program: program}, nil
}

// Bool evaluates an expression of kind Rule.
func (p *Program) Bool(c *token.Claims) (bool, error) {
	value, err := p.eval(c)
	if err != nil {
		return false, err
	}
	holds, ok := value.(types.Bool)
	if !ok {
		return false, errors.New("the result is not a bool")
	}
	return bool(holds), nil
}

// Strings evaluates an expression of another kind.
func (p *Program) Strings(c *token.Claims) (values []string, list bool, err error) {
	value, err := p.eval(c)
	if err != nil {
		return nil, false, err
	}
	text, ok := value.(types.String)
	if !ok {
		return nil, false, errors.New("the result has another type")
	}
	return []string{string(text)}, false, nil
}

func (p *Program) eval(*token.Claims) (ref.Val, error) {
	value, _, err := p.program.Eval(cel.NoVars())
	return value, err
}
