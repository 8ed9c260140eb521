// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// defaultNamespace is where objects are that name none.
const defaultNamespace = "default"

// document is one YAML or JSON document, or one item of a List.
type document struct {
	file string
	line int // of its first line of content
	// node gives lines; value is what an API server would be sent.
	node  *yaml.Node
	value map[string]any

	apiVersion, kind, namespace, name string
}

// chunk is the text of one document before parsing.
type chunk struct {
	file string
	line int // of the text's first line
	text []byte
}

var separator = regexp.MustCompile(`^---(\s|$)`)

// split cuts a file at its document separators, so that a syntax error in one document does not hide the others.
func split(s source) []chunk {
	text := bytes.TrimPrefix(s.text, []byte("\xef\xbb\xbf"))
	var out []chunk
	current := chunk{file: s.name, line: 1}
	line := 0
	for text := range bytes.Lines(text) {
		line++
		if separator.Match(text) {
			out = append(out, current)
			// What stands behind the dashes belongs to the document; blanks keep its column.
			current = chunk{file: s.name, line: line, text: append([]byte("   "), text[3:]...)}
			continue
		}
		current.text = append(current.text, text...)
	}
	return append(out, current)
}

// parse reads one chunk; nothing comes of one without content. The error is for the user and holds the line.
func (c chunk) parse() ([]*document, *Finding) {
	var root yaml.Node
	if err := yaml.Unmarshal(c.text, &root); err != nil {
		return nil, c.syntaxError(err)
	}
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return nil, nil // empty, or no Kubernetes object
	}
	node := root.Content[0]
	if !wanted(node) {
		return nil, nil // not even a duplicate key of other kinds is our business
	}
	var value map[string]any
	text, err := sigsyaml.YAMLToJSONStrict(c.text)
	if err == nil {
		err = utiljson.Unmarshal(text, &value)
	}
	if err != nil {
		return nil, c.syntaxError(err)
	}
	shift(node, c.line-1, map[*yaml.Node]bool{})
	return expand(&document{file: c.file, line: node.Line, node: node, value: value}), nil
}

// expand names a document and takes a v1 List apart.
func expand(d *document) []*document {
	d.apiVersion, _ = d.value["apiVersion"].(string)
	d.kind, _ = d.value["kind"].(string)
	if d.kind == "List" && d.apiVersion == "v1" {
		var out []*document
		items, _ := d.value["items"].([]any)
		nodes := child(d.node, "items")
		for i, item := range items {
			value, isMap := item.(map[string]any)
			if !isMap || nodes == nil || i >= len(nodes.Content) {
				continue
			}
			node := follow(nodes.Content[i])
			out = append(out, expand(&document{file: d.file, line: node.Line, node: node, value: value})...)
		}
		return out
	}
	meta, _ := d.value["metadata"].(map[string]any)
	d.name, _ = meta["name"].(string)
	if d.namespace, _ = meta["namespace"].(string); d.namespace == "" {
		d.namespace = defaultNamespace
	}
	return []*document{d}
}

// finding is about a field of the document, the document itself with "".
func (d *document) finding(field, message string) Finding {
	f := Finding{File: d.file, Line: d.lineOf(field), Severity: SeverityError, Namespace: d.namespace, Message: message}
	if d.kind != "" {
		f.Object = d.kind + "/" + d.name
	}
	f.Tenant = d.tenant()
	return f
}

var (
	sniffKind   = regexp.MustCompile(`(?m)^[ {]{0,4}"?kind"?:\s*["']?([A-Za-z]+)`)
	sniffTenant = regexp.MustCompile(`(?m)(?:^|[ {,])"?tenantID"?:\s*["']?([A-Za-z0-9._-]+)`)
	sniffName   = regexp.MustCompile(`(?m)^"?metadata"?:\s*(?:\{[^}\n]*?|(?:\n[ \t]+[^\n]*)*?\n[ \t]+)"?name"?:\s*["']?([A-Za-z0-9.-]+)`)
	errorLine   = regexp.MustCompile(`line (\d+)`)
	anchors     = regexp.MustCompile(`unknown anchor '[^']*' referenced`)
)

// sniff guesses the kind of a text that may not parse.
func (c chunk) sniff() string {
	if m := sniffKind.FindSubmatch(c.text); m != nil {
		return string(m[1])
	}
	return ""
}

// syntaxError turns a parser's error into a finding at its line of the file.
func (c chunk) syntaxError(err error) *Finding {
	f := &Finding{File: c.file, Line: c.firstLine(), Severity: SeverityError}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(strings.TrimPrefix(text, "error converting YAML to JSON: "), "yaml: ")
	text = strings.TrimSpace(strings.TrimPrefix(text, "unmarshal errors:"))
	if m := errorLine.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1]) // digits
		f.Line = c.line - 1 + max(n, 1)
		text = strings.TrimPrefix(text, m[0]+": ")
	}
	text, _, _ = strings.Cut(text, "\n")
	text = anchors.ReplaceAllString(text, "unknown anchor referenced: put a value that begins with * in quotes")
	f.Message = "the document is not valid YAML and is left out: " + text
	if kind := c.sniff(); kind != "" {
		f.Object = kind + "/"
		if m := sniffName.FindSubmatch(c.text); m != nil {
			f.Object += string(m[1])
		}
		if m := sniffTenant.FindSubmatch(c.text); m != nil && kind == v1alpha1.KindTenantJWTPolicy {
			f.Tenant = string(m[1])
		}
	}
	return f
}

// firstLine is the first line with content.
func (c chunk) firstLine() int {
	line := c.line
	for text := range bytes.Lines(c.text) {
		if t := bytes.TrimSpace(text); len(t) > 0 && t[0] != '#' {
			return line
		}
		line++
	}
	return c.line
}

var errNoValue = errors.New("the content is not a mapping of strings")

// texts reads a mapping of strings, such as data or labels. The error names the key, never the value.
func texts(v any, field string) (map[string]string, error) {
	if v == nil {
		return nil, nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: %w", field, errNoValue)
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		s, ok := v.(string)
		if !ok && v != nil {
			return nil, fmt.Errorf("%s.%s must be a string: put it in quotes", field, k)
		}
		out[k] = s
	}
	return out, nil
}
