// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

var (
	statusTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	good       = render.Verdict{
		Accepted:     render.Condition{Status: true, Reason: v1alpha1.ReasonAccepted},
		ResolvedRefs: render.Condition{Status: true, Reason: v1alpha1.ReasonResolvedRefs},
		Served:       true,
		References:   []v1alpha1.ResolvedReference{{Kind: "Secret", Name: "s", ResourceVersion: "1"}},
	}
	applied  = delivery{v1alpha1.ReasonApplied, "done"}
	underway = delivery{}
	lags     = delivery{v1alpha1.ReasonPropagating, "1 of 2"}
	noPods   = delivery{v1alpha1.ReasonNoReadyReplicas, "none"}
)

// brief lists conditions as "Type=Status Reason@generation".
func brief(s v1alpha1.ObjectStatus) []string {
	var out []string
	for _, c := range s.Conditions {
		out = append(out, c.Type+"="+string(c.Status)+" "+c.Reason+"@"+string(rune('0'+c.ObservedGeneration)))
	}
	return out
}

func next(old v1alpha1.ObjectStatus, generation int64, v render.Verdict, d delivery) v1alpha1.ObjectStatus {
	return objectStatus(old, generation, &v, d, upstreams{}, statusTime)
}

// TestObjectStatus guards the promises of a status: True in one write, nothing said of what is on its way, nothing rewritten.
func TestObjectStatus(t *testing.T) {
	ready := next(v1alpha1.ObjectStatus{}, 1, good, applied)
	if diff := cmp.Diff([]string{"Accepted=True Accepted@1", "ResolvedRefs=True ResolvedRefs@1", "ConfigApplied=True Applied@1", "Ready=True Ready@1"}, brief(ready)); diff != "" {
		t.Fatal(diff)
	}
	refused := good
	refused.Accepted, refused.Served = render.Condition{Reason: v1alpha1.ReasonTenantConflict, Message: "taken"}, false
	refused.ResolvedRefs = render.Condition{}
	missing := good
	missing.ResolvedRefs, missing.Served = render.Condition{Reason: v1alpha1.ReasonRefNotFound, Message: "absent"}, false
	disabled := good
	disabled.Served, disabled.Disabled, disabled.Accepted.Reason = false, true, v1alpha1.ReasonDisabled
	moved := good
	moved.References = []v1alpha1.ResolvedReference{{Kind: "Secret", Name: "s", ResourceVersion: "2"}}

	stays := brief(ready)
	for name, c := range map[string]struct {
		old        v1alpha1.ObjectStatus
		generation int64
		verdict    render.Verdict
		delivery   delivery
		want       []string
	}{
		"a change on its way is silent":           {ready, 2, good, underway, stays},
		"a new object on its way has no status":   {v1alpha1.ObjectStatus{}, 1, good, underway, nil},
		"what is True stays True when a pod lags": {ready, 1, good, lags, stays},
		"… and when no pod is ready":              {ready, 1, good, noPods, stays},
		"another generation that lags":            {ready, 2, good, lags, []string{"Accepted=True Accepted@2", "ResolvedRefs=True ResolvedRefs@2", "ConfigApplied=False Propagating@2", "Ready=False Propagating@2"}},
		"another Secret that is on its way":       {ready, 1, moved, underway, stays},
		"another Secret that lags":                {ready, 1, moved, lags, []string{"Accepted=True Accepted@1", "ResolvedRefs=True ResolvedRefs@1", "ConfigApplied=False Propagating@1", "Ready=False Propagating@1"}},
		"refused at once, whatever pods do":       {ready, 2, refused, underway, []string{"Accepted=False TenantConflict@2", "Ready=False TenantConflict@2", "Stalled=True TenantConflict@2"}},
		"a Secret that is gone":                   {ready, 1, missing, underway, []string{"Accepted=True Accepted@1", "ResolvedRefs=False RefNotFound@1", "Ready=False RefNotFound@1", "Stalled=True RefNotFound@1"}},
		"disabled and confirmed":                  {ready, 2, disabled, applied, []string{"Accepted=True Disabled@2", "ResolvedRefs=True ResolvedRefs@2", "ConfigApplied=True Applied@2", "Ready=True Disabled@2"}},
		"disabled, not yet confirmed":             {ready, 2, disabled, underway, stays},
		"no pods":                                 {v1alpha1.ObjectStatus{}, 1, good, noPods, []string{"Accepted=True Accepted@1", "ResolvedRefs=True ResolvedRefs@1", "ConfigApplied=False NoReadyReplicas@1", "Ready=False NoReadyReplicas@1"}},
	} {
		if diff := cmp.Diff(c.want, brief(next(c.old, c.generation, c.verdict, c.delivery))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}

	t.Run("an object that was refused needs a new confirmation", func(t *testing.T) {
		again := next(next(ready, 1, refused, underway), 1, good, underway)
		for _, c := range brief(again) {
			if strings.HasPrefix(c, "Ready=True") {
				t.Errorf("Ready without one: %v", brief(again))
			}
		}
	})
	t.Run("the same again is the same value", func(t *testing.T) {
		if diff := cmp.Diff(ready, objectStatus(ready, 1, &good, lags, upstreams{}, statusTime.Add(time.Hour))); diff != "" {
			t.Error(diff)
		}
	})
}

// TestExamplesPassed guards that examples are told beside Ready and never part of it, and that nothing is told of a policy without any or of one
// that is refused.
func TestExamplesPassed(t *testing.T) {
	failing := good
	failing.ExamplesPassed = render.Condition{Reason: v1alpha1.ReasonExampleFailed, Message: "spec.examples[0]: …"}
	passing := good
	passing.ExamplesPassed = render.Condition{Status: true, Reason: v1alpha1.ReasonExamplesPassed}
	refused := failing
	refused.Accepted, refused.Served = render.Condition{Reason: v1alpha1.ReasonInvalid}, false
	before := next(v1alpha1.ObjectStatus{}, 1, failing, applied)
	for name, c := range map[string]struct {
		verdict    render.Verdict
		generation int64
		want       string
	}{
		"failing":          {failing, 1, "ExamplesPassed=False ExampleFailed@1"},
		"passing":          {passing, 2, "ExamplesPassed=True ExamplesPassed@2"},
		"without examples": {good, 2, ""},
		"refused":          {refused, 2, ""},
	} {
		status := next(before, c.generation, c.verdict, applied)
		got := ""
		for _, b := range brief(status) {
			if strings.HasPrefix(b, v1alpha1.ConditionExamplesPassed) {
				got = b
			}
		}
		ready := meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady)
		if got != c.want || ready != (name != "refused") {
			t.Errorf("%s: %q, ready %v, want %q", name, got, ready, c.want)
		}
	}
}

