// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"fmt"

	"github.com/gatehouse-auth/gatehouse/authserver/expression"
)

// use is what an expression is for: its variables and the type of its result.
type use struct {
	variables expression.Variables
	kind      expression.Kind
}

// kinds are what an expression in a policy may be for, or (callers) in a credential.
var kinds = map[string]use{
	"username": {expression.OfToken, expression.Text},
	"email":    {expression.OfToken, expression.Text},
	"groups":   {expression.OfToken, expression.Texts},
	"header":   {expression.OfToken, expression.Scalars},
	"rule":     {expression.OfToken, expression.Rule},
	"callers":  {expression.OfCaller, expression.Rule},
}

// CheckExpression compiles an expression for its author: kind is username, email, groups, header, rule or callers. The error
// says what is wrong and where, at most 512 bytes, and repeats parts of the text: it is for the author's own object only.
func CheckExpression(kind, text string) error {
	u, ok := kinds[kind]
	if !ok {
		return fmt.Errorf("checking an expression: there is no kind %q", kind)
	}
	_, err := expression.CompileOver(u.variables, text, u.kind)
	return err
}
