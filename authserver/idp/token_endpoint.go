// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxToken is the longest token of an answer that is taken, in bytes.
const maxToken = 16 << 10

// tokens is a token endpoint's good answer (RFC 6749 §5.1, OpenID Connect Core 1.0 §3.1.3.3). It is secret.
type tokens struct {
	AccessToken  string
	RefreshToken string        // "" for none
	IDToken      string        // "" for none
	ExpiresIn    time.Duration // 0 if the provider does not say
}

// tokenAnswer is the JSON of an answer, good or bad. Members are compared exactly and none may be there twice.
type tokenAnswer struct {
	AccessToken  string         `json:"access_token"`
	TokenType    string         `json:"token_type"`
	RefreshToken string         `json:"refresh_token"`
	IDToken      string         `json:"id_token"`
	ExpiresIn    jsontext.Value `json:"expires_in"`
	Error        string         `json:"error"`
}

// codeForm is the form that exchanges a code (RFC 6749 §4.1.3, RFC 7636 §4.5).
func codeForm(a Answer) url.Values {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {a.Code}, "redirect_uri": {a.RedirectURI}}
	if a.Verifier != "" {
		form.Set("code_verifier", a.Verifier)
	}
	return form
}

// requestTokens posts a form to the token endpoint. The error is an [*Error]: [ErrUnavailable] where the endpoint is away,
// [ReasonClientRefused], or [ReasonTokenEndpoint], whose cause is grantError where the code or refresh token is to blame.
func (d *deps) requestTokens(ctx context.Context, c *client, endpoint string, form url.Values) (*tokens, error) {
	h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if err := c.authenticate(h, form, d); err != nil {
		return nil, refuse(ReasonMisconfigured, err.Error())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, refuse(ReasonMisconfigured, "tokenEndpoint is not a URL that can be asked")
	}
	req.Header = h
	// A code is spent by its first use: net/http must not send the request again by itself on another connection.
	req.GetBody = nil
	a, f := d.send(req, "tokenEndpoint")
	if f != nil {
		return nil, unavailable(f.message)
	}
	return readTokens(a)
}

// readTokens judges a token endpoint's answer.
func readTokens(a *answer) (*tokens, error) {
	var t tokenAnswer
	err := json.Unmarshal(a.body, &t)
	if err != nil {
		t.Error = "" // what was read before the fault does not count
	}
	switch {
	case a.away(): // whatever it says of itself
		return nil, unavailable(fmt.Sprintf("tokenEndpoint: it answered with status %d", a.status))
	case t.Error != "": // also with status 200, which some send
		return nil, tokenError(t.Error)
	case a.status == http.StatusUnauthorized:
		return nil, tokenError("invalid_client")
	case a.status != http.StatusOK:
		return nil, refuse(ReasonTokenEndpoint, fmt.Sprintf("tokenEndpoint: it answered with status %d, expected 200", a.status))
	case !a.isJSON() || err != nil:
		return nil, refuse(ReasonTokenEndpoint, "tokenEndpoint: its answer is not a JSON object as RFC 6749 section 5.1 has it")
	case !strings.EqualFold(t.TokenType, "bearer"):
		return nil, refuse(ReasonTokenEndpoint, "tokenEndpoint: token_type of its answer is not Bearer")
	case !isTokenText(t.AccessToken):
		return nil, refuse(ReasonTokenEndpoint, "tokenEndpoint: its answer has no access_token that can be used")
	case t.RefreshToken != "" && !isTokenText(t.RefreshToken):
		return nil, refuse(ReasonTokenEndpoint, "tokenEndpoint: the refresh_token of its answer cannot be used")
	}
	return &tokens{AccessToken: t.AccessToken, RefreshToken: t.RefreshToken, IDToken: t.IDToken, ExpiresIn: readExpiresIn(t.ExpiresIn)}, nil
}

// grantError is the cause of an Error whose code or refresh token the token endpoint does not take.
type grantError struct{}

func (grantError) Error() string { return "invalid_grant" }

// tokenError turns the error code of a token endpoint's answer into an [*Error] with its fix (RFC 6749 §5.2).
func tokenError(code string) *Error {
	switch code = standardCode(code); code {
	case "invalid_client", "unauthorized_client":
		return refuse(ReasonClientRefused, "tokenEndpoint answered "+code+": check clientID, clientSecretRef and clientAuthenticationMethod")
	case "temporarily_unavailable", "server_error":
		return unavailable("tokenEndpoint answered " + code)
	case "invalid_grant":
		return &Error{Reason: ReasonTokenEndpoint, Detail: "tokenEndpoint answered invalid_grant: the code or refresh token was used, has expired, or is another client's", cause: grantError{}}
	}
	return refuse(ReasonTokenEndpoint, "tokenEndpoint answered "+knownError(code))
}

// isTokenText tells whether text is a token as RFC 6749 appendix A.12 has it, and not too long.
func isTokenText(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return text != "" && len(text) <= maxToken
}

// readExpiresIn reads seconds, which some providers write as a string; 0 for what is neither or not within a year.
func readExpiresIn(v jsontext.Value) time.Duration {
	seconds, err := strconv.ParseInt(strings.Trim(string(v), `"`), 10, 64)
	if err != nil || seconds < 0 || seconds > 366*24*60*60 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
