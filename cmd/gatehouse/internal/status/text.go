// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// Style is how a report is written for people.
type Style struct {
	// Width is the terminal's, in columns; 0 wraps nothing.
	Width int
	// ASCII draws the tree with the characters that every terminal and log has.
	ASCII  bool
	Colour bool
	// Verbose shows every condition of every object.
	Verbose bool
	// All shows every object; else long lists are cut to those that need somebody and some that do not.
	All bool
}

// What is shown of a long list without Style.All.
const (
	shownProblems = 20
	shownReady    = 10
	shortList     = 25 // is shown whole
)

// ANSI colours (ECMA-48 §8.3.117).
const (
	bold   = "\x1b[1m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	red    = "\x1b[1;31m"
	faint  = "\x1b[2m"
	reset  = "\x1b[0m"
)

// guides are the pieces that a tree is drawn with.
type guides struct{ branch, last, down, none, more, dash string }

var (
	unicodeGuides = guides{"├─ ", "└─ ", "│  ", "   ", "…", "·"}
	asciiGuides   = guides{"|- ", "`- ", "|  ", "   ", "...", "-"}
)

// writer draws a report.
type writer struct {
	Style
	guides
	b   strings.Builder
	now time.Time
}

// Text is a report for people: the tree, then the summary. Its ages are those at now.
func Text(r *Report, s Style, now time.Time) string {
	return Tree(r, s, now) + Line(r, s) + "\n"
}

// Line is the summary of a report in one line: how many objects there are, and how they are.
func Line(r *Report, s Style) string {
	w := &writer{Style: s}
	return w.summary(r)
}

// Tree is the tree of a report, without the summary.
func Tree(r *Report, s Style, now time.Time) string {
	w := &writer{Style: s, guides: unicodeGuides, now: now}
	if s.ASCII {
		w.guides = asciiGuides
	}
	for i := range r.AuthServers {
		w.server(r, &r.AuthServers[i])
		w.b.WriteByte('\n')
	}
	for _, note := range r.Notes {
		w.lines("", "", w.paint(faint, "Note: "), safe(note))
	}
	return w.b.String()
}

func (w *writer) summary(r *Report) string {
	s := &r.Summary
	total := s.AuthServers.Total + s.IdentityProviders.Total + s.TenantJWTPolicies.Total
	switch {
	case total == 0 && r.Namespace == "":
		return "There is no AuthServer, IdentityProvider or TenantJWTPolicy in any namespace."
	case total == 0:
		return "There is no AuthServer, IdentityProvider or TenantJWTPolicy in namespace " + safe(r.Namespace) + "; -A looks in all namespaces."
	}
	var parts []string
	for _, c := range []struct {
		n            int
		one, several string
	}{
		{s.AuthServers.Total, "AuthServer", "AuthServers"}, {s.IdentityProviders.Total, "IdentityProvider", "IdentityProviders"},
		{s.TenantJWTPolicies.Total, "TenantJWTPolicy", "TenantJWTPolicies"},
	} {
		if c.n > 0 {
			parts = append(parts, number(c.n)+" "+plural(c.n, c.one, c.several))
		}
	}
	ready := s.AuthServers.Ready + s.IdentityProviders.Ready + s.TenantJWTPolicies.Ready
	text := strings.Join(parts, ", ") + ": "
	switch {
	case ready < total:
		text += w.paint(red, number(total-ready)+" not ready")
	case total == 1:
		text += w.paint(green, "ready")
	default:
		text += w.paint(green, "all ready")
	}
	if s.Warnings > 0 {
		text += ", " + w.paint(yellow, number(s.Warnings)+" "+plural(s.Warnings, "warning", "warnings"))
	}
	return text
}

// server draws an AuthServer and what belongs to it.
func (w *writer) server(r *Report, s *Server) {
	w.b.WriteString(w.mark(&s.Object) + " " + w.paint(bold, safe(s.Namespace+"/"+s.Name)) + "  AuthServer  " + w.state(&s.Object, 0) + w.since(&s.Object) + "\n")
	groups := w.groups(r, s)
	down := w.down
	if len(groups) == 0 {
		down = w.none
	}
	if s.State == StateUnknown {
		w.lines(down, down, "", "you may not get authservers in namespace "+safe(s.Namespace)+": only what belongs to it here is shown")
	}
	for _, fact := range w.facts(s) {
		w.lines(down, down+strings.Repeat(" ", factWidth), w.paint(faint, pad(fact[0], factWidth)), fact[1])
	}
	if !s.partial || len(s.Problems) > 0 {
		w.details(down, &s.Object)
	}
	for _, p := range s.Pods {
		w.pod(down, &p)
	}
	for i, g := range groups {
		guide, below := w.branch, w.down
		if i == len(groups)-1 {
			guide, below = w.last, w.none
		}
		w.b.WriteString(guide + w.paint(bold, g.title) + "  " + w.tally(g.rows) + "\n")
		w.rows(below, g.rows, g.elsewhere)
	}
}

// factWidth is the width of the names of facts, and two spaces.
const factWidth = len("signing keys") + 2

// facts are what is known of a server beside its state.
func (w *writer) facts(s *Server) [][2]string {
	if s.partial || s.State == StateMissing || s.State == StateUnknown {
		return nil
	}
	var facts [][2]string
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, [2]string{name, value})
		}
	}
	add("address", safe(s.URL))
	switch {
	case s.Applied == "0/0":
		add("replicas", fmt.Sprintf("none ready, of %d", s.Replicas))
	case s.Applied != "" && s.ConfigHash != "":
		add("replicas", fmt.Sprintf("%s serve configuration %s", safe(s.Applied), safe(short(s.ConfigHash))))
	}
	keys := make([]string, 0, len(s.SigningKeys))
	for i := range s.SigningKeys {
		keys = append(keys, w.key(&s.SigningKeys[i]))
	}
	add("signing keys", strings.Join(keys, " "+w.dash+" "))
	store := safe(s.Store)
	if c := findCondition(s.Conditions, v1alpha1.ConditionStorePersistent); c != nil && c.Status == "False" {
		store += " (starts empty with each pod)"
	}
	add("store", store)
	return facts
}

