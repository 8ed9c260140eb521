// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// read reads a payload as that of a verified token.
func read(t testing.TB, payload string) *token.Claims {
	t.Helper()
	c, err := token.ReadClaims([]byte(payload))
	if err != nil {
		t.Fatalf("reading %.100s: %v", payload, err)
	}
	return c
}

// with returns a payload with one claim.
func with(t testing.TB, name string, value any) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"exp": 4102444800, name: value})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// named adds a sub to a payload.
func named(payload string) string {
	return strings.Replace(strings.Replace(payload, "{", `{"sub":"s",`, 1), ",}", "}", 1)
}

func compile(t testing.TB, c config.ClaimRules, tenant string) *Rules {
	t.Helper()
	if c.Username.Zero() {
		c.Username.Source = claim("sub")
	}
	r, err := Compile(&c, tenant)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func claim(names ...string) config.Source { return config.Source{Claims: names} }

func joined(names ...string) config.Source { return config.Source{Joined: names} }

func cel(text string) config.Source { return config.Source{Expression: text} }
