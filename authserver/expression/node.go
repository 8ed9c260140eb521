// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"regexp"

	"github.com/google/cel-go/common/functions"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"
)

// charged puts in the place of a planned node one that charges its work to the meter first. Every turn of a loop holds at
// least one attribute, call or constructor, so none is free.
func (e *environment) charged(node interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	switch n := node.(type) {
	case *attribute, *constructor, *call, *fallback, *equality:
		return node, nil
	case interpreter.InterpretableAttribute:
		return &attribute{n}, nil
	case interpreter.InterpretableConstructor:
		return &constructor{n, len(n.InitVals())}, nil
	case interpreter.InterpretableCall:
		return e.chargedCall(n)
	}
	return node, nil
}

func (e *environment) chargedCall(n interpreter.InterpretableCall) (interpreter.InterpretableV2, error) {
	switch n.Function() {
	case operators.Equals, operators.NotEquals:
		return &equality{n, n.Args()[0], n.Args()[1], n.Function() == operators.NotEquals}, nil
	case "or", "orValue":
		return &fallback{n, n.Args()[0], n.Args()[1], n.Function() == "orValue"}, nil
	}
	c := &call{InterpretableCall: n, args: n.Args(), charge: charges[n.Function()]}
	if c.charge == nil {
		c.charge = chargeText
	}
	if c.impl = e.overloads[n.OverloadID()]; c.impl == nil {
		c.impl = e.overloads[n.Function()]
	}
	switch n.Function() {
	case operators.Add:
		c.add = true
	case "matches":
		text, ok := n.Args()[1].(interpreter.InterpretableConst)
		if !ok {
			return nil, errPattern
		}
		pattern, ok := text.Value().(types.String)
		if !ok {
			return nil, errPattern
		}
		size, err := patternSize(string(pattern))
		if err != nil {
			return nil, err
		}
		if c.pattern, err = regexp.Compile(string(pattern)); err != nil {
			return nil, errPattern
		}
		c.charge = func(m *meter, args []ref.Val) bool {
			if text, ok := args[0].(types.String); ok {
				m.product(len(text), size)
			}
			return true
		}
	}
	return c, nil
}

// attribute reads a variable and members of it.
type attribute struct {
	interpreter.InterpretableAttribute
}

func (a *attribute) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	m := meterOf(frame)
	m.charge(1)
	return m.failed(a.InterpretableAttribute.Exec(frame))
}

func (a *attribute) Eval(vars interpreter.Activation) ref.Val {
	return a.Exec(interpreter.AsFrame(vars))
}

// constructor makes a list or map.
type constructor struct {
	interpreter.InterpretableConstructor
	entries int
}

func (c *constructor) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	meterOf(frame).charge(1 + c.entries)
	return c.InterpretableConstructor.Exec(frame)
}

func (c *constructor) Eval(vars interpreter.Activation) ref.Val {
	return c.Exec(interpreter.AsFrame(vars))
}

// equality is == or !=, which compares all of two values.
type equality struct {
	interpreter.InterpretableCall
	left, right interpreter.InterpretableV2
	not         bool
}

func (n *equality) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	left := n.left.Exec(frame)
	right := n.right.Exec(frame)
	if types.IsUnknownOrError(left) {
		return left
	}
	if types.IsUnknownOrError(right) {
		return right
	}
	chargeEquality(meterOf(frame), left, right)
	equal := types.Equal(left, right)
	if n.not {
		return types.Bool(equal != types.True)
	}
	return equal
}

func (n *equality) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

// fallback is or, or orValue: the right side counts, and is evaluated, only where the left is empty.
type fallback struct {
	interpreter.InterpretableCall
	left, right interpreter.InterpretableV2
	unwrap      bool
}

func (n *fallback) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	meterOf(frame).charge(1)
	left := n.left.Exec(frame)
	optional, ok := left.(*types.Optional)
	switch {
	case types.IsUnknownOrError(left):
		return left
	case !ok:
		return types.NoSuchOverloadErr()
	case !optional.HasValue():
		return n.right.Exec(frame)
	case n.unwrap:
		return optional.GetValue()
	}
	return optional
}

func (n *fallback) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

// call is every other function or operator.
type call struct {
	interpreter.InterpretableCall
	args    []interpreter.InterpretableV2
	impl    *functions.Overload
	charge  charger
	add     bool
	pattern *regexp.Regexp
}

func (n *call) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	args := make([]ref.Val, len(n.args))
	strict := n.impl == nil || !n.impl.NonStrict
	for i, arg := range n.args {
		if args[i] = arg.Exec(frame); strict && types.IsUnknownOrError(args[i]) {
			return args[i]
		}
	}
	m := meterOf(frame)
	m.charge(1)
	if !n.charge(m, args) {
		return types.NoSuchOverloadErr()
	}
	if n.pattern != nil {
		text, ok := args[0].(types.String)
		if !ok {
			return types.NoSuchOverloadErr()
		}
		return types.Bool(n.pattern.MatchString(string(text)))
	}
	if n.add {
		if sum, ok := concatenate(m, args[0], args[1]); ok {
			return sum
		}
	}
	return m.failed(n.invoke(args))
}

func (n *call) Eval(vars interpreter.Activation) ref.Val { return n.Exec(interpreter.AsFrame(vars)) }

// invoke calls the function as cel-go's own nodes do: its implementation, or the first argument's.
func (n *call) invoke(args []ref.Val) ref.Val {
	if len(args) == 0 {
		if n.impl == nil || n.impl.Function == nil {
			return types.NoSuchOverloadErr()
		}
		return n.impl.Function()
	}
	if n.impl != nil && (n.impl.OperandTrait == 0 || types.IsUnknownOrError(args[0]) || args[0].Type().HasTrait(n.impl.OperandTrait)) {
		switch {
		case len(args) == 1 && n.impl.Unary != nil:
			return n.impl.Unary(args[0])
		case len(args) == 2 && n.impl.Binary != nil:
			return n.impl.Binary(args[0], args[1])
		case n.impl.Function != nil:
			return n.impl.Function(args...)
		}
	}
	if receiver, ok := args[0].(traits.Receiver); ok {
		return receiver.Receive(n.Function(), n.OverloadID(), args[1:])
	}
	return types.NoSuchOverloadErr()
}

// concatenate joins two lists by copying, unless the first is a loop's own result, which grows in place: cel-go links
// lists instead, and a list linked with itself n times has 2ⁿ elements.
func concatenate(m *meter, left, right ref.Val) (ref.Val, bool) {
	a, ok := left.(traits.Lister)
	if !ok {
		return nil, false
	}
	b, ok := right.(traits.Lister)
	if !ok {
		return nil, false
	}
	added := int(b.Size().(types.Int))
	if grows, ok := left.(traits.MutableLister); ok {
		m.charge(added)
		return grows.(traits.Adder).Add(right), true
	}
	size := int(a.Size().(types.Int))
	m.charge(size + added)
	all := make([]ref.Val, 0, size+added)
	for _, list := range []traits.Lister{a, b} {
		for n, i := list.Size().(types.Int), types.Int(0); i < n; i++ {
			all = append(all, list.Get(i))
		}
	}
	return types.NewRefValList(types.DefaultTypeAdapter, all), true
}
