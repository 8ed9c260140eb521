// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tellTraceless tells of settings that were read and have no field, Secret or comment: what they say is so in the manifests without one, such as a switch that is on.
func (r *Result) tellTraceless() {
	if r.settings == nil {
		return
	}
	told := r.told()
	var names []string
	for _, one := range r.settings.all {
		if !r.settings.read[one.Key] || !r.settings.Has(one.Key) || one.Value.hasMembers() {
			continue
		}
		if !slices.ContainsFunc(told, func(text string) bool { return mentions(text, shown(one.name())) }) {
			names = append(names, fmt.Sprintf("%s (line %d)", shown(one.name()), one.Line))
		}
	}
	if len(names) > 0 {
		r.Notes = append(r.Notes, Note{Text: "without a field of their own, as the manifests say the same without one: " + strings.Join(names, ", "), Line: MaxFile})
	}
}

// hasMembers tells whether a value has settings inside, which are told by themselves.
func (v Value) hasMembers() bool {
	return v.Kind == Mapping || slices.ContainsFunc(v.Items, func(item Value) bool { return item.Kind == Mapping })
}

// told are the texts in which settings are named.
func (r *Result) told() []string {
	var out []string
	notes := func(all []Note) {
		for _, n := range all {
			out = append(out, n.Key, n.Text)
		}
	}
	notes(r.Notes)
	for _, o := range r.Objects {
		notes(o.Notes)
		eachFrom(o.Spec, func(from string) { out = append(out, from) })
	}
	for _, s := range r.Secrets {
		for _, e := range s.Entries {
			out = append(out, e.From, e.Hint)
		}
	}
	return out
}

// eachFrom calls f with the origin of each field.
func eachFrom(v any, f func(from string)) {
	switch v := v.(type) {
	case Fields:
		for _, one := range v {
			f(one.From)
			eachFrom(one.Value, f)
		}
	case Inline:
		eachFrom(Fields(v), f)
	case []Fields:
		for _, one := range v {
			eachFrom(one, f)
		}
	case []Inline:
		for _, one := range v {
			eachFrom(one, f)
		}
	}
}

// mentions tells whether a text has a name as a word of its own.
func mentions(text, name string) bool {
	inName := func(r rune) bool {
		return r == '_' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
	}
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(name):])
		if !inName(before) && !inName(after) {
			return true
		}
		from = i + 1
	}
}
