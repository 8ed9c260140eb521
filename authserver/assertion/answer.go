// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// unknownLife is how long an access token counts whose endpoint says nothing of its life (RFC 6749 §5.1 only recommends expires_in): short, so that a token is
	// seldom used after its end, and long enough to spare the endpoint.
	unknownLife = 5 * time.Minute
	// maxLife is the longest life that is believed.
	maxLife = 366 * 24 * time.Hour
)

// answer is what a token endpoint sent.
type answer struct {
	status int
	json   bool // by its Content-Type
	body   []byte
}

// answerMembers are the members that count (RFC 6749 §5.1, §5.2). Names are compared exactly and none may be there twice.
type answerMembers struct {
	AccessToken string         `json:"access_token"`
	TokenType   string         `json:"token_type"`
	ExpiresIn   jsontext.Value `json:"expires_in"`
	Error       string         `json:"error"`
}

// read judges an answer to a request that was sent at asked. The message of an error continues "<host> ".
func (a answer) read(asked time.Time) (Token, *Error) {
	var m answerMembers
	err := json.Unmarshal(a.body, &m)
	if err != nil || !a.json {
		m.Error = "" // what was read before the fault does not count
	}
	switch {
	case a.status >= 300 && a.status < 400:
		return Token{}, fail(ReasonBadRedirect, "redirects, and an assertion is not sent on: name the final URL")
	case a.status >= 500 || a.status == http.StatusTooManyRequests: // whatever it says of itself
		return Token{}, refusal(ReasonBadStatus, m.Error, fmt.Sprintf("answered with status %d", a.status))
	case m.Error != "": // also with status 200, which some send
		return Token{}, refused(m.Error)
	case a.status == http.StatusUnauthorized:
		return Token{}, fail(ReasonRequestRefused, "refused the request with status 401: "+fixes["invalid_client"])
	case a.status != http.StatusOK:
		return Token{}, fail(ReasonBadStatus, fmt.Sprintf("answered with status %d, expected 200", a.status))
	case err != nil || !a.json:
		return Token{}, fail(ReasonBadContent, "answered with something else than one JSON object as RFC 6749 section 5.1 has it")
	case !strings.EqualFold(m.TokenType, Bearer):
		return Token{}, fail(ReasonBadContent, "gave a token whose token_type is not Bearer, which is the only one that can be used")
	case !isTokenText(m.AccessToken):
		return Token{}, fail(ReasonBadContent, "gave no access_token that can be used: one of visible ASCII, at most 16 KiB")
	}
	life, ok := readExpiresIn(m.ExpiresIn)
	if !ok {
		return Token{}, fail(ReasonBadContent, "gave a token whose expires_in is no positive number of seconds")
	}
	return Token{Value: m.AccessToken, Type: Bearer, IssuedAt: asked, ExpiresAt: asked.Add(life)}, nil
}

func refusal(reason, code, message string) *Error {
	e := fail(reason, message)
	if e.Code = registeredCode(code); e.Code != "" {
		e.Message += " and " + e.Code
	}
	return e
}

// fixes tell what to look at for an error code (RFC 6749 §5.2).
var fixes = map[string]string{
	"invalid_grant":          "check issuer, subject, audience, lifetime, algorithm, keyID and that the other side has the key's public half",
	"invalid_client":         "check clientID, clientSecretRef and clientAuthenticationMethod",
	"unauthorized_client":    "allow the client, or the issuer, this grant at the other side",
	"unsupported_grant_type": "check grantType and tokenEndpoint",
	"invalid_scope":          "check the parameter scope",
	"invalid_target":         "check the parameters resource and audience",
	"invalid_request":        "check parameters, and additionalClaims and headers that the other side demands",
}

// refused is the error of an endpoint that said no.
func refused(code string) *Error {
	e := fail(ReasonRequestRefused, "refused the request with an error code that OAuth does not define")
	if e.Code = registeredCode(code); e.Code == "" {
		return e
	}
	e.Message = "refused the request with " + e.Code
	if fix := fixes[e.Code]; fix != "" {
		e.Message += ": " + fix
	}
	return e
}

// isTokenText tells whether text is a token that can stand in a header. The characters are those of RFC 6750 §2.1 and the rest of visible ASCII that is no delimiter of
// header lists and quoted strings: Salesforce's tokens hold a "!".
func isTokenText(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' || strings.IndexByte(`",;\`, text[i]) >= 0 {
			return false
		}
	}
	return text != "" && len(text) <= maxToken
}

// readExpiresIn reads seconds, which some write as a string or with a fraction, which is cut off. Absent or null is [unknownLife]; what is longer than [maxLife] is that.
func readExpiresIn(v jsontext.Value) (time.Duration, bool) {
	switch kind := v.Kind(); {
	case len(v) == 0 || kind == 'n':
		return unknownLife, true
	case kind != '"' && kind != '0':
		return 0, false
	}
	text := strings.Trim(string(v), `"`)
	if len(text) > 32 || strings.Trim(text, "0123456789.eE+-") != "" { // no hexadecimal, no infinity
		return 0, false
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || seconds < 1 {
		return 0, false
	}
	return time.Duration(min(math.Floor(seconds), maxLife.Seconds())) * time.Second, true
}

func isTimeout(err error) bool {
	var netErr net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &netErr) && netErr.Timeout()
}
