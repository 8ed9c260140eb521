// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// The functions here tell what of a request a check compares: asked… and has… whether it is asked for at all, found… with
// what. They are called for checks that were made, passed or failed, and so find what those before them left. Of the token
// they show header and registered claims only, quoted and cut.

// maxShown bounds a text of somebody else's in a report, in bytes.
const maxShown = 100

// quote shows such a text.
func quote(s string) string {
	if len(s) > maxShown {
		return fmt.Sprintf("%q (cut after %d of %d bytes)", s[:maxShown], maxShown, len(s))
	}
	return fmt.Sprintf("%q", s)
}

// quoteAll shows a few of them.
func quoteAll(list []string) string {
	const most = 8
	shown := make([]string, 0, most)
	for _, s := range list[:min(most, len(list))] {
		shown = append(shown, quote(s))
	}
	if len(list) > most {
		shown = append(shown, fmt.Sprintf("and %d more", len(list)-most))
	}
	return "[" + strings.Join(shown, " ") + "]"
}

func foundTenant(j *judgement) string {
	switch {
	case j.set == nil:
		return ""
	case j.policy != nil && j.named == "" && !j.own:
		return "no tenant is named, so the default policy applies: " + j.policy.object
	case j.policy != nil:
		return j.policy.object
	case j.own && j.decision.Tenant != "":
		return "the server's own token; no policy has this tenant ID"
	case j.own:
		return "the server's own token: its organization is its tenant"
	case j.named != "":
		return "x-jwt-tenant-id or route is " + quote(j.named)
	}
	return ""
}

func foundLength(j *judgement) string {
	return fmt.Sprintf("%d of at most %d bytes", len(j.raw), token.MaxLength)
}

func foundSegments(j *judgement) string {
	n := strings.Count(j.raw, ".") + 1
	switch n {
	case 3:
		return "3: signed"
	case 5:
		return "5: encrypted"
	}
	return fmt.Sprint(n)
}

// isEncrypted tells whether the token is a JWE; it has 3 or 5 segments.
func isEncrypted(j *judgement) bool { return isJWE(j.raw) }

// isSigned tells whether there is a signature to verify.
func isSigned(j *judgement) bool { return j.token == nil || !j.token.Direct() }

func asksEncryption(j *judgement) bool {
	return isEncrypted(j) || j.policy != nil && !j.own && j.policy.rules.Encryption != nil
}

func foundEncryption(j *judgement) string {
	switch {
	case j.policy == nil || j.policy.rules.Encryption == nil:
		return ""
	case j.policy.rules.Encryption.Required:
		return "spec.decryption.required is true"
	case isEncrypted(j):
		return "spec.decryption is set"
	}
	return "not encrypted, and spec.decryption does not require it"
}

// peek reads string members of the token's first segment, which was found to be a JSON object.
func (j *judgement) peek(name string) (value string, present bool) {
	segment, _, _ := strings.Cut(j.raw, ".")
	head, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		return "", false
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(head, &members) != nil || json.Unmarshal(members[name], &value) != nil {
		return "", false
	}
	return value, true
}

// show is a member of the header as it stands there.
func (j *judgement) show(name string) string {
	value, ok := j.peek(name)
	if !ok {
		return "no " + name
	}
	return name + " " + quote(value)
}

func foundAlgorithm(j *judgement) string {
	var allowed []string
	switch {
	case j.own:
		allowed = j.set.own.rules.Algorithms
	case j.policy != nil:
		allowed = j.policy.rules.Algorithms
	}
	if !isEncrypted(j) {
		return j.show("alg") + ", allowed " + strings.Join(allowed, ", ")
	}
	text := "encryption: " + j.show("alg")
	if e := j.encryption(); e != nil {
		text += ", allowed " + strings.Join(e.KeyAlgorithms, ", ")
	}
	if j.token != nil && !j.token.Direct() {
		text += "; inside: alg " + quote(j.token.Algorithm()) + ", allowed " + strings.Join(allowed, ", ")
	}
	return text
}

func (j *judgement) encryption() *token.Encryption {
	if j.policy == nil {
		return nil
	}
	return j.policy.rules.Encryption
}

func foundContentAlgorithm(j *judgement) string {
	if e := j.encryption(); e != nil {
		return j.show("enc") + ", allowed " + strings.Join(e.ContentAlgorithms, ", ")
	}
	return j.show("enc")
}

func foundNested(j *judgement) string {
	switch {
	case j.token == nil:
		return ""
	case j.token.Direct():
		return "claims, for which the symmetric key vouches"
	}
	return "a signed token"
}

func foundType(j *judgement) string {
	types := []string(nil)
	switch {
	case j.own:
		types = j.set.own.rules.Types
	case j.policy != nil:
		types = j.policy.rules.Types
	}
	types = slices.Clone(types)
	for i := range types {
		if types[i] == "" {
			types[i] = "absent"
		}
	}
	allowed := "allowed " + strings.Join(types, ", ")
	if isEncrypted(j) && !(j.token != nil && j.token.Direct()) {
		return "of the token inside: " + allowed
	}
	return j.show("typ") + ", " + allowed
}

func foundIssuer(j *judgement) string {
	switch {
	case j.token == nil:
		return ""
	case j.own:
		return "iss is the server's own"
	}
	text := "iss " + quote(j.token.UnverifiedIssuer())
	switch {
	case j.source < 0 && j.decision.Status == 200:
		text += ", and the policy names no issuers"
	case j.source >= 0 && j.policy.sources[j.source].issuer == "":
		text += ", which the policy leaves open"
	case j.source >= 0:
		text += fmt.Sprintf(", entry %d of %d", j.source+1, len(j.policy.sources))
	}
	return text
}

// foundDecryptionKeys tells, of an encrypted token that was not opened, by what a key for it is chosen.
func (j *judgement) foundDecryptionKeys() string {
	e := j.encryption()
	if e == nil || !isEncrypted(j) {
		return ""
	}
	return fmt.Sprintf("encryption: %s, keys in spec.decryption.keys: %d", j.show("kid"), e.Keys.Len())
}

func foundKey(j *judgement) string {
	if j.token == nil {
		return j.foundDecryptionKeys()
	}
	text := "no kid"
	if kid, ok := j.token.KeyID(); ok {
		text = "kid " + quote(kid)
	}
	if j.signer != nil {
		text = j.signer.Type() + " key for " + text
	}
	switch {
	case j.own:
		return text + ", of the server's own keys"
	case j.source < 0:
		return text
	}
	switch s := &j.policy.sources[j.source]; {
	case s.set != nil:
		return text + ", of the policy's own keys"
	case s.remote.Discovery:
		return text + ", by the metadata of " + s.remote.String()
	default:
		return text + ", from " + s.remote.String()
	}
}
