// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"fmt"
	"regexp/syntax"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// allowed are the functions and operators that an expression may call. What cel-go knows beside them is refused: time and
// zones, since a decision must depend on the token alone; messages; and what can work or write more than its arguments'
// size says (format, unwrap).
var allowed = func() map[string]bool {
	names := map[string]bool{}
	for _, name := range []string{
		operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Conditional, operators.NotStrictlyFalse,
		operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals,
		operators.Add, operators.Subtract, operators.Multiply, operators.Divide, operators.Modulo, operators.Negate,
		operators.In, operators.Index, operators.OptIndex, operators.OptSelect,
		"bool", "double", "dyn", "int", "size", "string", "type", "uint",
		"contains", "endsWith", "matches", "startsWith",
		"charAt", "indexOf", "join", "lastIndexOf", "lowerAscii", "replace", "reverse", "split", "substring", "trim", "upperAscii",
		"sets.contains", "sets.equivalent", "sets.intersects",
		"hasValue", "optional.none", "optional.of", "optional.ofNonZeroValue", "or", "orValue", "value",
	} {
		names[name] = true
	}
	return names
}()

// macros are those of CEL that do not copy their arguments. optMap does, so that a chain of them doubles with each link.
var macros = []cel.Macro{cel.HasMacro, cel.AllMacro, cel.ExistsMacro, cel.ExistsOneMacro, cel.MapMacro, cel.MapFilterMacro, cel.FilterMacro}

// checkLoops refuses more loops than types can be checked for in a few milliseconds.
func checkLoops(tree *ast.AST) error {
	loops, deepest := 0, ast.Expr(nil)
	ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.ComprehensionKind {
			loops, deepest = loops+1, e
		}
	}))
	if loops > maxLoops {
		return faultAt(tree.SourceInfo().GetStartLocation(deepest.ID()), fmt.Sprintf("the expression has %d loops (all, exists, filter, map); at most %d", loops, maxLoops))
	}
	return nil
}

// checkCalls refuses what an expression must not use, telling where it stands.
func checkCalls(tree *ast.AST) error {
	var fault error
	at := func(e ast.Expr, format string, args ...any) {
		if fault == nil {
			fault = faultAt(tree.SourceInfo().GetStartLocation(e.ID()), fmt.Sprintf(format, args...))
		}
	}
	entry := func(e ast.Expr, optional bool) {
		if optional {
			at(e, "optional entries are not available here; write the value with .orValue()")
		}
	}
	ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.StructKind:
			at(e, "messages are not available here")
		case ast.LiteralKind:
			if _, ok := e.AsLiteral().(types.Bytes); ok {
				at(e, "bytes are not available here; use a string")
			}
		case ast.ListKind:
			entry(e, len(e.AsList().OptionalIndices()) > 0)
		case ast.MapKind:
			for _, m := range e.AsMap().Entries() {
				entry(e, m.AsMapEntry().IsOptional())
			}
		case ast.CallKind:
			call := e.AsCall()
			if name := call.FunctionName(); !allowed[name] {
				at(e, "the function %s is not available here", name)
			} else if name == "matches" {
				if err := checkPattern(call); err != nil {
					at(e, "%s", err.Error())
				}
			}
		}
	}))
	return fault
}

func checkPattern(call ast.CallExpr) error {
	args := call.Args()
	last := args[len(args)-1]
	if last.Kind() != ast.LiteralKind {
		return fmt.Errorf("the pattern of matches must be a literal string")
	}
	text, ok := last.AsLiteral().(types.String)
	if !ok {
		return fmt.Errorf("the pattern of matches must be a literal string")
	}
	_, err := patternSize(string(text))
	return err
}

// patternSize returns the number of instructions that a pattern compiles to, by which matching costs per byte.
func patternSize(text string) (int, error) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return 0, fmt.Errorf("the pattern of matches is not RE2 syntax: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0, fmt.Errorf("the pattern of matches is not RE2 syntax")
	}
	if n := len(program.Inst); n > maxPattern {
		return 0, fmt.Errorf("the pattern of matches is too large (%d steps, at most %d): repeat less", n, maxPattern)
	}
	return len(program.Inst), nil
}
