// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

func findCondition(conditions []metav1.Condition, kind string) *metav1.Condition {
	return meta.FindStatusCondition(conditions, kind)
}

// details are an object's problems and events, or with Verbose all of its conditions.
func (w *writer) details(below string, o *Object) {
	for _, p := range o.Problems {
		style := yellow
		if p.Severity == SeverityError {
			style = red
		}
		if w.Verbose && p.Condition != "" {
			continue
		}
		w.lines(below, below+"  ", w.paint(style, safe(p.Reason))+": ", safe(p.Message)+w.changed(p.Since, o.Since))
	}
	if w.Verbose {
		w.conditions(below, o.Conditions)
	}
	for _, e := range o.Events {
		if !w.Verbose && (len(o.Problems) == 0 || ofCondition(&e)) {
			continue
		}
		times := ""
		if e.Count > 1 {
			times = fmt.Sprintf(", %d times", e.Count)
		}
		w.lines(below, below+"  ", w.paint(faint, "event ")+safe(e.Reason)+": ", fmt.Sprintf("%s (%s ago%s)", safe(e.Message), w.age(e.Last.Time), times))
	}
}

// ofCondition tells whether an event is of a condition's change: what holds now the condition says itself.
func ofCondition(e *Event) bool {
	kind, _, _ := strings.Cut(e.Message, ": ")
	return slices.Contains(order, kind)
}

// changed says since when a problem is there, where the object's own line does not say it.
func (w *writer) changed(since, object *metav1.Time) string {
	if since == nil || (object != nil && object.Equal(since)) {
		return ""
	}
	return " (for " + w.age(since.Time) + ")"
}

// conditions draws every condition, Ready last as in the API's own order of cause and effect.
func (w *writer) conditions(below string, list []metav1.Condition) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b metav1.Condition) int { return place(a.Type) - place(b.Type) })
	said := map[string]bool{"": true}
	for i := range list {
		c := &list[i]
		style := green
		switch bad := c.Status == metav1.ConditionFalse; {
		case c.Type == v1alpha1.ConditionStalled:
			style = red
		case bad && (slices.Contains(advisory, c.Type) || c.Type == v1alpha1.ConditionStorePersistent):
			style = yellow
		case bad:
			style = red
		case c.Status == metav1.ConditionUnknown:
			style = faint
		}
		head, text := w.paint(style, safe(c.Type+"="+string(c.Status)))+" "+safe(c.Reason)+" ", ""
		if !said[c.Message] { // Ready and Stalled repeat what they follow from
			head, text = strings.TrimRight(head, " ")+": ", safe(c.Message)+" "
		}
		said[c.Message] = true
		w.lines(below, below+"  ", head, text+"(for "+w.age(c.LastTransitionTime.Time)+")")
	}
}

// order is that in which conditions follow from each other.
var order = []string{
	v1alpha1.ConditionAccepted, v1alpha1.ConditionResolvedRefs, v1alpha1.ConditionConfigApplied, v1alpha1.ConditionReady, v1alpha1.ConditionStalled,
	v1alpha1.ConditionUpstreamReady, v1alpha1.ConditionCredentialReady, v1alpha1.ConditionExamplesPassed, v1alpha1.ConditionStorePersistent,
}

func place(kind string) int {
	if i := slices.Index(order, kind); i >= 0 {
		return i
	}
	return len(order)
}

// mark is an object's state in one character.
func (w *writer) mark(o *Object) string {
	switch {
	case o.State == StateDisabled:
		return w.paint(faint, w.sign("○", "-"))
	case o.State == StateReady && len(o.Problems) > 0:
		return w.paint(yellow, "!")
	case o.State == StateReady:
		return w.paint(green, w.sign("✓", "+"))
	case o.State == StateProgressing, o.State == StateTerminating:
		return w.paint(yellow, w.sign("◌", "~"))
	case o.State == StateUnknown:
		return w.paint(faint, "?")
	}
	return w.paint(red, w.sign("✗", "x"))
}

// state is an object's state, padded to width.
func (w *writer) state(o *Object, width int) string {
	style := red
	switch o.State {
	case StateReady:
		style = green
	case StateDisabled, StateUnknown:
		style = faint
	case StateProgressing, StateTerminating:
		style = yellow
	case StateStalled, StateNotReady, StateMissing:
	}
	return w.paint(style, string(o.State)) + strings.Repeat(" ", max(0, width-len(o.State)))
}

// since is how long an object is as it is.
func (w *writer) since(o *Object) string {
	if o.Since == nil {
		return ""
	}
	return "  " + w.age(o.Since.Time)
}
