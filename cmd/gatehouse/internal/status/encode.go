// SPDX-License-Identifier: Apache-2.0

package status

import (
	"bytes"
	"encoding/json"
	"fmt"

	"sigs.k8s.io/yaml"
)

// JSON is a report as indented JSON.
func JSON(r *Report) (string, error) { return encode(r, "  ") }

// JSONLine is a report as one line of JSON.
func JSONLine(r *Report) (string, error) { return encode(r, "") }

func encode(r *Report, indent string) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(r); err != nil {
		return "", fmt.Errorf("encoding the status: %w", err)
	}
	return b.String(), nil
}

// YAML is a report as a YAML document.
func YAML(r *Report) (string, error) {
	text, err := yaml.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("encoding the status: %w", err)
	}
	return string(text), nil
}
