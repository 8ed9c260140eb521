// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"strings"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// maxTold is how many problems one condition's message lists; a condition holds at most 32 KiB.
const maxTold = 8

// maxText bounds one problem in a message, in bytes.
const maxText = 2048

// findings collects what is wrong with one object.
type findings struct {
	problems, warnings []Problem
	references         []v1alpha1.ResolvedReference
}

// refuse notes a mistake in the spec: Accepted=False.
func (f *findings) refuse(reason, field, format string, args ...any) {
	f.problems = append(f.problems, Problem{Condition: v1alpha1.ConditionAccepted, Reason: reason, Field: field, Text: fmt.Sprintf(format, args...)})
}

// refuseRef notes a mistake in what the spec refers to: ResolvedRefs=False.
func (f *findings) refuseRef(reason, field, format string, args ...any) {
	f.problems = append(f.problems, Problem{Condition: v1alpha1.ConditionResolvedRefs, Reason: reason, Field: field, Text: fmt.Sprintf(format, args...)})
}

// warn notes what does not keep the object from being served.
func (f *findings) warn(field, format string, args ...any) {
	f.warnings = append(f.warnings, Problem{Condition: v1alpha1.ConditionAccepted, Reason: v1alpha1.ReasonAccepted, Field: field, Text: fmt.Sprintf(format, args...)})
}

// of returns the problems of one condition.
func of(problems []Problem, condition string) []Problem {
	var out []Problem
	for _, p := range problems {
		if p.Condition == condition {
			out = append(out, p)
		}
	}
	return out
}

// bad tells whether the object is left out.
func (f *findings) bad() bool { return len(f.problems) > 0 }

// verdict makes the conditions. The first problem's reason is the condition's.
func (f *findings) verdict() Verdict {
	v := Verdict{Problems: f.problems, Warnings: f.warnings, References: f.references}
	v.Accepted = condition(of(f.problems, v1alpha1.ConditionAccepted), v1alpha1.ReasonAccepted, acceptedMessage(f.warnings))
	if refs := of(f.problems, v1alpha1.ConditionResolvedRefs); v.Accepted.Status || len(refs) > 0 {
		v.ResolvedRefs = condition(refs, v1alpha1.ReasonResolvedRefs, "every Secret and ConfigMap that the spec names is there and usable")
	}
	return v
}

func acceptedMessage(warnings []Problem) string { return "the spec is valid" + told(warnings) }

// told appends warnings to a positive message.
func told(warnings []Problem) string {
	if len(warnings) == 0 {
		return ""
	}
	return "; warning: " + join(warnings)
}

func condition(problems []Problem, reason, message string) Condition {
	if len(problems) == 0 {
		return Condition{Status: true, Reason: reason, Message: message}
	}
	return Condition{Reason: problems[0].Reason, Message: join(problems)}
}

func join(problems []Problem) string {
	texts := make([]string, 0, maxTold+1)
	for i, p := range problems {
		if i == maxTold {
			texts = append(texts, fmt.Sprintf("and %d more", len(problems)-maxTold))
			break
		}
		texts = append(texts, bounded(p.String()))
	}
	return strings.Join(texts, "; ")
}

// bounded cuts a text at a rune's boundary, so that conditions stay valid UTF-8.
func bounded(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}
