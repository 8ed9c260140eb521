// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// hint says how to write what was likely meant, where an API server tells of types alone; "" where there is nothing to add. The error's value is
// then the name of the type that was given.
func (s *kindSchema) hint(e *field.Error) string {
	if e.Type != field.ErrorTypeTypeInvalid {
		return ""
	}
	given, _ := e.BadValue.(string)
	_, wanted, _ := strings.Cut(e.Detail, "must be of type ")
	wanted, _, _ = strings.Cut(wanted, ":")
	switch {
	case wanted == "string" && given == "boolean":
		return ": put it in quotes (YAML reads words such as Off, On, yes and no as true or false)"
	case wanted == "string" && (given == "integer" || given == "number"):
		return ": put it in quotes"
	case wanted == "array" && given == "string":
		return ": write a list, as in [one, two]"
	case wanted == "object" && given == "string" && slices.Contains(s.fields(e.Field), "claim"):
		return ": write {claim: NAME}, or {expression: CEL}"
	}
	return ""
}
