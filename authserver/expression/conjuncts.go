// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// A Conjunct is one of the parts of an expression between which && stands: the whole does not hold unless each does.
type Conjunct struct {
	// Text is an expression of its own.
	Text string
	// Claims are the names of the claims that it reads, or asks for, each once and sorted. They are all that its value depends on, unless Whole.
	Claims []string
	// Whole says that it reads claims in another way too, so that its value may depend on any of them.
	Whole bool
}

// traced is the environment of [OfToken] that keeps the macros of a text, so that parts of it can be written again.
var traced = sync.OnceValues(func() (*cel.Env, error) {
	env, err := environments[OfToken]()
	if err != nil {
		return nil, err
	}
	kept, err := env.Extend(cel.EnableMacroCallTracking())
	if err != nil {
		return nil, fmt.Errorf("building the environment of parts of expressions: %w", err)
	}
	return kept, nil
})

// Conjuncts takes an expression over [OfToken] apart, which [Compile] accepts. It is for those who tell its author what becomes of it.
func Conjuncts(text string) ([]Conjunct, error) {
	env, err := traced()
	if err != nil {
		return nil, err
	}
	tree, issues := env.Parse(text)
	if issues.Err() != nil {
		return nil, errors.New("taking an expression apart: it cannot be parsed")
	}
	parts := conjunctsOf(nil, tree.NativeRep().Expr())
	list := make([]Conjunct, len(parts))
	for i, part := range parts {
		if list[i].Text, err = cel.ExprToString(part, tree.NativeRep().SourceInfo()); err != nil {
			return nil, fmt.Errorf("taking an expression apart: %w", err)
		}
		list[i].read(part)
	}
	return list, nil
}

func conjunctsOf(parts []ast.Expr, e ast.Expr) []ast.Expr {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.LogicalAnd {
		return append(parts, e)
	}
	for _, argument := range e.AsCall().Args() {
		parts = conjunctsOf(parts, argument)
	}
	return parts
}

// read notes what of the claims the part reads: each place that names them either reads one by a name that stands there, or counts for all of them.
func (c *Conjunct) read(part ast.Expr) {
	places, named := 0, 0
	ast.PreOrderVisit(part, ast.NewExprVisitor(func(e ast.Expr) {
		if isClaims(e) {
			places++
		}
		if name, ok := claimNamed(e); ok {
			named++
			c.Claims = append(c.Claims, name)
		}
	}))
	slices.Sort(c.Claims)
	c.Claims, c.Whole = slices.Compact(c.Claims), places != named
}

// claimNamed is the name in claims.name, has(claims.name), claims['name'], claims.?name, claims[?'name'] and 'name' in claims.
func claimNamed(e ast.Expr) (string, bool) {
	if e.Kind() == ast.SelectKind {
		s := e.AsSelect()
		return s.FieldName(), isClaims(s.Operand())
	}
	if e.Kind() != ast.CallKind || len(e.AsCall().Args()) != 2 {
		return "", false
	}
	of, name := e.AsCall().Args()[0], e.AsCall().Args()[1]
	switch e.AsCall().FunctionName() {
	case operators.Index, operators.OptIndex, operators.OptSelect:
	case operators.In:
		of, name = name, of
	default:
		return "", false
	}
	if !isClaims(of) || name.Kind() != ast.LiteralKind {
		return "", false
	}
	text, ok := name.AsLiteral().(types.String)
	return string(text), ok
}

func isClaims(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == "claims" }
