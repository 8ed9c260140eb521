// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"fmt"

	"github.com/gatehouse-auth/gatehouse/authserver/expression"
)

// kinds are what an expression in a policy may be for.
var kinds = map[string]expression.Kind{
	"username": expression.Text,
	"email":    expression.Text,
	"groups":   expression.Texts,
	"header":   expression.Scalars,
	"rule":     expression.Rule,
}

// CheckExpression compiles an expression for its author: kind is username, email, groups, header or rule. The error says
// what is wrong and where, at most 512 bytes, and repeats parts of the text: it is for the author's own object only.
func CheckExpression(kind, text string) error {
	result, ok := kinds[kind]
	if !ok {
		return fmt.Errorf("checking an expression: there is no kind %q", kind)
	}
	_, err := expression.Compile(text, result)
	return err
}
