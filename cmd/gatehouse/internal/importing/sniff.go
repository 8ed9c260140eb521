// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// marks are settings that a file of each kind has, and files of the others have not. They are for messages alone.
var marks = map[string]*regexp.Regexp{
	"dex":          regexp.MustCompile(`(?m)^"?(connectors|staticClients|staticPasswords|enablePasswordDB)"?\s*:`),
	"jumper":       regexp.MustCompile(`(?m)^\s*(export\s+)?(PASSWORD_BASED_AUTHENTICATION|OIDC_AUTHENTICATION|OIDC_(RP|OP)_[A-Z_]+|JWT_(ACCESS|REFRESH)_TOKEN_LIFETIME)\s*=`),
	"jumpserver":   regexp.MustCompile(`(?m)^[\s{"]*(export\s+)?(AUTH_OAUTH2|OAUTH2_ORG_IDS|Client Authentication Method|Authorization Endpoint Address|Token Endpoint Address)[A-Z0-9_]*"?\s*[:=]`),
	"jwt-bearer":   regexp.MustCompile(`(?mi)^[\s{"]*jwt[ _-]?auth[ _-]?(private|algorithm|claims|oauth2|headers|additional|custom)`),
	"oauth2-proxy": regexp.MustCompile(`(?m)^\s*(export\s+)?OAUTH2_PROXY_[A-Z0-9_]+\s*=|^(providers|upstreamConfig)\s*:|^\s*(cookie_secret|email_domains|upstreams|oidc_issuer_url)\s*=|^[\s"'-]*--(provider|upstream|email-domain|cookie-secret)=`),
	"timbr":        regexp.MustCompile(`(?m)^\s*(export\s+)?(ENABLE_TOKEN|JWT_TYPE|JWT_USE_[A-Z_]+|JWT_[A-Z0-9_]+_(ALGORITHM|AUDIENCE|KEY))\s*=`),
}

// anotherKind is the kind that a file looks like, "" if it may well be of its own, or looks like none.
func anotherKind(kind string, text []byte) string {
	if marks[kind].Match(text) {
		return ""
	}
	for _, other := range slices.Sorted(maps.Keys(marks)) {
		if marks[other].Match(text) {
			return other
		}
	}
	return ""
}

// checkKind is the error for a file of which nothing was read, or that could not be read and looks like one of another kind; otherwise err.
func checkKind(kind string, in Input, r *Result, err error) error {
	var mistakes Mistakes
	other := ""
	if err == nil && !r.settings.anyRead() || errors.As(err, &mistakes) {
		other = anotherKind(kind, in.Data)
	}
	switch {
	case other != "":
		return append(Mistakes{{File: in.File, Text: fmt.Sprintf("it has no setting that `gatehouse import %s` knows: it looks like one for `gatehouse import %s`", kind, other)}}, mistakes...)
	case err == nil && !r.settings.anyRead():
		return Mistakes{{File: in.File, Text: fmt.Sprintf("it has no setting that `gatehouse import %s` knows", kind)}}
	}
	return err
}

// anyRead tells whether an importer knows any of the settings.
func (s *Settings) anyRead() bool {
	return slices.ContainsFunc(s.family(), func(one *Settings) bool { return len(one.read) > 0 })
}
