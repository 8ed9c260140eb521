// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

const (
	// attempt is how long one exchange may take, all of it.
	attempt = 10 * time.Second
	// maxAnswer is how much of an answer is read, in bytes.
	maxAnswer = 64 << 10
	// MaxRetryAfter is the longest wait that an endpoint can ask for.
	MaxRetryAfter = 5 * time.Minute
)

// exchange is where and how a JWT becomes an access token. It is immutable.
type exchange struct {
	endpoint   string
	host       string // for messages
	grantType  string
	client     *Client // nil for none
	parameters []config.Parameter
}

// reserved are the parameters that the request itself sets.
var reserved = []string{"grant_type", "assertion", "client_id", "client_secret", "client_assertion", "client_assertion_type"}

func compileExchange(c *config.Credential) (*exchange, error) {
	if c.TokenEndpoint == "" {
		if c.GrantType != "" || c.Client != nil || len(c.Parameters) > 0 {
			return nil, invalid("tokenEndpoint", "grantType, clientID, clientSecretRef, clientAuthenticationMethod and parameters are for tokenEndpoint: set it, or leave them out")
		}
		return nil, nil
	}
	u, err := checkEndpoint(c.TokenEndpoint)
	if err != nil {
		return nil, err
	}
	x := &exchange{endpoint: c.TokenEndpoint, host: hostOf(u), grantType: c.GrantType, parameters: c.Parameters}
	if x.grantType == "" {
		x.grantType = DefaultGrant
	}
	var names []string
	for i, p := range c.Parameters {
		field := fmt.Sprintf("parameters[%d].name", i)
		switch {
		case p.Name == "":
			return nil, invalid(field, "it is required")
		case slices.Contains(reserved, p.Name):
			return nil, invalid(field, "it is set by the request itself: leave it out")
		case slices.Contains(names, p.Name):
			return nil, invalid(field, "it is there twice: RFC 6749 section 3.2 takes each parameter once")
		}
		names = append(names, p.Name)
	}
	if c.Client == nil {
		return x, nil
	}
	if x.client, err = compileClient(c); err != nil {
		return nil, err
	}
	return x, nil
}

func compileClient(c *config.Credential) (*Client, error) {
	switch {
	case c.Client.ID == "":
		return nil, invalid("clientID", "it is required with clientAuthenticationMethod")
	case (c.Client.Secret == "") != (c.Client.Authentication == config.ClientNone):
		return nil, invalid("clientSecretRef", "it goes with every clientAuthenticationMethod but None")
	}
	client, err := NewClient(c.Client, c.Audience)
	if err != nil {
		field, message, _ := strings.Cut(err.Error(), ": ")
		return nil, invalid(field, message)
	}
	return client, nil
}

// hostOf is a URL's host for messages: printable ASCII, and the end of one that is long, which tells whose it is.
func hostOf(u *url.URL) string {
	const most = 100
	host := strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '?'
		}
		return r
	}, strings.ToLower(u.Host))
	if len(host) > most {
		host = "..." + host[len(host)-most:]
	}
	return host
}

// checkEndpoint reads the URL (RFC 6749 §3.2). Whether http:// may be used is package outbound's to say, address by address.
func checkEndpoint(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return nil, invalid("tokenEndpoint", "it is not a URL such as https://idp.example/oauth2/token")
	case u.User != nil || u.Fragment != "":
		return nil, invalid("tokenEndpoint", "it holds a user name, a password or a fragment: remove it")
	}
	return u, nil
}

// Obtain returns what the token endpoint gives for a new JWT, or the JWT itself where there is no endpoint. It is one attempt of at most 10 s through client, which should
// be one of package outbound. The error is an [*Error].
func (m *Maker) Obtain(ctx context.Context, client *http.Client, now func() time.Time, random io.Reader) (Token, error) {
	asked := now()
	jwt, err := m.JWT(asked, random)
	if err != nil || m.exchange == nil {
		return jwt, err
	}
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	req, err := m.exchange.request(ctx, jwt.Value, asked, random)
	if err != nil {
		return Token{}, err
	}
	return m.exchange.send(req, client, asked)
}

// request is the token request (RFC 7523 §2.1).
func (x *exchange) request(ctx context.Context, jwt string, now time.Time, random io.Reader) (*http.Request, error) {
	form := make(url.Values, 8)
	for _, p := range x.parameters {
		form.Set(p.Name, p.Value)
	}
	form.Set("grant_type", x.grantType)
	form.Set("assertion", jwt)
	h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}, "User-Agent": {"gatehouse"}}
	if x.client != nil {
		if x.client.Authenticate(h, form, now, random) != nil {
			return nil, fail(ReasonInvalidSource, "clientSecretRef: the key cannot sign a client assertion")
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fail(ReasonInvalidSource, "tokenEndpoint: it is not a URL that can be asked")
	}
	req.Header = h // net/http sends a POST again by itself only where nothing of it was written, so that no jti is used twice
	return req, nil
}

func (x *exchange) send(req *http.Request, client *http.Client, asked time.Time) (Token, error) {
	resp, err := outbound.WithoutRedirects(client).Do(req) //nolint:bodyclose // outbound.ReadBody closes it
	if err != nil {
		return Token{}, x.explain(err, nil)
	}
	body, err := outbound.ReadBody(resp, maxAnswer)
	if err != nil {
		return Token{}, x.explain(err, resp)
	}
	a := answer{status: resp.StatusCode, json: isJSON(resp.Header), body: body}
	t, f := a.read(asked)
	if f != nil {
		f.Status = resp.StatusCode
		f.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), asked)
		f.Message = "tokenEndpoint: " + x.host + " " + f.Message
		return Token{}, f
	}
	return t, nil
}

// explain puts an error of the request or its answer into words that quote nothing the endpoint sent.
func (x *exchange) explain(err error, resp *http.Response) *Error {
	reason, message := keys.Explain(err, x.host)
	f := fail(string(reason), "tokenEndpoint: "+message)
	f.timeout = isTimeout(err)
	if resp != nil {
		f.Status = resp.StatusCode
	}
	return f
}

// isJSON tells whether an answer says of itself that it is JSON, or says nothing.
func isJSON(h http.Header) bool {
	text := h.Get("Content-Type")
	t, _, err := mime.ParseMediaType(text)
	return text == "" || err == nil && (t == "application/json" || strings.HasSuffix(t, "+json"))
}

// retryAfter reads the header Retry-After (RFC 9110 §10.2.3), 0 for none that can be read, at most [MaxRetryAfter].
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return min(max(time.Duration(seconds)*time.Second, 0), MaxRetryAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), MaxRetryAfter)
	}
	return 0
}
