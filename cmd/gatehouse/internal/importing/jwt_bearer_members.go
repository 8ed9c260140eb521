// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// Bounds of the API's fields.
const (
	maxHeaders = 16
	maxClaims  = 64
)

// headers are the members of the JWT's header that have no field of their own.
func (o *jwtBearerImport) headers() map[string]any {
	out := map[string]any{}
	for _, m := range o.mapping(jbHeaders) {
		switch m.Name {
		case "alg":
			if m.Value.Kind != Text || o.algorithm != "" && m.Value.Text != o.algorithm {
				o.s.Mistake(jbHeaders, "alg is not %s: the two must be the same", jbAlgorithm)
			}
		case "kid":
			if m.Value.Kind != Text || m.Value.Text == "" || len(m.Value.Text) > 256 {
				o.s.Mistake(jbHeaders, "kid: want a text of at most 256 bytes")
				continue
			}
			o.keyID = m.Value.Text
		case "crit", "b64", "zip", "enc":
			o.s.Mistake(jbHeaders, "%s is not allowed: it changes what the other members mean (RFC 7515 section 4.1.11)", m.Name)
		default:
			o.take(jbHeaders, m, out)
		}
	}
	return o.fits(jbHeaders, out, maxHeaders)
}

// claims are the additional claims that have no field of their own. The old system put them over its own ones.
func (o *jwtBearerImport) claims() map[string]any {
	out := map[string]any{}
	for _, m := range o.mapping(jbClaims) {
		switch m.Name {
		case "iat", "exp":
			o.tell(jbClaims, "%s is not carried over: it is made for each JWT, and a fixed one would make every later JWT useless", m.Name)
		case "jti":
			o.tell(jbClaims, "jti is not carried over: each JWT has one of its own, as endpoints take each only once (RFC 7523 section 3)")
		case "iss", "sub", "aud":
			o.replace(m)
		default:
			o.take(jbClaims, m, out)
		}
	}
	return o.fits(jbClaims, out, maxClaims)
}

// replace takes a claim that has a field, which the additional one had the better of. A list of one audience is that audience.
func (o *jwtBearerImport) replace(m Member) {
	v := m.Value
	if m.Name == "aud" && v.Kind == List && len(v.Items) == 1 {
		v = v.Items[0]
	}
	if v.Kind != Text || v.Text == "" || strings.ContainsFunc(v.Text, func(r rune) bool { return r < ' ' }) {
		o.s.Mistake(jbClaims, "%s: want one text of one line", m.Name)
		return
	}
	o.replaced[m.Name] = v.Text
	o.tell(jbClaims, "%s is a field of its own now; as before, it counts in place of the form's field", m.Name)
}

// take carries a member over as it is, unless it may be a secret: headers and claims are for everybody to read.
func (o *jwtBearerImport) take(key string, m Member, out map[string]any) {
	if looksSecretWithin(m) {
		o.tell(key, "%s is not carried over: its name looks like a secret's. If it is none, write it there yourself", shown(m.Name))
		m.Value.texts(key, func(_, text string) { o.s.secrets[key+": "+text] = text })
		return
	}
	if m.Name == "nbf" && key == jbClaims && m.Value.Kind != Number {
		o.s.Mistake(key, "nbf: want a number of seconds since 1970 (RFC 7519 section 4.1.5)")
		return
	}
	if !m.Value.exact() {
		o.tell(key, "%s is not carried over: it holds a number that Kubernetes cannot keep to the last digit. If the other side takes it as a text, write it there as one", shown(m.Name))
		return
	}
	out[m.Name] = m.Value.Any()
}

// exact tells whether Kubernetes keeps every number in a value: it has integers of 64 bits and floating point.
func (v Value) exact() bool {
	if v.Kind == Number {
		const most = 1 << 53
		if _, err := strconv.ParseInt(v.Text, 10, 64); err == nil {
			return true
		}
		n, err := strconv.ParseFloat(v.Text, 64)
		return err == nil && math.Abs(n) < most
	}
	for _, item := range v.Items {
		if !item.exact() {
			return false
		}
	}
	return !slices.ContainsFunc(v.Members, func(m Member) bool { return !m.Value.exact() })
}

