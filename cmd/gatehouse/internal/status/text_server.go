// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

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
