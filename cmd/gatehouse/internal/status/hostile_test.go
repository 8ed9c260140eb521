// SPDX-License-Identifier: Apache-2.0

package status

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// hostile is what whoever writes an object may hope that a terminal obeys: a title, a colour, another line, a control sequence of one byte, text from right to left, a byte
// that is no UTF-8, and a tag character beyond 16 bits.
const hostile = "\x1b]0;owned\x07\x1b[31m\r\ndefault/fake  AuthServer  Ready\u009b2J\u202e\u2066\u200b\u2028\xff\U000e0041"

// spoil puts it before and behind every text of a value, but for what the program itself puts there: states, severities, the names of versions, and unless all is set those that the drawing goes by.
func spoil(v reflect.Value, name string, all bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			spoil(v.Elem(), "", all)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				spoil(v.Field(i), field.Name, all)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			spoil(v.Index(i), name, all)
		}
	case reflect.String:
		switch v.Interface().(type) {
		case State, Severity:
			return
		}
		if name == "APIVersion" || name == "Kind" || !all && (name == "Type" || name == "Condition" || name == "Use" || name == "Status" || name == "Applied") {
			return
		}
		v.SetString(hostile + v.String() + hostile)
	}
}

// unfit returns what a text has that a terminal may obey.
func unfit(text string) (found []string) {
	for _, r := range strings.ReplaceAll(text, "\n", "") {
		if !strconv.IsPrint(r) {
			found = append(found, strconv.QuoteRuneToASCII(r))
		}
	}
	return found
}

// TestHostileTexts guards terminals: whatever stands in an object, in a condition, an event, a pod, an algorithm or a display name, nothing of it is obeyed or begins a line, in any way of writing a report.
func TestHostileTexts(t *testing.T) {
	for _, all := range []bool{false, true} {
		r := NewReport(&Objects{
			Time: now, Servers: []*v1alpha1.AuthServer{server("default"), server("edge", func(s *v1alpha1.AuthServer) { s.Status.Conditions = undelivered("NoReadyReplicas", "no pod") })},
			Pods:    []corev1.Pod{running("gatehouse-default-1"), crashing("gatehouse-default-2")},
			Answers: map[types.NamespacedName]Answer{{Namespace: "default", Name: "gatehouse-default-1"}: answer("b", "a", 1), {Namespace: "default", Name: "gatehouse-default-2"}: {Problem: "x"}},
			Providers: []*v1alpha1.IdentityProvider{provider("default", "sso", "OIDC", good()),
				provider("default", "api", "JWTBearer", good(condition("CredentialReady", "True", "Issued", "until then")))},
			Policies:   []*v1alpha1.TenantJWTPolicy{policy("default", "acme", refused("ResolvedRefs", "RefInvalid", "no usable key")), policy("default", "globex", good())},
			Events:     []corev1.Event{event("acme", "something", 2)},
			Unreadable: map[types.NamespacedName]bool{{Namespace: "other", Name: "away"}: true}, Notes: []string{"a note"},
		})
		r.Namespace = "default"
		r.AuthServers[0].IdentityProviders[0].DisplayName = "Staff"
		lines := strings.Count(Text(r, Style{Verbose: true, All: true}, now), "\n")
		spoil(reflect.ValueOf(r), "", all)
		for _, style := range []Style{{}, {Verbose: true, All: true}, {ASCII: true, Width: 60}} {
			text := Text(r, style, now) + Line(&Report{Namespace: r.Namespace}, style)
			if found := unfit(text); found != nil {
				t.Errorf("%+v, all %v: %v in\n%q", style, all, found, text)
			}
			if style.Verbose && !all && strings.Count(text, "\n") != lines {
				t.Errorf("%d lines, want %d:\n%q", strings.Count(text, "\n"), lines, text)
			}
		}
		colours := Text(r, Style{Colour: true, Verbose: true}, now)
		if found := unfit(plain(colours)); found != nil {
			t.Errorf("with colours: %v", found)
		}
		for name, encode := range map[string]func(*Report) (string, error){"JSON": JSON, "a line of JSON": JSONLine, "YAML": YAML} {
			text, err := encode(r)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(name, "JSON") {
				if strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), unicode.IsControl) {
					t.Errorf("YAML with control characters:\n%q", text)
				}
				continue
			}
			if found := unfit(text); found != nil {
				t.Errorf("%s: %v", name, found)
			}
			again := new(Report)
			if err := json.Unmarshal([]byte(text), again); err != nil {
				t.Fatal(err)
			}
			if want := strings.ToValidUTF8(r.AuthServers[0].SigningKeys[0].Algorithm, "\uFFFD"); want != again.AuthServers[0].SigningKeys[0].Algorithm {
				t.Errorf("%s: %s", name, cmp.Diff(want, again.AuthServers[0].SigningKeys[0].Algorithm))
			}
		}
	}
}
