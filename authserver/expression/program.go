// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"iter"
	"strconv"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"

	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Program is a compiled expression. It is immutable and safe for concurrent use.
type Program struct {
	kind Kind
	root interpreter.InterpretableV2
}

// Members are the top level of a JSON object: [*token.Claims] and [*token.Object].
type Members interface {
	Lookup(name string) (token.Value, bool)
	All() iter.Seq2[string, token.Value]
}

// Subject is what is under evaluation, such as the claims of one token: what has been read of them, and what evaluating may still cost. It
// serves several programs, one after another; it is not safe for concurrent use.
type Subject struct {
	claims   root
	userinfo *root   // for OfLogin and OfMember
	groups   ref.Val // for OfMember, OfGroups and OfCaller
	tenant   ref.Val // for OfCaller, and so is username
	username ref.Val
	meter    meter
	total    int64
}

// Of starts an evaluation over [OfToken]. All programs that take the Subject share [MaxTotal].
func Of(c *token.Claims) *Subject { return newSubject(c) }

// OfProvider starts an evaluation over [OfLogin], and over [OfMember] once the groups are known. All programs that take the Subject share [MaxTotal]. A nil
// userinfo is one that nobody knows: what reads it fails.
func OfProvider(claims, userinfo Members) *Subject {
	s := newSubject(claims)
	if userinfo != nil {
		s.userinfo = &root{claims: userinfo, meter: &s.meter}
	}
	return s
}

// OfAccepted starts an evaluation over [OfCaller]. Groups are unknown until [Subject.SetGroups]: what reads them fails.
func OfAccepted(c *token.Claims, tenant, username string) *Subject {
	s := newSubject(c)
	s.tenant, s.username = types.String(tenant), types.String(username)
	return s
}

// SetGroups makes the variable groups known to programs over [OfMember] and [OfCaller]; what reads it before fails. The list must not be changed afterwards.
func (s *Subject) SetGroups(groups []string) {
	s.groups = types.NewStringList(types.DefaultTypeAdapter, groups)
}

// OfAnswer starts an evaluation over [OfGroups] of a value that package token has read. A value that holds a number which cannot be held exactly is an
// error where groups is read.
func OfAnswer(groups token.Value) *Subject {
	s := newSubject(&token.Object{})
	s.groups = claimFromJSON(groups.JSON())
	return s
}

func newSubject(claims Members) *Subject {
	s := &Subject{claims: root{claims: claims}, total: MaxTotal}
	s.claims.meter = &s.meter
	return s
}

// ResolveName implements [interpreter.Activation].
func (s *Subject) ResolveName(name string) (any, bool) {
	switch {
	case name == meterName:
		return &s.meter, true
	case name == "claims":
		return &s.claims, true
	case name == "userinfo" && s.userinfo != nil:
		return s.userinfo, true
	case name == "groups" && s.groups != nil:
		return s.groups, true
	case name == "tenant" && s.tenant != nil:
		return s.tenant, true
	case name == "username" && s.username != nil:
		return s.username, true
	}
	return nil, false
}

// Parent implements [interpreter.Activation].
func (s *Subject) Parent() interpreter.Activation { return nil }

// Bool evaluates an expression of kind [Rule]. An error is [ErrCost], [ErrFailed] or [ErrResult].
func (p *Program) Bool(s *Subject) (bool, error) {
	value, err := p.eval(s)
	if err != nil {
		return false, err
	}
	holds, ok := value.(types.Bool)
	if !ok || p.kind != Rule {
		return false, ErrResult
	}
	return bool(holds), nil
}

// Strings evaluates an expression of another kind. list tells a list, of any length, from a single value; a number is
// written with all its digits, a bool as true or false. All values together are at most [MaxText] bytes. An error is
// [ErrCost], [ErrFailed] or [ErrResult].
func (p *Program) Strings(s *Subject) (values []string, list bool, err error) {
	value, err := p.eval(s)
	if err != nil {
		return nil, false, err
	}
	if elements, ok := value.(traits.Lister); ok && (p.kind == Texts || p.kind == Scalars) {
		values, err = p.elements(elements, int(s.meter.left))
		return values, true, err
	}
	text, ok := p.scalar(value)
	switch {
	case !ok:
		return nil, false, ErrResult
	case len(text) > MaxText:
		return nil, false, ErrCost
	}
	return []string{text}, false, nil
}

func (p *Program) elements(list traits.Lister, left int) ([]string, error) {
	n := int(list.Size().(types.Int))
	if n > left {
		return nil, ErrCost
	}
	values, total := make([]string, n), 0
	for i := range values {
		text, ok := p.scalar(list.Get(types.Int(i)))
		if !ok {
			return nil, ErrResult
		}
		if total += len(text); total > MaxText {
			return nil, ErrCost
		}
		values[i] = text
	}
	return values, nil
}

// scalar writes a value that a result of the program's kind may be or hold.
func (p *Program) scalar(value ref.Val) (string, bool) {
	if text, ok := value.(types.String); ok {
		return string(text), p.kind != Rule
	}
	if p.kind != Scalars && p.kind != Attribute {
		return "", false
	}
	switch v := value.(type) {
	case types.Int:
		return strconv.FormatInt(int64(v), 10), true
	case types.Uint:
		return strconv.FormatUint(uint64(v), 10), true
	}
	if p.kind == Attribute {
		return "", false
	}
	switch v := value.(type) {
	case types.Bool:
		return strconv.FormatBool(bool(v)), true
	case types.Double:
		text := strconv.FormatFloat(float64(v), 'g', -1, 64)
		return text, text != "NaN" && text != "+Inf" && text != "-Inf"
	}
	return "", false
}

// eval evaluates within what is left of the subject's cost. Every panic is an error: cel-go's nodes have some for values
// that they do not expect, and none may end the server.
func (p *Program) eval(s *Subject) (value ref.Val, err error) {
	limit := min(MaxCost, s.total)
	s.meter.left = limit
	frame, err := interpreter.NewExecutionFrame(s)
	if err != nil {
		return nil, ErrFailed
	}
	defer frame.Close()
	defer func() {
		s.total -= limit - max(s.meter.left, 0)
		if r := recover(); r != nil {
			value, err = nil, ErrFailed
			if _, ok := r.(overrun); ok {
				err = ErrCost
			}
		}
	}()
	value = p.root.Exec(frame)
	if value == nil || types.IsUnknownOrError(value) {
		return nil, ErrFailed
	}
	return value, nil
}
