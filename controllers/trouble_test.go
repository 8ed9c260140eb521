// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// TestTrouble guards when failures are told, and that what is told fits into a condition.
func TestTrouble(t *testing.T) {
	var tr trouble
	failure := errors.Join(errors.New("one"), errors.New(strings.Repeat("ü", 3000)))
	for _, after := range []time.Duration{0, 9 * time.Second} {
		if tr.lasts(failure, statusTime.Add(after), 10*time.Second) || tr.message != "" {
			t.Errorf("told after %v", after)
		}
	}
	if !tr.lasts(failure, statusTime.Add(10*time.Second), 10*time.Second) || !strings.Contains(tr.message, "one; ü") {
		t.Errorf("not told: %q", tr.message)
	}
	if len(tr.message) > 2*maxTrouble || !utf8.ValidString(tr.message) {
		t.Errorf("a message of %d bytes, valid: %v", len(tr.message), utf8.ValidString(tr.message))
	}
}

// TestTroubleStatus guards who is told: what waits for this generation, and nothing that is decided.
func TestTroubleStatus(t *testing.T) {
	ready := next(v1alpha1.ObjectStatus{}, 1, good, applied)
	conflict := good
	conflict.Accepted, conflict.Served = render.Condition{Reason: v1alpha1.ReasonTenantConflict}, false
	refused := next(ready, 1, conflict, underway)
	waits := []string{"ConfigApplied=False Propagating@2", "Ready=False Propagating@2"}
	for name, c := range map[string]struct {
		old        v1alpha1.ObjectStatus
		generation int64
		message    string
		want       []string
	}{
		"nothing to tell":        {ready, 2, "", brief(ready)},
		"new":                    {v1alpha1.ObjectStatus{ObservedGeneration: -1}, 2, "why", waits},
		"confirmed":              {ready, 1, "why", brief(ready)},
		"another generation":     {ready, 2, "why", append([]string{"Accepted=True Accepted@1", "ResolvedRefs=True ResolvedRefs@1"}, waits...)},
		"refused":                {refused, 1, "why", brief(refused)},
		"mended since":           {refused, 2, "why", []string{"Accepted=False TenantConflict@1", "ResolvedRefs=True ResolvedRefs@1", "Ready=False Propagating@2", "ConfigApplied=False Propagating@2"}},
		"was on its way already": {next(ready, 2, good, lags), 2, "why", append([]string{"Accepted=True Accepted@2", "ResolvedRefs=True ResolvedRefs@2"}, waits...)},
	} {
		got := waitingStatus(c.old, c.message, c.generation, statusTime)
		if diff := cmp.Diff(c.want, brief(got)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(got, waitingStatus(got, c.message, c.generation, statusTime.Add(time.Hour))); diff != "" {
			t.Errorf("%s: the same again is written again: %s", name, diff)
		}
	}
}

// TestTroubleToldElsewhere guards that a tenant does not learn from its conditions what others' Secrets are called.
func TestTroubleToldElsewhere(t *testing.T) {
	cause := trouble{message: "reading Secret globex/signing: the server timed out"}
	for name, c := range map[string]struct {
		trouble         trouble
		namespace, want string
	}{
		"beside the AuthServer":    {cause, "platform", cause.message},
		"in another namespace":     {cause, "acme", elsewhere},
		"no trouble, beside it":    {trouble{}, "platform", ""},
		"no trouble, in another's": {trouble{}, "acme", ""},
	} {
		if got := c.trouble.told(c.namespace, "platform"); got != c.want {
			t.Errorf("%s: told %q, want %q", name, got, c.want)
		}
	}
}
