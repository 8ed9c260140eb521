// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// Bounds of a field that is any JSON; the schema bounds its members.
const (
	maxAnyJSON      = 8 << 10
	maxAnyJSONDepth = 8
)

// planExamples checks the form of the examples. What they come to shows when the policy is rendered.
func (o *policyPlan) planExamples() {
	for i := range o.object.Spec.Examples {
		example, field := &o.object.Spec.Examples[i], exampleField(i)
		if err := checkAnyJSON(example.Claims.Raw); err != nil {
			o.refuse(v1alpha1.ReasonInvalid, field+".claims", "%v", err)
		}
		if _, err := exampleTime(example); err != nil {
			o.refuse(v1alpha1.ReasonInvalid, field+".now", "must be a time in UTC such as 2026-01-02T15:04:05Z")
		}
		if (example.Expect.Username == "") != example.Expect.Rejected {
			o.refuse(v1alpha1.ReasonInvalid, field+".expect", "set exactly one of username and rejected: true")
		}
	}
}

// checkAnyJSON bounds an object of any JSON in bytes and depth, itself being the first level.
func checkAnyJSON(text []byte) error {
	if len(text) > maxAnyJSON {
		return fmt.Errorf("has %d bytes as JSON, at most %d are allowed", len(text), maxAnyJSON)
	}
	if !json.Valid(text) || !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return fmt.Errorf("must be an object such as {\"sub\": \"bob\"}")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil { // the end
			return nil //nolint:nilerr // it is valid JSON, so nothing else can come
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth > maxAnyJSONDepth {
			return fmt.Errorf("is nested deeper than %d levels", maxAnyJSONDepth)
		}
	}
}

// exampleTime is zero where the example gives none.
func exampleTime(example *v1alpha1.PolicyExample) (time.Time, error) {
	if example.Now == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339Nano, example.Now)
}

// failedExamples evaluates the examples with the server's own code. fingerprint identifies what was rendered of the policy.
func (o *policyPlan) failedExamples(policy *config.Policy, fingerprint string) []Problem {
	var failed []Problem
	for i := range o.object.Spec.Examples {
		example := &o.object.Spec.Examples[i]
		text := o.memo.recall(func() string { return judge(policy, example) },
			"example", fingerprint, string(example.Claims.Raw), example.Now, example.Expect.Username)
		if text != "" {
			failed = append(failed, Problem{Condition: v1alpha1.ConditionExamplesPassed, Reason: v1alpha1.ReasonExampleFailed, Field: exampleField(i), Text: text})
		}
	}
	return failed
}

// judge says what an example comes to where that is not what is expected of it, else "".
func judge(policy *config.Policy, example *v1alpha1.PolicyExample) string {
	now, err := exampleTime(example)
	if err != nil { // told already, and such a policy is not rendered
		return err.Error()
	}
	identity, err := claims.Example(policy, example.Claims.Raw, now)
	want := quoted(example.Expect.Username)
	switch {
	case err == nil && example.Expect.Rejected:
		return fmt.Sprintf("it passes, with username %s, and should be rejected", quoted(identity.User))
	case err == nil && identity.User != example.Expect.Username:
		return fmt.Sprintf("it passes with username %s, and %s is expected", quoted(identity.User), want)
	case err != nil && !example.Expect.Rejected:
		return fmt.Sprintf("it is rejected (%v), and username %s is expected", err, want)
	}
	return ""
}

// examplesPassed makes the condition: the first failing example, and how many there are.
func examplesPassed(examples int, failed []Problem) Condition {
	switch {
	case examples == 0:
		return Condition{}
	case len(failed) == 0:
		return Condition{Status: true, Reason: v1alpha1.ReasonExamplesPassed, Message: fmt.Sprintf("%d of %d examples come out as expected", examples, examples)}
	}
	message := bounded(failed[0].String())
	if n := len(failed) - 1; n > 0 {
		message += fmt.Sprintf("; and %d more of %d fail", n, examples)
	}
	return Condition{Reason: v1alpha1.ReasonExampleFailed, Message: message}
}

func exampleField(i int) string { return fmt.Sprintf("spec.examples[%d]", i) }
