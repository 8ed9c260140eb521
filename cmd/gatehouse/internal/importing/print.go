// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// APIVersion of the manifests.
const APIVersion = "auth.gatehouse.dev/v1alpha1"

// Print says how the manifests were asked for.
type Print struct {
	// SecretsOut is the file that the Secrets are written to; empty: the comments say how to make them.
	SecretsOut string
}

// Manifests are the objects as YAML documents, with comments: what became of the file and what to do next at the head, and above each object what could not be
// carried over. The bytes depend on the input alone.
func (r *Result) Manifests(p Print) ([]byte, error) {
	var out bytes.Buffer
	r.head(&out, p)
	for _, o := range r.Objects {
		var b bytes.Buffer
		doc := Fields{
			{Name: "apiVersion", Value: APIVersion}, {Name: "kind", Value: o.Kind},
			{Name: "metadata", Value: Inline{{Name: "name", Value: o.Name}, {Name: "namespace", Value: r.namespace}}},
			{Name: "spec", Value: o.Spec},
		}
		if err := writeDocument(&b, doc); err != nil {
			return nil, fmt.Errorf("writing %s %s: %w", o.Kind, o.Name, err)
		}
		separator, rest, _ := strings.Cut(b.String(), "\n")
		out.WriteString(separator + "\n")
		for _, note := range o.Notes {
			wrap(&out, "", note.text())
		}
		out.WriteString(rest)
	}
	return out.Bytes(), nil
}

// writeDocument writes one document, behind a separator.
func writeDocument(out *bytes.Buffer, doc Fields) error {
	node, err := doc.node()
	if err != nil {
		return err
	}
	out.WriteString("---\n")
	e := yaml.NewEncoder(out)
	e.SetIndent(2)
	e.CompactSeqIndent()
	if err := e.Encode(node); err != nil {
		return err
	}
	return e.Close()
}

func (n Note) text() string {
	name := n.Place
	if n.Key != "" {
		name = (&Settings{place: n.Place}).at(shown(n.Key))
	}
	switch {
	case name == "":
		return n.Text
	case n.Line == 0:
		return name + ": " + n.Text
	}
	return fmt.Sprintf("%s (line %d): %s", name, n.Line, n.Text)
}

// head is the comment before the first document.
func (r *Result) head(out *bytes.Buffer, p Print) {
	wrap(out, "", fmt.Sprintf("Made from %s by `gatehouse import %s`.", oneLine(filepath.Base(r.file)), r.kind))
	if len(r.Notes) > 0 {
		out.WriteString("#\n")
		for _, note := range r.Notes {
			wrap(out, "", note.text())
		}
	}
	out.WriteString("#\n# Next:\n")
	files := "-f manifests.yaml"
	if p.SecretsOut != "" && r.HasSecrets() {
		files += " -f " + filepath.Base(oneLine(p.SecretsOut))
		wrap(out, "- ", fmt.Sprintf("%s has the Secrets: keep it out of repositories, and delete it when they are in the cluster.", filepath.Base(oneLine(p.SecretsOut))))
	}
	if p.SecretsOut == "" && r.HasSecrets() {
		wrap(out, "- ", "Import again with --secrets-out FILE, which writes the Secrets that the settings hold, or make them with these commands, with the variables and files that they name:")
	}
	for _, s := range r.Secrets {
		r.headSecret(out, s, p)
	}
	for _, step := range r.Next {
		wrap(out, "- ", step)
	}
	wrap(out, "- ", "Read the comments below; then, with this text as manifests.yaml:")
	fmt.Fprintf(out, "#     gatehouse lint %s\n#     gatehouse serve %s\n#     kubectl apply %s\n", files, files, files)
}

// headSecret says how a Secret is made, unless a file has all of it.
func (r *Result) headSecret(out *bytes.Buffer, s Secret, p Print) {
	if p.SecretsOut != "" && s.complete() {
		return
	}
	wrap(out, "- ", "Make the Secret "+s.Name+":")
	fmt.Fprintf(out, "#     %s\n", r.command(s))
	for _, e := range s.Entries {
		if text := r.whatFor(s, e); text != "" {
			wrap(out, "    ", text)
		}
	}
}

// width of a comment's text, in bytes.
const width = 120

// wrap writes a text as comment lines; what follows the first one is indented by two blanks more, or as deep as the lead.
func wrap(out *bytes.Buffer, lead, text string) {
	indent := strings.Repeat(" ", max(len(lead), 2))
	line := "# " + lead
	empty := true
	for _, word := range strings.Fields(oneLine(text)) {
		if !empty && len(line)+1+len(word) > width {
			out.WriteString(line + "\n")
			line, empty = "# "+indent, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	out.WriteString(line + "\n")
}

// oneLine keeps a text on its line, and from being anything but text.
func oneLine(text string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)), " ")
}
