// SPDX-License-Identifier: Apache-2.0

package status

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

// JSON is a report as indented JSON.
func JSON(r *Report) (string, error) { return encode(r, "  ") }

// JSONLine is a report as one line of JSON.
func JSONLine(r *Report) (string, error) { return encode(r, "") }

func encode(r *Report, indent string) (string, error) {
	text, err := plainJSON(r, indent)
	return escaped(text, func(r rune) bool { return !strconv.IsPrint(r) }), err
}

func plainJSON(r *Report, indent string) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(r); err != nil {
		return "", fmt.Errorf("encoding the status: %w", err)
	}
	return b.String(), nil
}

// escaped is JSON without characters that a terminal obeys. encoding/json leaves those beyond ASCII as they are; they stand in strings alone, where an escape is the same.
func escaped(text string, obeyed func(rune) bool) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf || !obeyed(r):
			b.WriteRune(r)
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		}
	}
	return b.String()
}

// YAML is a report as a YAML document, in which control characters are escaped.
func YAML(r *Report) (string, error) {
	compact, err := plainJSON(r, "")
	if err != nil {
		return "", err
	}
	text, err := yaml.JSONToYAML([]byte(escaped(compact, unicode.IsControl))) // a control character itself is no YAML
	if err != nil {
		return "", fmt.Errorf("encoding the status: %w", err)
	}
	return string(text), nil
}
