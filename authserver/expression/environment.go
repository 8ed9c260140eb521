// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"fmt"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/functions"
	"github.com/google/cel-go/ext"
	"github.com/google/cel-go/interpreter"
)

// environment is what expressions over the same variables are compiled in. It is built when the first is, since most servers have none, and
// never changes.
type environment struct {
	*cel.Env
	overloads  map[string]*functions.Overload // by ID, and by name for those that are chosen at run time
	dispatcher interpreter.Dispatcher
}

// environments builds each environment once.
var environments = map[Variables]func() (*environment, error){
	OfToken: sync.OnceValues(func() (*environment, error) { return newEnvironment(members("claims")) }),
	OfLogin: sync.OnceValues(func() (*environment, error) { return newEnvironment(members("claims"), members("userinfo")) }),
	OfMember: sync.OnceValues(func() (*environment, error) {
		return newEnvironment(members("claims"), members("userinfo"), cel.Variable("groups", cel.ListType(cel.StringType)))
	}),
	OfGroups: sync.OnceValues(func() (*environment, error) { return newEnvironment(cel.Variable("groups", cel.DynType)) }),
	OfCaller: sync.OnceValues(func() (*environment, error) {
		return newEnvironment(members("claims"), cel.Variable("tenant", cel.StringType), cel.Variable("username", cel.StringType), cel.Variable("groups", cel.ListType(cel.StringType)))
	}),
}

func members(name string) cel.EnvOption {
	return cel.Variable(name, cel.MapType(cel.StringType, cel.DynType))
}

func newEnvironment(variables ...cel.EnvOption) (*environment, error) {
	env, err := cel.NewEnv(append(variables,
		cel.OptionalTypes(),
		ext.Strings(ext.StringsVersion(4)),
		ext.Sets(),
		cel.ClearMacros(),
		cel.Macros(macros...),
		cel.ParserRecursionLimit(64),
		cel.ParserExpressionSizeLimit(MaxLength),
	)...)
	if err != nil {
		return nil, fmt.Errorf("building the environment of expressions: %w", err)
	}
	e := &environment{Env: env, overloads: map[string]*functions.Overload{}, dispatcher: interpreter.NewDispatcher()}
	for name, f := range env.Functions() {
		bindings, err := f.Bindings()
		if err != nil {
			return nil, fmt.Errorf("binding the function %s: %w", name, err)
		}
		if err := e.dispatcher.Add(bindings...); err != nil {
			return nil, fmt.Errorf("binding the function %s: %w", name, err)
		}
		for _, b := range bindings {
			e.overloads[b.Operator] = b
		}
	}
	return e, nil
}

// plan turns a checked expression into nodes that charge their work before they do it. cel.Program is not used: it keeps a
// table of all functions for each program, and its cost limit counts what is done already.
func (e *environment) plan(tree *cel.Ast) (interpreter.InterpretableV2, error) {
	attributes := interpreter.NewAttributeFactory(e.Container, e.CELTypeAdapter(), e.CELTypeProvider())
	planner := interpreter.NewInterpreter(e.dispatcher, e.Container, e.CELTypeProvider(), e.CELTypeAdapter(), attributes)
	return planner.NewInterpretable(tree.NativeRep(), interpreter.Optimize(), interpreter.CustomDecoratorV2(e.charged))
}
