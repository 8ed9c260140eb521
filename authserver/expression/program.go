// SPDX-License-Identifier: Apache-2.0

package expression

import (
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

// evaluation is the variables of one evaluation.
type evaluation struct {
	claims root
	meter  meter
}

// ResolveName implements [interpreter.Activation].
func (e *evaluation) ResolveName(name string) (any, bool) {
	switch name {
	case "claims":
		return &e.claims, true
	case meterName:
		return &e.meter, true
	}
	return nil, false
}

// Parent implements [interpreter.Activation].
func (e *evaluation) Parent() interpreter.Activation { return nil }

// Bool evaluates an expression of kind [Rule]. An error is [ErrCost], [ErrFailed] or [ErrResult].
func (p *Program) Bool(c *token.Claims) (bool, error) {
	value, _, err := p.eval(c)
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
func (p *Program) Strings(c *token.Claims) (values []string, list bool, err error) {
	value, m, err := p.eval(c)
	if err != nil {
		return nil, false, err
	}
	if elements, ok := value.(traits.Lister); ok && (p.kind == Texts || p.kind == Scalars) {
		values, err = p.elements(elements, int(m.left))
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
	if p.kind != Scalars {
		return "", false
	}
	switch v := value.(type) {
	case types.Bool:
		return strconv.FormatBool(bool(v)), true
	case types.Int:
		return strconv.FormatInt(int64(v), 10), true
	case types.Uint:
		return strconv.FormatUint(uint64(v), 10), true
	case types.Double:
		text := strconv.FormatFloat(float64(v), 'g', -1, 64)
		return text, text != "NaN" && text != "+Inf" && text != "-Inf"
	}
	return "", false
}

// eval evaluates, and returns what is left of the meter too. Every panic is an error: cel-go's nodes have some for values
// that they do not expect, and none may end the server.
func (p *Program) eval(c *token.Claims) (value ref.Val, m *meter, err error) {
	e := &evaluation{claims: root{claims: c}, meter: meter{MaxCost}}
	frame, err := interpreter.NewExecutionFrame(e)
	if err != nil {
		return nil, nil, ErrFailed
	}
	defer frame.Close()
	defer func() {
		if r := recover(); r != nil {
			value, err = nil, ErrFailed
			if _, ok := r.(overrun); ok {
				err = ErrCost
			}
		}
	}()
	value = p.root.Exec(frame)
	if value == nil || types.IsUnknownOrError(value) {
		return nil, nil, ErrFailed
	}
	return value, &e.meter, nil
}
