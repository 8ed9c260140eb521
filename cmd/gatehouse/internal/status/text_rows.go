// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"strings"
)

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

// tally counts a group's objects by state.
func (w *writer) tally(rows []row) string {
	var ready, disabled, warned int
	states := map[State]int{}
	for i := range rows {
		switch o := rows[i].Object; {
		case o.State == StateDisabled:
			disabled++
		case o.State == StateReady:
			ready++
			if len(o.Problems) > 0 {
				warned++
			}
		default:
			states[o.State]++
		}
	}
	var parts []string
	add := func(style string, n int, what string) {
		if n > 0 {
			parts = append(parts, w.paint(style, number(n)+" "+what))
		}
	}
	add(red, states[StateStalled], "stalled")
	add(red, states[StateNotReady], "not ready")
	add(yellow, states[StateProgressing], "progressing")
	add(yellow, states[StateTerminating], "terminating")
	add("", ready, "ready")
	add(faint, disabled, "disabled")
	text := strings.Join(parts, ", ")
	if warned > 0 {
		text += w.paint(yellow, " ("+number(warned)+" with warnings)")
	}
	return text
}
