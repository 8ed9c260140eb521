// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"github.com/gatehouse-auth/gatehouse/authserver/expression"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// GroupsReader reads groups from the answer of a groups endpoint. It is immutable and safe for concurrent use.
type GroupsReader struct{ program *expression.Program }

// CompileGroups compiles the expression over groups. An error holds nothing of its text.
func CompileGroups(text string) (*GroupsReader, error) {
	program, err := compileUse("groups-endpoint", text)
	if err != nil {
		return nil, err
	}
	return &GroupsReader{program}, nil
}

// Read evaluates the expression. A failure is an [*Error]: an administrator who asks for groups wants a login without them to be seen. The groups are for
// [Person].
func (r *GroupsReader) Read(answer token.Value) ([]string, error) {
	values, _, err := r.program.Strings(expression.OfAnswer(answer))
	if err != nil {
		return nil, &Error{ReasonGroups, "groupsEndpoint.expression: " + err.Error()}
	}
	return values, nil
}
