// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Importers are the systems that files can come from, by the name on the command line.
var Importers = map[string]Kind{
	"dex":          dex,
	"jumper":       jumper,
	"jumpserver":   jumpserver,
	"jwt-bearer":   jwtBearer,
	"oauth2-proxy": oauth2Proxy,
	"timbr":        timbr,
}

// Kind is a system whose settings can be imported.
type Kind struct {
	// Usage is one line: what is imported.
	Usage string
	// File stands for the file in the command's usage, such as FILE.env.
	File string
	// Long says how settings are read, and Example shows commands, for --help.
	Long, Example string
	// Options are the flags of this kind alone.
	Options []Option
	// Import reads a file.
	Import Importer
}

// Option is a flag of one kind.
type Option struct {
	Name, Value, Usage string
	// Many: the flag may be repeated, and a comma separates values too.
	Many bool
}

// Input is what an import starts from.
type Input struct {
	// File is the name for messages.
	File string
	// Data is the file's text. Import refuses what is none.
	Data []byte
	// Namespace of the manifests.
	Namespace string
	// Name of the imported object, or where there are several the beginning of each name; empty: the importer chooses.
	Name string
	// Options are the values of the kind's own flags.
	Options map[string][]string
	// Beside reads the file of a name, without its folders, that lies in the folder of File, up to MaxFile bytes. Nil: there are none.
	Beside func(name string) ([]byte, error)
}

// Option is the value of a flag that is given once, "" if it is not.
func (in Input) Option(name string) string {
	if values := in.Options[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// Named is a name that the importer would choose, behind Input.Name and a dash if that is given.
func (in Input) Named(name string) string {
	if in.Name == "" {
		return name
	}
	return in.Name + "-" + name
}

// Importer reads the settings of one system. Its error is a [Mistakes], or a [UsageError] about a flag.
type Importer func(in Input) (*Result, error)

// Result is what became of a file.
type Result struct {
	// Objects in the order in which they are printed.
	Objects []Object
	// Secrets that the objects name.
	Secrets []Secret
	// Notes are about no object, such as keys that Gatehouse has nothing for.
	Notes []Note
	// Next is what is left to do elsewhere, such as registering a redirect URI: a sentence each.
	Next []string

	kind, file, namespace string
	settings              *Settings
}

// Object is a manifest of kind AuthServer, IdentityProvider or TenantJWTPolicy.
type Object struct {
	Kind, Name string
	Spec       Fields
	Notes      []Note
}

// Note is a value that could not be carried over, or was read differently. It is printed as a comment beside its object. It never holds a
// value of the input, unless it is one of a few known words.
type Note struct {
	// Place is where the setting is in the file, such as connectors[2].config; empty: it is the file's own. It is never a text of the file.
	Place string
	// Key is the setting's name; empty for what is about no single one.
	Key, Text string
	// Line of the setting, 1 for the first; 0 if it has none. Notes are printed in this order.
	Line int
}

// UsageError is a mistake in a flag.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// usage makes a UsageError.
func usage(format string, args ...any) error { return &UsageError{fmt.Errorf(format, args...)} }

// Mistake is something in a file that cannot be read. Its text never holds a value of the file.
type Mistake struct {
	File string
	Line int // 1 for the first; 0: the file as a whole
	Text string
}

func (m Mistake) Error() string {
	if m.Line == 0 {
		return fmt.Sprintf("%s: %s", m.File, m.Text)
	}
	return fmt.Sprintf("%s:%d: %s", m.File, m.Line, m.Text)
}

// Mistakes are all that was found in a file, by line.
type Mistakes []Mistake

func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, one := range m {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Import reads a file of the kind, which must be one of Importers. The error is a [Mistakes] or a [UsageError].
func Import(kind string, in Input) (*Result, error) {
	k, ok := Importers[kind]
	if !ok {
		return nil, usage("there is no kind %q to import", kind)
	}
	if err := checkNames(in); err != nil {
		return nil, err
	}
	text, err := readable(in.File, in.Data)
	if err != nil {
		return nil, err
	}
	in.Data = text
	r, err := k.Import(in)
	if err := checkKind(kind, in, r, err); err != nil {
		return nil, err
	}
	if len(r.Objects) == 0 {
		return nil, Mistakes{{File: in.File, Text: "there is nothing to import in it"}}
	}
	r.kind, r.file, r.namespace = kind, in.File, in.Namespace
	for i := range r.Objects {
		sortNotes(r.Objects[i].Notes)
	}
	r.tellTraceless()
	sortNotes(r.Notes)
	if err := r.leak(); err != nil {
		return nil, err
	}
	return r, nil
}

func sortNotes(notes []Note) {
	slices.SortStableFunc(notes, func(a, b Note) int { return cmp.Compare(a.Line, b.Line) })
}

func checkNames(in Input) error {
	if !isLabel(in.Namespace) {
		return usage("--namespace is %q: want a name such as team-a: lower-case letters, digits and dashes, at most 63", in.Namespace)
	}
	if in.Name != "" && (!isLabel(in.Name) || len(in.Name) > maxName) {
		return usage("--name is %q: want a name such as sso: lower-case letters, digits and dashes, at most %d", in.Name, maxName)
	}
	return nil
}

// AsMistakes are those of an error of Import; nil if it is about something else.
func AsMistakes(err error) Mistakes {
	var m Mistakes
	errors.As(err, &m)
	return m
}