// key says what a signing key does.
func (w *writer) key(k *SigningKey) string {
	text := safe(k.Algorithm) + " " + safe(short(k.KeyID))
	switch k.Use {
	case UseNext:
		return text + " begins to sign in " + duration.HumanDuration(k.ActiveFrom.Sub(w.now))
	case UseRetiring:
		if k.RetireAfter != nil && k.RetireAfter.After(w.now) {
			return text + " retires in " + duration.HumanDuration(k.RetireAfter.Sub(w.now))
		}
		return text + " retires"
	}
	return text + " signs for " + w.age(k.ActiveFrom.Time)
}

// short is what people need of a hash to tell it from another.
func short(hash string) string {
	characters := []rune(hash)
	return string(characters[:min(len(characters), 8)])
}

// group is one kind beneath a server.
type group struct {
	title     string
	rows      []row
	elsewhere int // how many the server serves of namespaces that were not read
}

// row is one object beneath a server.
type row struct {
	*Object
	label, what, note string
	// brief says that the AuthServer's own lines tell what is wrong with the object.
	brief bool
}

func (w *writer) groups(r *Report, s *Server) []group {
	var out []group
	idps := group{title: "IdentityProviders"}
	for i := range s.IdentityProviders {
		p := &s.IdentityProviders[i]
		idps.rows = append(idps.rows, newRow(s, &p.Object, safe(p.Type), providerNote(p)))
	}
	tenants := group{title: "TenantJWTPolicies"}
	for i := range s.TenantJWTPolicies {
		t := &s.TenantJWTPolicies[i]
		what := "tenant " + safe(t.TenantID)
		if t.Default {
			what += " (default)"
		}
		tenants.rows = append(tenants.rows, newRow(s, &t.Object, what, w.tenantNote(t)))
	}
	if r.Namespace != "" && s.shared && !s.partial && s.State == StateReady {
		idps.elsewhere = int(s.ServedIdentityProviders) - served(idps.rows)
		tenants.elsewhere = int(s.ServedTenantJWTPolicies) - served(tenants.rows)
	}
	for _, g := range []group{idps, tenants} {
		if len(g.rows) > 0 || g.elsewhere > 0 {
			slices.SortStableFunc(g.rows, func(a, b row) int { return cmp.Compare(urgency(a.Object), urgency(b.Object)) })
			out = append(out, g)
		}
	}
	return out
}

// served is how many objects the server serves, by what their conditions say.
func served(rows []row) (n int) {
	for i := range rows {
		accepted, resolved := findCondition(rows[i].Conditions, v1alpha1.ConditionAccepted), findCondition(rows[i].Conditions, v1alpha1.ConditionResolvedRefs)
		if accepted != nil && accepted.Status == "True" && resolved != nil && resolved.Status == "True" && rows[i].State != StateDisabled {
			n++
		}
	}
	return n
}

// newRow makes a row beneath s. An object's name has its namespace where that is not the server's.
func newRow(s *Server, o *Object, what, note string) row {
	r := row{Object: o, label: safe(o.Name), what: what, note: note}
	if o.Namespace != s.Namespace {
		r.label = safe(o.Namespace + "/" + o.Name)
	}
	missing := s.State == StateMissing && o.Reason == v1alpha1.ReasonNoMatchingAuthServer && o.Namespace == s.Namespace
	down := !o.State.ready() && o.Reason == v1alpha1.ReasonNoReadyReplicas && s.Reason == o.Reason && len(o.Problems) == 1
	if missing || down {
		r.brief, r.note = true, safe(o.Reason)
	}
	return r
}

// urgency orders objects by how much they need somebody.
func urgency(o *Object) int {
	switch {
	case o.State == StateStalled, o.State == StateNotReady:
		return 0
	case !o.State.ready():
		return 1
	case len(o.Problems) > 0:
		return 2
	}
	return 3
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

// number is n with separators between thousands.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, one, several string) string {
	if n == 1 {
		return one
	}
	return several
}
