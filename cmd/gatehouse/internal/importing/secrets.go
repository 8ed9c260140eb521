// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"bytes"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Secret is a Secret that the objects name.
type Secret struct {
	Name    string
	Entries []Entry
}

// Entry is one key of a Secret.
type Entry struct {
	Key string
	// Value as it stands in the file; empty where it is not in there.
	Value string
	// From is the setting that has it, or has it elsewhere.
	From string
	// Line of that setting, 0 if it has none.
	Line int
	// Hint says what to put there, where that is not the value of From.
	Hint string
	// File: the value has several lines or is no text, and kubectl reads it from a file of the key's name.
	File bool
}

// complete tells whether the file has every value.
func (s Secret) complete() bool {
	return !slices.ContainsFunc(s.Entries, func(e Entry) bool { return e.Value == "" })
}

// HasSecrets tells whether SecretsFile has something to write.
func (r *Result) HasSecrets() bool {
	return slices.ContainsFunc(r.Secrets, func(s Secret) bool {
		return slices.ContainsFunc(s.Entries, func(e Entry) bool { return e.Value != "" })
	})
}

// SecretsFile are the Secrets as YAML, with the values that the file has. It is for a file that only its owner can read.
func (r *Result) SecretsFile() ([]byte, error) {
	var out bytes.Buffer
	for _, s := range r.Secrets {
		var data Fields
		for _, e := range s.Entries {
			if e.Value != "" {
				data.Set(e.Key, e.Value)
			}
		}
		if len(data) == 0 {
			continue
		}
		doc := Fields{
			{Name: "apiVersion", Value: "v1"}, {Name: "kind", Value: "Secret"},
			{Name: "metadata", Value: Inline{{Name: "name", Value: s.Name}, {Name: "namespace", Value: r.namespace}}},
			{Name: "type", Value: "Opaque"}, {Name: "stringData", Value: data},
		}
		if err := writeDocument(&out, doc); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// command makes the Secret with kubectl. Single values come from the environment, so that they do not get into the shell's history.
func (r *Result) command(s Secret) string {
	var b strings.Builder
	fmt.Fprintf(&b, "kubectl create secret generic %s --namespace %s", s.Name, r.namespace)
	for _, e := range s.Entries {
		if e.ofFile() {
			fmt.Fprintf(&b, " --from-file=%s=%s", e.Key, r.fileOf(s, e))
		} else {
			fmt.Fprintf(&b, ` --from-literal=%s="$%s"`, e.Key, r.variableOf(s, e))
		}
	}
	return b.String()
}

// ofFile tells whether kubectl reads an entry from a file.
func (e Entry) ofFile() bool { return e.File || strings.Contains(e.Value, "\n") }

// fileOf is the file that kubectl reads an entry from: one of its own, also where other Secrets have the same key.
func (r *Result) fileOf(s Secret, e Entry) string {
	for _, other := range r.Secrets {
		if other.Name != s.Name && slices.ContainsFunc(other.Entries, func(o Entry) bool { return o.Key == e.Key && o.ofFile() }) {
			return s.Name + "-" + e.Key
		}
	}
	return e.Key
}

var environment = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)

// fromEnvironment tells whether an entry's setting is a variable of the old system's environment, in which there is one of a name.
func (r *Result) fromEnvironment(e Entry) bool {
	return environment.MatchString(e.From) && (e.Value == "" || r.settings != nil && r.settings.env)
}

var wordBreak = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// variableOf is the variable that kubectl takes an entry from: the setting itself, if it is one, else one of its own, named after Secret and key.
func (r *Result) variableOf(s Secret, e Entry) string {
	if r.fromEnvironment(e) {
		return e.From
	}
	name := strings.Trim(notInLabel.ReplaceAllString(strings.ToLower(s.Name+"_"+wordBreak.ReplaceAllString(e.Key, "${1}_${2}")), "_"), "_")
	if name[0] <= '9' {
		name = "_" + name
	}
	return strings.ToUpper(name)
}

// whatFor says what has to be in a file or variable that a command names; "" where its name says it.
func (r *Result) whatFor(s Secret, e Entry) string {
	value := e.Hint
	if e.Value != "" && value == "" {
		value = "the value of " + shown(e.From)
		if e.Line > 0 {
			value += fmt.Sprintf(" (line %d)", e.Line)
		}
	}
	switch {
	case e.ofFile() && e.Value != "" && e.Hint == "":
		return fmt.Sprintf("The file %s holds %s.", r.fileOf(s, e), value)
	case e.ofFile():
		return fmt.Sprintf("%s: %s", r.fileOf(s, e), value)
	case e.Value == "" || e.Hint != "":
		return fmt.Sprintf("%s: %s", e.Key, value)
	case !r.fromEnvironment(e):
		return fmt.Sprintf("%s: %s", r.variableOf(s, e), value)
	}
	return ""
}

// leak finds a value that must not be printed in what an object says. It names the place, and the setting that the value belongs to. A URL that may hold one is refused, whichever
// setting it comes from.
func (r *Result) leak() error {
	if r.settings == nil {
		return nil
	}
	hidden := r.settings.hidden()
	values := slices.Sorted(maps.Keys(hidden))
	for _, o := range r.Objects {
		var place, address string
		var of *Setting
		visit := func(at, text string) {
			if address == "" && secretURL(text) {
				address = at
			}
			for _, value := range values {
				if place == "" && within(text, value) {
					place, of = at, hidden[value]
				}
			}
		}
		visit("metadata.name", o.Name)
		eachText("spec", o.Spec, visit)
		if place != "" {
			return Mistakes{{File: r.file, Line: of.Line, Text: fmt.Sprintf(
				"%s: its value looks like a secret and would be printed as %s of %s: take it out of that setting, or rename this one", shown(of.name()), place, o.Kind)}}
		}
		if address != "" {
			return Mistakes{{File: r.file, Text: fmt.Sprintf("%s of %s would be a URL with a user or a parameter that may be a secret: take that out of its setting", address, o.Kind)}}
		}
	}
	return nil
}

// secretURL tells whether a text is a URL with a part that may be a secret.
func secretURL(text string) bool {
	if !strings.Contains(text, "://") {
		return false
	}
	u, err := url.Parse(strings.TrimSpace(text))
	return err == nil && u.Host != "" && (u.User != nil || secretQuery(u))
}

// eachText calls f with each text in a field's value, and where it is.
func eachText(at string, v any, f func(at, text string)) {
	switch v := v.(type) {
	case string:
		f(at, v)
	case []string:
		eachItem(at, v, f)
	case Fields:
		for _, one := range v {
			eachText(at+"."+one.Name, one.Value, f)
		}
	case Inline:
		eachText(at, Fields(v), f)
	case []Fields:
		eachItem(at, v, f)
	case []Inline:
		eachItem(at, v, f)
	case []any:
		eachItem(at, v, f)
	case map[string]any:
		for name, one := range v {
			f(at, name)
			eachText(at, one, f)
		}
	case fmt.Stringer:
		f(at, v.String())
	}
}

func eachItem[T any](at string, items []T, f func(at, text string)) {
	for _, one := range items {
		eachText(at, one, f)
	}
}
