// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/types"
)

const (
	// MaxLength bounds an expression's text, in characters, as the API does.
	MaxLength = 1024
	// maxLoops bounds the loops of an expression: checking the types of a chain of them takes time by the cube of its length.
	maxLoops = 12
	// maxMessage bounds what an author is told, in bytes.
	maxMessage = 400
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
	// Attribute: a string or an integer, written with all its digits.
	Attribute
)

// Variables are what an expression may read.
type Variables int

// Variables of expressions.
const (
	// OfToken: claims, those of a token under a policy.
	OfToken Variables = iota
	// OfLogin: claims and userinfo, what a provider says of somebody who logs in.
	OfLogin
	// OfMember: those of OfLogin and groups, a list of strings: the groups that were made of them, or of a groups endpoint's answer.
	OfMember
	// OfGroups: groups, the answer of a provider's groups endpoint: a list, or whatever else it sent.
	OfGroups
	// OfCaller: claims, those of a token that a policy has accepted, and what the policy makes of them: tenant and username, strings, and groups, a list of strings.
	OfCaller
)

// hints say how to write what an author may have meant by an unknown name.
var hints = map[Variables]string{
	OfToken:  "a claim is written claims.name",
	OfLogin:  "a claim is written claims.name or userinfo.name",
	OfMember: "a claim is written claims.name or userinfo.name, and membership 'name' in groups",
	OfGroups: "the endpoint's answer is written groups, as in groups.map(g, g.name)",
	OfCaller: "there are tenant, username, groups and claims: membership is written 'name' in groups, and a claim claims.name",
}

// wants says what a kind's result must be, and how to get there from another type.
var wants = map[Kind]struct{ what, fix string }{
	Rule:    {"a bool", "compare it with something, as in claims.plan == 'gold'"},
	Text:    {"a string", "convert it with string() or take one part of it"},
	Texts:   {"a string or a list of strings", "convert elements with .map(x, string(x))"},
	Scalars: {"a string, number or bool, or a list of those", "take one part of it"},

	Attribute: {"a string or an integer", "convert it with string() or take one part of it"},
}

// Error says why a text does not compile, and where. It repeats parts of the text, so it is for its author only.
type Error struct {
	Line, Column int // from 1; 0 for the text as a whole
	Message      string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// faultAt takes the positions of package common: lines from 1, columns from 0.
func faultAt(at common.Location, message string) *Error {
	message = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\uFFFD'
		}
		return r
	}, message)
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	if at == nil || at.Line() < 1 {
		return &Error{Message: message}
	}
	return &Error{at.Line(), max(at.Column(), 0) + 1, message}
}

// Compile is [CompileOver] for a policy's expressions, over [OfToken].
func Compile(text string, kind Kind) (*Program, error) { return CompileOver(OfToken, text, kind) }

// CompileOver compiles a text of at most [MaxLength] characters, or returns the Program that already stands for it. An error other
// than a [*Error] is a fault of this program.
func CompileOver(variables Variables, text string, kind Kind) (*Program, error) {
	if !utf8.ValidString(text) {
		return nil, &Error{Message: "the expression is not valid UTF-8"}
	}
	if utf8.RuneCountInString(text) > MaxLength {
		return nil, &Error{Message: fmt.Sprintf("the expression is longer than %d characters", MaxLength)}
	}
	key := cacheKey{strings.Clone(text), kind, variables}
	if p := programs.get(key); p != nil {
		return p, nil
	}
	p, err := compile(key)
	if err != nil {
		return nil, err
	}
	return programs.add(key, p), nil
}

func compile(key cacheKey) (*Program, error) {
	build, ok := environments[key.variables]
	if !ok {
		return nil, fmt.Errorf("compiling an expression: there are no variables %d", key.variables)
	}
	env, err := build()
	if err != nil {
		return nil, err
	}
	tree, issues := env.Parse(key.text)
	if issues.Err() != nil {
		return nil, firstIssue(issues, key.variables)
	}
	if err := checkLoops(tree.NativeRep()); err != nil {
		return nil, err
	}
	if tree, issues = env.Check(tree); issues.Err() != nil {
		return nil, firstIssue(issues, key.variables)
	}
	if err := checkCalls(tree.NativeRep()); err != nil {
		return nil, err
	}
	if err := checkResult(tree.OutputType(), key.kind); err != nil {
		return nil, err
	}
	cost, err := env.EstimateCost(tree, estimator{})
	if err != nil {
		return nil, fmt.Errorf("estimating the cost of an expression: %w", err)
	}
	if cost.Max > maxEstimate {
		return nil, &Error{Message: "the expression could cost too much: loop over claims in at most two nested loops, or over shorter lists"}
	}
	root, err := env.plan(tree)
	if err != nil { // what stands on constants alone is evaluated here, such as int(1e30)
		return nil, faultAt(nil, "a part of the expression always fails: "+err.Error())
	}
	return &Program{kind: key.kind, root: root}, nil
}

// firstIssue turns what cel-go has to say of a text into one sentence.
func firstIssue(issues *cel.Issues, variables Variables) error {
	all := issues.Errors()
	if len(all) == 0 {
		return &Error{Message: "the expression cannot be compiled"}
	}
	message, _, _ := strings.Cut(all[0].Message, "\n")
	if rest, ok := strings.CutPrefix(message, "undeclared reference to '"); ok {
		name, _, _ := strings.Cut(rest, "'")
		message = fmt.Sprintf("there is no variable or function %s; %s", name, hints[variables])
	}
	message, _, _ = strings.Cut(strings.TrimPrefix(message, "Syntax error: "), " expecting {")
	if strings.HasPrefix(message, "token recognition error at: '=") {
		message += "; to compare two values write =="
	}
	return faultAt(all[0].Location, message)
}

// checkResult tells whether a result of the type may be of the kind; what is dyn shows only at evaluation.
func checkResult(t *types.Type, kind Kind) error {
	if mayBe(t, kind) {
		return nil
	}
	want := wants[kind]
	fix := want.fix
	if t.TypeName() == types.OptionalType.TypeName() {
		fix = "add .orValue() with what counts where it is absent"
	}
	return faultAt(nil, fmt.Sprintf("the result is %s, but must be %s: %s", cel.FormatCELType(t), want.what, fix))
}

func mayBe(t *types.Type, kind Kind) bool {
	switch t.Kind() {
	case types.DynKind, types.TypeParamKind:
		return true
	case types.BoolKind:
		return kind == Rule || kind == Scalars
	case types.StringKind:
		return kind != Rule
	case types.IntKind, types.UintKind:
		return kind == Scalars || kind == Attribute
	case types.DoubleKind:
		return kind == Scalars
	case types.ListKind:
		if kind != Texts && kind != Scalars {
			return false
		}
		element := t.Parameters()[0]
		return element.Kind() != types.ListKind && mayBe(element, kind)
	}
	return false
}
