// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// template stands for a directory's ID in the metadata and keys that Entra ID publishes for all directories at once.
const template = "{tenantid}"

// metadata is what counts of an issuer's metadata (OpenID Connect Discovery 1.0 §3, RFC 8414 §2).
type metadata struct {
	Issuer  string `json:"issuer"`
	JWKSURI string `json:"jwks_uri"`
}

// parseMetadata reads one JSON object with exact member names and none of them twice. Members that do not count may be of
// any type.
func parseMetadata(body []byte) (metadata, error) {
	var m metadata
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return m, errors.New("it is no JSON object")
	}
	err := json.Unmarshal(body, &m)
	var malformed *jsontext.SyntacticError
	switch {
	case errors.As(err, &malformed) && errors.Is(err, jsontext.ErrDuplicateName):
		return m, fmt.Errorf("a member is there twice, at byte %d", malformed.ByteOffset)
	case errors.As(err, &malformed):
		return m, fmt.Errorf("its JSON is malformed at byte %d", malformed.ByteOffset)
	case err != nil:
		return m, errors.New("issuer and jwks_uri must be strings")
	}
	return m, nil
}

// check tells whether the metadata are of the source's issuer (OpenID Connect Discovery 1.0 §4.3, RFC 8414 §3.3) and name
// keys. Without the first, whoever serves the metadata could vouch for any issuer.
func (m *metadata) check(src *Source, host string) *failure {
	found := m.Issuer
	if src.Directory != "" {
		found = strings.ReplaceAll(found, template, src.Directory)
	}
	switch {
	case found != src.Issuer || found == "":
		fix := "set issuer to what the tokens hold, or discoveryURL to that issuer's metadata"
		if strings.TrimRight(found, "/") == strings.TrimRight(src.Issuer, "/") {
			fix = "they differ in the slash at the end: write issuer as the tokens have it"
		}
		return &failure{ReasonIssuerMismatch, fmt.Sprintf("the metadata of %s are of issuer %s, expected %s: %s", clean(host), quote(m.Issuer), quote(src.Issuer), fix)}
	case m.JWKSURI == "":
		return &failure{ReasonNoJWKSURI, "the metadata of " + clean(host) + " have no jwks_uri: set jwksURI to the issuer's keys"}
	}
	return nil
}

// quote makes a value of somebody else's fit for a message.
func quote(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most] + "..."
	}
	return fmt.Sprintf("%q", clean(s))
}

// pick leaves out the keys that Entra ID publishes for other directories than the source's, and returns how many they are.
// Keys that name no issuer are for all.
func (s *Source) pick(set *jwk.Set) (kept *jwk.Set, others int) {
	if s.Directory == "" {
		return set, 0
	}
	var own []*jwk.Key
	for _, k := range set.Keys() {
		if s.ownIssuer(k.Issuer()) {
			own = append(own, k)
		} else {
			others++
		}
	}
	if others == 0 {
		return set, 0
	}
	return jwk.NewSet(own...), others
}

// ownIssuer tells whether a key's issuer is the source's directory: its ID, or the template, is a segment of the path. The
// host is not compared: the keys of v1.0 and v2.0, whose issuers differ in it, are the same.
func (s *Source) ownIssuer(issuer string) bool {
	if issuer == "" {
		return true
	}
	_, rest, ok := strings.Cut(issuer, "://")
	if !ok {
		return false
	}
	for i, segment := range strings.Split(rest, "/") {
		if i > 0 && (segment == template || strings.EqualFold(segment, s.Directory)) {
			return true
		}
	}
	return false
}
