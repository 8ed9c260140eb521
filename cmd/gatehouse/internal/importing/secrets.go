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

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// command makes the Secret with kubectl. Single values come from the environment, so that they do not get into the shell's history.
func (s Secret) command(namespace string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "kubectl create secret generic %s --namespace %s", s.Name, namespace)
	for _, e := range s.Entries {
		switch {
		case e.File || strings.Contains(e.Value, "\n"):
			fmt.Fprintf(&b, " --from-file=%s=%s", e.Key, e.Key)
		case variable.MatchString(e.From):
			fmt.Fprintf(&b, ` --from-literal=%s="$%s"`, e.Key, e.From)
		default:
			fmt.Fprintf(&b, ` --from-literal=%s="$%s"`, e.Key, strings.ToUpper(strings.ReplaceAll(labelOf(e.Key, "value"), "-", "_")))
		}
	}
	return b.String()
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