// fits demands the API's bounds on headers and claims: how many, how deep and how long.
func (o *jwtBearerImport) fits(key string, members map[string]any, most int) map[string]any {
	const deepest, longest = 8, 8 << 10
	text, err := json.Marshal(members)
	switch {
	case len(members) > most:
		o.s.Mistake(key, "it has more than %d members", most)
	case err != nil || len(text) > longest:
		o.s.Mistake(key, "it has more than %d bytes", longest)
	case depth(members) > deepest:
		o.s.Mistake(key, "it is nested deeper than %d levels", deepest)
	}
	return members
}

// depth is how many objects and lists are within each other.
func depth(v any) int {
	deepest := 0
	switch v := v.(type) {
	case map[string]any:
		for _, one := range v {
			deepest = max(deepest, depth(one))
		}
	case []any:
		for _, one := range v {
			deepest = max(deepest, depth(one))
		}
	default:
		return 0
	}
	return deepest + 1
}

func looksSecretWithin(m Member) bool {
	if LooksSecret(m.Name) {
		return true
	}
	for _, item := range m.Value.Items {
		if slices.ContainsFunc(item.Members, looksSecretWithin) {
			return true
		}
	}
	return slices.ContainsFunc(m.Value.Members, looksSecretWithin)
}

// Names of the key in the Secret.
const (
	jbFilePEM = "key.pem"
	jbFileJWK = "key.jwk"
	jbFileRaw = "key"
)

// key makes the Secret. What is no usable key is left out of it, with what has to be there.
func (o *jwtBearerImport) key() {
	value := pemLines(o.s.Secret(jbKey))
	secret := Secret{Name: o.name + "-key"}
	entry := Entry{Key: jbFilePEM, Value: value, From: jbKey, File: true}
	row, _ := jwk.Algorithm(o.algorithm)
	switch {
	case value == "" || o.algorithm == "":
		return
	case isPath(value):
		entry.Value, entry.Hint = "", "the file whose path is the value of "+jbKey
		if row.Type == "oct" {
			entry.Key = jbFileRaw
		}
	case strings.HasPrefix(strings.TrimSpace(value), "{"):
		entry.Key = jbFileJWK
	case row.Type == "oct":
		entry.Key = jbFileRaw
		o.exact(&entry)
	}
	if entry.Value != "" {
		o.fitting(&entry, row)
	}
	secret.Entries = []Entry{entry}
	o.result.Secrets = append(o.result.Secrets, secret)
	o.spec.SetFrom("keySecretRef", SecretRef(secret.Name, entry.Key), jbKey)
}

// fitting leaves a value out that Gatehouse would refuse, and says what has to be there.
func (o *jwtBearerImport) fitting(entry *Entry, row jwk.Alg) {
	_, err := assertion.ParseKeyFor([]byte(entry.Value), o.algorithm, o.keyID)
	if err == nil {
		return
	}
	hint := "a private key for " + o.algorithm + " that the other side knows, as PEM or JWK"
	if row.Type == "oct" {
		hint = fmt.Sprintf("a secret for %s of at least %d bytes, which the other side has to know too", o.algorithm, row.MinSecret)
	}
	entry.Value, entry.Hint = "", fmt.Sprintf("%s. The value of %s is none: %v", hint, jbKey, err)
}

// exact keeps a secret's line break at the end, which counts in the old system: Gatehouse drops one from a text, as editors leave it.
func (o *jwtBearerImport) exact(entry *Entry) {
	if strings.HasSuffix(entry.Value, "\n") && !isPEM(entry.Value) {
		o.tell(jbKey, "it ends in a line break, which is a part of the secret: the Secret has it as a JWK, where it is kept")
		entry.Value = octJWK(entry.Value)
		entry.Key = jbFileJWK
		entry.Hint = "the secret as an oct JWK (RFC 7518 section 6.4)"
	}
}

// isPath tells whether the value is the path of a file and not a key.
func isPath(value string) bool {
	value = strings.TrimSpace(value)
	if strings.ContainsAny(value, "\n{") || len(value) > 1024 {
		return false
	}
	begins := slices.ContainsFunc([]string{"/", "./", "../", "~/", "file:"}, func(p string) bool { return strings.HasPrefix(value, p) }) ||
		len(value) > 3 && value[1] == ':' && (value[2] == '\\' || value[2] == '/')
	ends := slices.ContainsFunc([]string{".pem", ".key", ".p8", ".jwk", ".json", ".txt"}, func(p string) bool { return strings.HasSuffix(strings.ToLower(value), p) })
	return ends && (begins || !strings.Contains(value, " "))
}
