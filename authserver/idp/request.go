// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// maxAnswer bounds what is read of an endpoint's answer, in bytes.
const maxAnswer = 64 << 10

// answer is what an endpoint said.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// failure is why an endpoint gave no answer, in words for an administrator. It quotes nothing the endpoint sent.
type failure struct {
	reason  keys.Reason
	message string
	// absent says that there is nothing of the kind, and not that it is away.
	absent bool
}

func (f *failure) Error() string { return f.message }

// send sends a request that carries a secret: no redirect is followed. The name says in messages what is asked.
func (d *deps) send(req *http.Request, name string) (*answer, *failure) {
	return d.sendUpTo(req, name, maxAnswer)
}

// sendUpTo is send for an answer of at most limit bytes.
func (d *deps) sendUpTo(req *http.Request, name string, limit int64) (*answer, *failure) {
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "gatehouse")
	resp, err := outbound.WithoutRedirects(d.client).Do(req) //nolint:bodyclose,gosec // outbound.ReadBody closes it; the client dials only where package outbound allows
	if err != nil {
		return nil, explain(err, name, req.URL)
	}
	body, err := outbound.ReadBody(resp, limit)
	if err != nil {
		return nil, explain(err, name, req.URL)
	}
	return &answer{resp.StatusCode, resp.Header, body}, nil
}

func explain(err error, name string, u *url.URL) *failure {
	reason, message := keys.Explain(err, strings.ToLower(u.Host))
	return &failure{reason: reason, message: name + ": " + message}
}

// away tells whether the status is one of an endpoint that may do better later.
func (a *answer) away() bool { return a.status >= 500 || a.status == http.StatusTooManyRequests }

// mediaType is that of the answer, in lower case and without parameters.
func (a *answer) mediaType() string {
	t, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return t
}

// isJSON tells whether the answer says of itself that it is JSON, or says nothing.
func (a *answer) isJSON() bool {
	t := a.mediaType()
	return t == "application/json" || strings.HasSuffix(t, "+json") && !strings.Contains(t, "jwt") || a.header.Get("Content-Type") == ""
}

// resource asks an endpoint with an access token (RFC 6750 §2.1) for JSON. The name is that of the setting that holds the URL, such as
// "userInfoEndpoint". The error has [ReasonUserInfo], or is [ErrUnavailable].
func (d *deps) resource(ctx context.Context, name, target, accessToken string) (*answer, error) {
	return d.resourceUpTo(ctx, name, target, accessToken, maxAnswer)
}

// resourceUpTo is resource for an answer of at most limit bytes.
func (d *deps) resourceUpTo(ctx context.Context, name, target, accessToken string, limit int64) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, refuse(ReasonMisconfigured, name+" is not a URL that can be asked")
	}
	req.Header.Set("Authorization", "Bearer "+accessToken)
	a, f := d.sendUpTo(req, name, limit)
	switch {
	case f != nil:
		return nil, unavailable(f.message)
	case a.away():
		return nil, unavailable(fmt.Sprintf("%s: it answered with status %d", name, a.status))
	case a.status != http.StatusOK:
		return nil, refuse(ReasonUserInfo, fmt.Sprintf("%s: it answered with status %d, expected 200: check that the scopes allow to ask it", name, a.status))
	case a.mediaType() == "application/jwt":
		return nil, refuse(ReasonUserInfo, name+": it answered with a signed or encrypted JWT, which is not supported: turn signed userinfo off for this client at the provider")
	case !a.isJSON():
		return nil, refuse(ReasonUserInfo, name+": its answer is not JSON")
	}
	return a, nil
}

// checkURL reads a URL of a provider; the error calls it by name and does not repeat it.
func checkURL(name, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New(name + " is not a URL such as https://idp.example/oauth2")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New(name + " is neither https:// nor http://: use https://")
	case u.Hostname() == "":
		return nil, errors.New(name + " names no host")
	case u.User != nil || u.Fragment != "":
		return nil, errors.New(name + " holds a user name, a password or a fragment: remove it")
	}
	return u, nil
}

// withQuery adds parameters to the query that a URL may have already (RFC 6749 §3.1).
func withQuery(u *url.URL, add url.Values) string {
	full := *u
	if full.RawQuery != "" {
		full.RawQuery += "&"
	}
	full.RawQuery += add.Encode()
	return full.String()
}
