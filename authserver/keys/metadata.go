// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// template stands for a directory's ID in the metadata that Entra ID publishes for all directories at once.
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
// keys. Without the first, whoever serves the metadata could vouch for any issuer. What they name instead is not told: it is
// the upstream's to write.
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
		return &failure{ReasonIssuerMismatch, fmt.Sprintf("the metadata of %s name another issuer than %s: %s", shorten(host), quote(src.Issuer), fix)}
	case m.JWKSURI == "":
		return &failure{ReasonNoJWKSURI, "the metadata of " + shorten(host) + " have no jwks_uri: set jwksURI to the issuer's keys"}
	}
	return nil
}

// quote makes a value of the object's own fit for a message.
func quote(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most] + "..."
	}
	return fmt.Sprintf("%q", clean(s))
}