// TestWarningsAreTold guards that what is doubtful about keys reaches kubectl describe: a warning stands in the message of a True condition.
func TestWarningsAreTold(t *testing.T) {
	doubtful := good
	doubtful.Accepted.Message = "the spec is valid; warning: spec.issuers[0].keys[0].jwks: keys[1] repeats keys[0]"
	status := next(v1alpha1.ObjectStatus{}, 1, doubtful, applied)
	if c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionAccepted); c.Status != metav1.ConditionTrue || c.Message != doubtful.Accepted.Message {
		t.Errorf("%+v", c)
	}
	if !meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady) {
		t.Error("a warning keeps the object from being Ready")
	}
}

// TestUpstreamMessage guards that what a server says of an upstream, at most 1 KiB with the fix in it, reaches the condition whole, and that
// more than that is cut to valid text.
func TestUpstreamMessage(t *testing.T) {
	fix := strings.Repeat("x", 700) + ": private address 10.96.0.7 of idp.acme.svc is not allowed: add 10.96.0.7/32, or the network it belongs to, to AuthServer spec.outbound.allowedCIDRs"
	for name, c := range map[string]struct{ told, want string }{
		"as it is": {fix, fix},
		"cut":      {strings.Repeat("ä", 1000), strings.Repeat("ä", 510) + "…"},
	} {
		told := podCondition{Status: "False", Reason: v1alpha1.ReasonAddressNotAllowed, Message: c.told}
		if !told.valid() {
			t.Fatalf("%s: the condition is not taken", name)
		}
		told = told.cut()
		status := objectStatus(v1alpha1.ObjectStatus{}, 1, &good, applied, upstreams{known: true, condition: &told}, statusTime)
		got := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionUpstreamReady)
		if got == nil || got.Message != c.want || got.Reason != v1alpha1.ReasonAddressNotAllowed || got.Status != metav1.ConditionFalse {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestWorst guards what the pods' views of an upstream are joined to.
func TestWorst(t *testing.T) {
	key := render.Key{Kind: "TenantJWTPolicy", Namespace: "n", Name: "a"}
	view := func(status, reason string) *podView {
		v := &podView{objects: podObjects{}}
		if status != "" {
			v.objects[key] = podCondition{Status: status, Reason: reason}
		}
		return v
	}
	for name, c := range map[string]struct {
		views  []*podView
		known  bool
		status string
	}{
		"no pods":              {nil, false, ""},
		"none says anything":   {[]*podView{view("", "")}, true, ""},
		"all are well":         {[]*podView{view("True", "r"), view("True", "r")}, true, "True"},
		"one does not know":    {[]*podView{view("True", "r"), view("Unknown", "r")}, true, "Unknown"},
		"one failed":           {[]*podView{view("False", "r"), view("Unknown", "r")}, true, "False"},
		"one has not answered": {[]*podView{view("True", "r"), {}}, false, ""},
	} {
		got := worst(c.views, key)
		status := ""
		if got.condition != nil {
			status = got.condition.Status
		}
		if got.known != c.known || status != c.status {
			t.Errorf("%s: got %v %q, want %v %q", name, got.known, status, c.known, c.status)
		}
	}
}

// TestBounds guards the sizes that the API takes, without cutting a character in two.
func TestBounds(t *testing.T) {
	long := strings.Repeat("ü", 20<<10)
	if got := bounded(long); len(got) > maxMessage || !utf8.ValidString(got) {
		t.Errorf("a condition's message has %d bytes, valid: %v", len(got), utf8.ValidString(got))
	}
	if got := note("Ready", long); len(got) > 1024 || !utf8.ValidString(got) {
		t.Errorf("an event's note has %d bytes, valid: %v", len(got), utf8.ValidString(got))
	}
}

// TestOwnedByOthers guards whether an AuthServer that the operator made may be removed.
func TestOwnedByOthers(t *testing.T) {
	entry := func(manager, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, FieldsV1: metav1.NewFieldsV1(fields)}
	}
	for name, c := range map[string]struct {
		entry metav1.ManagedFieldsEntry
		want  bool
	}{
		"ours":                {entry("gatehouse", `{"f:spec":{"f:replicas":{}}}`), false},
		"somebody's status":   {entry("x", `{"f:status":{}}`), false},
		"somebody's spec":     {entry("x", `{"f:spec":{"f:replicas":{}}}`), true},
		"somebody's label":    {entry("x", `{"f:metadata":{"f:labels":{"f:a":{}}}}`), true},
		"an annotation":       {entry("x", `{"f:metadata":{"f:annotations":{"f:a":{}}}}`), true},
		"a finalizer":         {entry("x", `{"f:metadata":{"f:finalizers":{}}}`), false},
		"what cannot be read": {entry("x", `{`), true},
	} {
		if got := ownedByOthers([]metav1.ManagedFieldsEntry{c.entry}); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestNudgeValue guards that a nudge always changes the annotation: a value that stays refreshes nothing.
func TestNudgeValue(t *testing.T) {
	for _, c := range []struct {
		present string
		attempt int
		want    string
	}{{"", 0, "h"}, {"old", 0, "h"}, {"h", 0, "h-1"}, {"h-1", 0, "h-2"}, {"h-7", 2, "h-8"}, {"h", 3, "h-3"}, {"h-x", 0, "h-1"}} {
		if got := nudgeValue("h", c.present, c.attempt); got != c.want {
			t.Errorf("present %q, attempt %d: %q, want %q", c.present, c.attempt, got, c.want)
		}
	}
}
