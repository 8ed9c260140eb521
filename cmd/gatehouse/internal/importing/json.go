// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mapNode is any JSON object, with its members sorted.
func mapNode(m map[string]any) (*yaml.Node, error) {
	var f Fields
	for _, name := range slices.Sorted(maps.Keys(m)) {
		f.Set(name, m[name])
	}
	return f.node()
}

func numberTag(n json.Number) string {
	if strings.ContainsAny(n.String(), ".eE") {
		return "!!float"
	}
	return "!!int"
}

// octJWK is a secret as a JWK (RFC 7518 section 6.4).
func octJWK(secret string) string {
	return `{"kty":"oct","k":"` + base64.RawURLEncoding.EncodeToString([]byte(secret)) + `"}`
}
