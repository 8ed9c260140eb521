// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

func findCondition(conditions []metav1.Condition, kind string) *metav1.Condition {
	return meta.FindStatusCondition(conditions, kind)
}

// rows draws the objects of a group beneath it.
func (w *writer) rows(indent string, rows []row, elsewhere int) {
	shown, rest := rows, ""
	if !w.All && len(rows) > shortList {
		shown, rest = w.cut(rows)
	}
	var tail []string
	if rest != "" {
		tail = append(tail, rest+" (--all shows them)")
	}
	if elsewhere > 0 {
		tail = append(tail, number(elsewhere)+" of other namespaces (-A shows them)")
	}
	var t table
	for i := range shown {
		r := &shown[i]
		t = table{max(t.name, columns(r.label)), max(t.what, columns(r.what)), max(t.state, len(r.State)), max(t.since, len(w.since(r.Object)))}
	}
	for i := range shown {
		guide, below := indent+w.branch, indent+w.down
		if i == len(shown)-1 && len(tail) == 0 {
			guide, below = indent+w.last, indent+w.none
		}
		w.row(guide, below+"  ", &shown[i], t)
	}
	for i, line := range tail {
		guide := w.branch
		if i == len(tail)-1 {
			guide = w.last
		}
		w.b.WriteString(indent + guide + w.paint(faint, w.more+" "+line) + "\n")
	}
}

// cut chooses what is shown of a long list, and says what is not.
func (w *writer) cut(rows []row) (shown []row, rest string) {
	var problems, fine int
	hidden := map[bool]int{}
	for _, r := range rows {
		bad := len(r.Problems) > 0
		switch {
		case bad && problems < shownProblems:
			problems++
		case !bad && fine < shownReady:
			fine++
		default:
			hidden[bad]++
			continue
		}
		shown = append(shown, r)
	}
	var parts []string
	if hidden[true] > 0 {
		parts = append(parts, number(hidden[true])+" more with problems")
	}
	if hidden[false] > 0 {
		parts = append(parts, number(hidden[false])+" more without")
	}
	return shown, strings.Join(parts, " and ")
}

// table has the widths of the columns of a group's rows.
type table struct{ name, what, state, since int }

// row draws one object: its line, then what there is to say of it beneath.
func (w *writer) row(guide, below string, r *row, t table) {
	line := fmt.Sprintf("%s%s %s  %s  %s%s", guide, w.mark(r.Object), pad(r.label, t.name), pad(r.what, t.what), w.state(r.Object, t.state), pad(w.since(r.Object), t.since))
	if r.note != "" {
		if note := "  " + r.note; w.Width == 0 || columns(plain(line))+columns(note) <= w.Width {
			line += w.paint(faint, note)
		} else {
			w.b.WriteString(strings.TrimRight(line, " ") + "\n")
			w.lines(below, below, "", r.note)
			w.details(below, r.Object)
			return
		}
	}
	w.b.WriteString(strings.TrimRight(line, " ") + "\n")
	if !r.brief || w.Verbose {
		w.details(below, r.Object)
	}
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

// pod draws a pod of a server.
func (w *writer) pod(below string, p *Pod) {
	mark := w.paint(green, w.sign("✓", "+"))
	if !p.Ready || p.Behind > 0 || p.Problem != "" {
		mark = w.paint(yellow, "!")
	}
	text := safe(p.Phase)
	if p.Ready {
		text += ", ready"
	}
	switch {
	case p.Files > 0 && p.Behind == 0:
		text += fmt.Sprintf(", serves all %d files", p.Files)
	case p.Files > 0:
		text += fmt.Sprintf(", %d of %d files are not yet what is mounted", p.Behind, p.Files)
	}
	if p.Restarts > 0 {
		text += fmt.Sprintf(", %d restarts", p.Restarts)
	}
	if p.Started != nil {
		text += ", started " + w.age(p.Started.Time) + " ago"
	}
	if p.Problem != "" {
		text += ": " + safe(p.Problem)
	}
	w.lines(below, below+"  ", mark+" pod "+safe(p.Name)+"  ", text)
}

// lines writes a text after a head, wrapped; further lines are indented by below. Only the head may have colours.
func (w *writer) lines(first, below, head, text string) {
	lines := []string{text}
	if w.Width > 0 {
		lines = wrap(text, w.Width-columns(first)-columns(plain(head)), w.Width-columns(below))
	}
	w.b.WriteString(strings.TrimRight(first+head+lines[0], " ") + "\n")
	for _, line := range lines[1:] {
		w.b.WriteString(below + line + "\n")
	}
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

func (w *writer) sign(unicode, ascii string) string {
	if w.ASCII {
		return ascii
	}
	return unicode
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

func (w *writer) age(t time.Time) string { return duration.HumanDuration(max(0, w.now.Sub(t))) }

// providerNote tells of a provider's upstream and credential, where there is no problem to tell.
func providerNote(p *Provider) string {
	if c := findCondition(p.Conditions, v1alpha1.ConditionCredentialReady); c != nil && c.Status == metav1.ConditionTrue && c.Reason == v1alpha1.ReasonIssued {
		return safe(c.Message)
	}
	if c := findCondition(p.Conditions, v1alpha1.ConditionUpstreamReady); c != nil && c.Status == metav1.ConditionUnknown && p.State == StateReady {
		return "upstream not asked yet"
	}
	return ""
}

// tenantNote tells of a tenant's keys, where there is no problem to tell.
func (w *writer) tenantNote(t *Tenant) string {
	if t.KeysFetched != nil {
		return "keys fetched " + w.age(t.KeysFetched.Time) + " ago"
	}
	c := findCondition(t.Conditions, v1alpha1.ConditionUpstreamReady)
	switch {
	case c == nil || t.State != StateReady:
		return ""
	case c.Status == metav1.ConditionUnknown:
		return "keys not fetched yet"
	case c.Status == metav1.ConditionTrue:
		return "keys fetched without fail for " + w.age(c.LastTransitionTime.Time)
	}
	return ""
}

func (w *writer) paint(style, text string) string {
	if !w.Colour || style == "" {
		return text
	}
	return style + text + reset
}

// plain is a text without its colours.
func plain(s string) string {
	for _, style := range []string{bold, green, yellow, red, faint, reset} {
		s = strings.ReplaceAll(s, style, "")
	}
	return s
}
