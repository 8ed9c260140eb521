// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
	"github.com/gatehouse-auth/gatehouse/test/tokenendpoint"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// lab is an endpoint and the credential and client that it takes.
type lab struct {
	*tokenendpoint.Endpoint
	credential *config.Credential
	client     *http.Client
}

func newLab(t *testing.T, tls bool) *lab {
	t.Helper()
	e := tokenendpoint.Start(t, tokenendpoint.Options{
		Algorithm: "HS256", Key: []byte(secret), KeyID: "k1", Issuer: "gatehouse", Subject: "robot", Audience: "https://idp.example", TLS: tls, Lifetime: time.Hour,
		Client: &tokenendpoint.Client{Method: tokenendpoint.Basic, ID: "c", Secret: "s3cr3t-of-the-client"},
	})
	c := exchanging()
	c.TokenEndpoint = e.URL()
	c.Client = &config.Client{ID: "c", Secret: "s3cr3t-of-the-client", Authentication: config.ClientSecretBasic}
	return &lab{e, c, outbound.NewClient(outbound.Rules{AllowedCIDRs: loopback}, outbound.Options{})}
}

// obtain makes one attempt; the error is an [*Error] or nil.
func (l *lab) obtain(t *testing.T) (Token, *Error) {
	t.Helper()
	token, err := must[*Maker](t)(Compile(l.credential)).Obtain(context.Background(), l.client, func() time.Time { return time.Now() }, rand.Reader)
	if err == nil {
		return token, nil
	}
	var told *Error
	if !errors.As(err, &told) {
		t.Fatalf("%T: %v", err, err)
	}
	if token != (Token{}) {
		t.Errorf("a token beside an error: %s", token)
	}
	if told.Message == "" || len(told.Error()) > 500 || !strings.Contains(told.Message, "tokenEndpoint: ") {
		t.Errorf("the error says %q", told)
	}
	return Token{}, told
}

// TestWithoutAnEndpoint guards that the JWT itself is the token, and that nothing is asked.
func TestWithoutAnEndpoint(t *testing.T) {
	token := must[Token](t)(must[*Maker](t)(Compile(credential())).Obtain(context.Background(), nil, func() time.Time { return now }, rand.Reader))
	if header, _ := parts(t, token.Value); !strings.Contains(header, `"HS256"`) || token.Type != "Bearer" || !token.ExpiresAt.Equal(now.Add(time.Hour)) {
		t.Error(token, header)
	}
}

// TestAnswers guards what of an answer is taken, and in which words the rest is refused.
func TestAnswers(t *testing.T) {
	good := func(more string) string { return `{"access_token":"a.b-C_~+/=!","token_type":"Bearer"` + more + `}` }
	long := strings.Repeat("t", maxToken)
	for name, row := range map[string]struct {
		behaviour tokenendpoint.Behaviour
		life      time.Duration // of a good answer
		reason    string
		code      string
		away      bool
	}{
		"good":                         {tokenendpoint.Answer(200, good(`,"expires_in":3600`)), time.Hour, "", "", false},
		"seconds as text":              {tokenendpoint.Answer(200, good(`,"expires_in":"3599"`)), 3599 * time.Second, "", "", false},
		"seconds with a fraction":      {tokenendpoint.Answer(200, good(`,"expires_in":59.9`)), 59 * time.Second, "", "", false},
		"seconds with an exponent":     {tokenendpoint.Answer(200, good(`,"expires_in":3.6e3`)), time.Hour, "", "", false},
		"one second":                   {tokenendpoint.Answer(200, good(`,"expires_in":1`)), time.Second, "", "", false},
		"no seconds":                   {tokenendpoint.Answer(200, good("")), 5 * time.Minute, "", "", false},
		"null seconds":                 {tokenendpoint.Answer(200, good(`,"expires_in":null`)), 5 * time.Minute, "", "", false},
		"a thousand years":             {tokenendpoint.Answer(200, good(`,"expires_in":31556952000`)), 366 * 24 * time.Hour, "", "", false},
		"beyond numbers":               {tokenendpoint.Answer(200, good(`,"expires_in":1e300`)), 366 * 24 * time.Hour, "", "", false},
		"other members":                {tokenendpoint.Answer(200, good(`,"expires_in":60,"scope":["a"],"Error":7,"instance_url":null`)), time.Minute, "", "", false},
		"bearer":                       {tokenendpoint.Answer(200, `{"access_token":"t","token_type":"bEARER","expires_in":60}`), time.Minute, "", "", false},
		"the longest token":            {tokenendpoint.Answer(200, `{"access_token":"`+long+`","token_type":"Bearer","expires_in":60}`), time.Minute, "", "", false},
		"another JSON type":            {tokenendpoint.AnswerAs(200, "application/vnd.x+json; charset=utf-8", good(`,"expires_in":60`)), time.Minute, "", "", false},
		"the largest answer":           {tokenendpoint.Answer(200, good(`,"expires_in":60,"x":"`+strings.Repeat("x", 60<<10)+`"`)), time.Minute, "", "", false},
		"seconds that are none":        {tokenendpoint.Answer(200, good(`,"expires_in":"soon"`)), 0, ReasonBadContent, "", false},
		"empty seconds":                {tokenendpoint.Answer(200, good(`,"expires_in":""`)), 0, ReasonBadContent, "", false},
		"zero seconds":                 {tokenendpoint.Answer(200, good(`,"expires_in":0`)), 0, ReasonBadContent, "", false},
		"half a second":                {tokenendpoint.Answer(200, good(`,"expires_in":0.5`)), 0, ReasonBadContent, "", false},
		"negative seconds":             {tokenendpoint.Answer(200, good(`,"expires_in":-60`)), 0, ReasonBadContent, "", false},
		"seconds without end":          {tokenendpoint.Answer(200, good(`,"expires_in":"Inf"`)), 0, ReasonBadContent, "", false},
		"hexadecimal seconds":          {tokenendpoint.Answer(200, good(`,"expires_in":"0x10"`)), 0, ReasonBadContent, "", false},
		"an object of seconds":         {tokenendpoint.Answer(200, good(`,"expires_in":{}`)), 0, ReasonBadContent, "", false},
		"endless digits":               {tokenendpoint.Answer(200, good(`,"expires_in":`+strings.Repeat("1", 33))), 0, ReasonBadContent, "", false},
		"no token":                     {tokenendpoint.Answer(200, `{"token_type":"Bearer","expires_in":60}`), 0, ReasonBadContent, "", false},
		"an empty token":               {tokenendpoint.Answer(200, `{"access_token":"","token_type":"Bearer"}`), 0, ReasonBadContent, "", false},
		"a token with a space":         {tokenendpoint.Answer(200, `{"access_token":"a b","token_type":"Bearer"}`), 0, ReasonBadContent, "", false},
		"a token with a line break":    {tokenendpoint.Answer(200, `{"access_token":"a\r\nX-Evil: 1","token_type":"Bearer"}`), 0, ReasonBadContent, "", false},
		"a token with a comma":         {tokenendpoint.Answer(200, `{"access_token":"a,b","token_type":"Bearer"}`), 0, ReasonBadContent, "", false},
		"a token with an umlaut":       {tokenendpoint.Answer(200, `{"access_token":"ü","token_type":"Bearer"}`), 0, ReasonBadContent, "", false},
		"a token with a control":       {tokenendpoint.Answer(200, `{"access_token":"a\u007f","token_type":"Bearer"}`), 0, ReasonBadContent, "", false},
		"a token that is a number":     {tokenendpoint.Answer(200, `{"access_token":7,"token_type":"Bearer"}`), 0, ReasonBadContent, "", false},
		"too long a token":             {tokenendpoint.Answer(200, `{"access_token":"`+long+`t","token_type":"Bearer"}`), 0, ReasonBadContent, "", false},
		"no type":                      {tokenendpoint.Answer(200, `{"access_token":"t","expires_in":60}`), 0, ReasonBadContent, "", false},
		"another type":                 {tokenendpoint.Answer(200, `{"access_token":"t","token_type":"DPoP","expires_in":60}`), 0, ReasonBadContent, "", false},
		"a name twice":                 {tokenendpoint.Answer(200, good(`,"access_token":"other"`)), 0, ReasonBadContent, "", false},
		"names in other letters":       {tokenendpoint.Answer(200, `{"Access_Token":"t","TOKEN_TYPE":"Bearer"}`), 0, ReasonBadContent, "", false},
		"something after it":           {tokenendpoint.Answer(200, good("")+"{}"), 0, ReasonBadContent, "", false},
		"a list":                       {tokenendpoint.Answer(200, `[`+good("")+`]`), 0, ReasonBadContent, "", false},
		"nothing":                      {tokenendpoint.Answer(200, ""), 0, ReasonBadContent, "", false},
		"garbage":                      {tokenendpoint.Answer(200, "\x00\xff{"), 0, ReasonBadContent, "", false},
		"a form":                       {tokenendpoint.AnswerAs(200, "application/x-www-form-urlencoded", "access_token=t&token_type=bearer"), 0, ReasonBadContent, "", false},
		"JSON called HTML":             {tokenendpoint.AnswerAs(200, "text/html", good("")), 0, ReasonBadContent, "", false},
		"huge":                         {tokenendpoint.Huge(64 << 10), 0, ReasonTooLarge, "", false},
		"cut":                          {tokenendpoint.Cut(), 0, ReasonUnreachable, "", true},
		"created":                      {tokenendpoint.Answer(201, good("")), 0, ReasonBadStatus, "", false},
		"no content":                   {tokenendpoint.Answer(204, ""), 0, ReasonBadStatus, "", false},
		"not found":                    {tokenendpoint.AnswerAs(404, "text/html", "<h1>404"), 0, ReasonBadStatus, "", false},
		"forbidden":                    {tokenendpoint.AnswerAs(403, "text/html", "<h1>403"), 0, ReasonBadStatus, "", false},
		"unauthorized":                 {tokenendpoint.AnswerAs(401, "text/html", "<h1>401"), 0, ReasonRequestRefused, "", false},
		"invalid_grant":                {tokenendpoint.Answer(400, `{"error":"invalid_grant","error_description":"hunter2"}`), 0, ReasonRequestRefused, "invalid_grant", false},
		"invalid_target":               {tokenendpoint.Answer(400, `{"error":"invalid_target"}`), 0, ReasonRequestRefused, "invalid_target", false},
		"an error beside a token":      {tokenendpoint.Answer(200, good(`,"error":"access_denied"`)), 0, ReasonRequestRefused, "access_denied", false},
		"an error with 401":            {tokenendpoint.Answer(401, `{"error":"invalid_client"}`), 0, ReasonRequestRefused, "invalid_client", false},
		"an unknown code":              {tokenendpoint.Answer(400, `{"error":"hunter2"}`), 0, ReasonRequestRefused, "", false},
		"a code in other letters":      {tokenendpoint.Answer(400, `{"error":"Invalid_Grant"}`), 0, ReasonRequestRefused, "", false},
		"a code and more":              {tokenendpoint.Answer(400, `{"error":"invalid_grant hunter2"}`), 0, ReasonRequestRefused, "", false},
		"an error that is an object":   {tokenendpoint.Answer(400, `{"error":{"code":"invalid_grant"}}`), 0, ReasonBadStatus, "", false},
		"an error that is no JSON":     {tokenendpoint.AnswerAs(400, "text/plain", `{"error":"invalid_grant"}`), 0, ReasonBadStatus, "", false},
		"half an error":                {tokenendpoint.Answer(400, `{"error":"invalid_grant"`), 0, ReasonBadStatus, "", false},
		"temporarily_unavailable":      {tokenendpoint.Answer(400, `{"error":"temporarily_unavailable"}`), 0, ReasonRequestRefused, "temporarily_unavailable", true},
		"server error":                 {tokenendpoint.Answer(500, good("")), 0, ReasonBadStatus, "", true},
		"server error with a code":     {tokenendpoint.Answer(503, `{"error":"temporarily_unavailable"}`), 0, ReasonBadStatus, "temporarily_unavailable", true},
		"too many requests":            {tokenendpoint.Answer(429, `{"error":"hunter2"}`), 0, ReasonBadStatus, "", true},
		"redirect":                     {tokenendpoint.Redirect(307, "/elsewhere"), 0, ReasonBadRedirect, "", false},
		"redirect with GET":            {tokenendpoint.Redirect(302, "/elsewhere"), 0, ReasonBadRedirect, "", false},
		"redirect for good":            {tokenendpoint.Redirect(308, "https://hunter2.example/"), 0, ReasonBadRedirect, "", false},
		"not modified":                 {tokenendpoint.AnswerAs(304, "text/plain", ""), 0, ReasonBadRedirect, "", false},
		"compressed, not asked":        {compressed, 0, ReasonBadContent, "", false},
		"no media type":                {untyped(good(`,"expires_in":60`)), time.Minute, "", "", false},
		"a media type that is garbage": {tokenendpoint.AnswerAs(200, "application/json; =", good("")), 0, ReasonBadContent, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, false)
			l.Misbehave(row.behaviour)
			before := time.Now()
			token, err := l.obtain(t)
			after := time.Now()
			if row.reason == "" {
				if err != nil {
					t.Fatal(err)
				}
				if token.ExpiresAt.Sub(token.IssuedAt) != row.life || token.IssuedAt.Before(before) || token.IssuedAt.After(after) || token.Type != "Bearer" {
					t.Errorf("%s from %s, want it to live %s from its request on", token, token.IssuedAt, row.life)
				}
			} else if err == nil || err.Reason != row.reason || err.Code != row.code || err.Away() != row.away || err.Timeout() || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, want %s %s", err, row.reason, row.code)
			}
			if l.Requests() != 1 {
				t.Errorf("%d requests", l.Requests())
			}
		})
	}
}

func compressed(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	_, _ = w.Write([]byte("{}"))
}

func untyped(body string) tokenendpoint.Behaviour {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		_, _ = w.Write([]byte(body))
	}
}

// TestUnreachableEndpoints guards the reasons of what goes wrong before an answer.
func TestUnreachableEndpoints(t *testing.T) {
	for name, row := range map[string]struct {
		change func(l *lab)
		reason string
		want   string
		away   bool
	}{
		"down":        {func(l *lab) { l.Down() }, ReasonUnreachable, "connection", true},
		"not allowed": {func(l *lab) { l.client = outbound.NewClient(outbound.Rules{}, outbound.Options{}) }, ReasonAddressNotAllowed, "add 127.0.0.1/32", false},
		"another CA":  {func(*lab) {}, ReasonTLSFailed, "caBundleRef", false},
		"no TLS there": {func(l *lab) {
			l.Down()
			plain := tokenendpoint.Start(t, tokenendpoint.Options{})
			l.credential.TokenEndpoint = strings.Replace(plain.URL(), "http:", "https:", 1)
		}, ReasonTLSFailed, "does not speak TLS", false},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, true)
			row.change(l)
			_, err := l.obtain(t)
			if err == nil || err.Reason != row.reason || !strings.Contains(err.Message, row.want) || err.Away() != row.away || err.Status != 0 || err.Timeout() {
				t.Errorf("%v, want %s: %s", err, row.reason, row.want)
			}
		})
	}
	t.Run("trusted", func(t *testing.T) {
		l := newLab(t, true)
		l.client = l.Server().Client()
		if _, err := l.obtain(t); err != nil {
			t.Error(err, l.Refusals())
		}
	})
}

// TestSilentEndpoint guards that an endpoint which never answers is told as that.
func TestSilentEndpoint(t *testing.T) {
	l := newLab(t, false)
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	l.Misbehave(tokenendpoint.Hang(stop))
	l.client = outbound.NewClient(outbound.Rules{AllowedCIDRs: loopback}, outbound.Options{ResponseHeaderTimeout: time.Millisecond})
	if _, err := l.obtain(t); err == nil || err.Reason != ReasonUnreachable || !err.Timeout() || !err.Away() {
		t.Errorf("%v, want a timeout", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := must[*Maker](t)(Compile(l.credential)).Obtain(ctx, l.client, time.Now, rand.Reader)
	if told := new(Error); !errors.As(err, &told) || told.Reason != ReasonUnreachable || told.Timeout() {
		t.Errorf("cancelled: %v", err)
	}
}

// TestNothingIsToldOn guards secrets against an endpoint that sends back what it was sent, wherever it can.
func TestNothingIsToldOn(t *testing.T) {
	for _, method := range []string{config.ClientSecretBasic, config.ClientSecretPost} {
		l := newLab(t, false)
		l.credential.Client.Authentication = method
		var sent []string
		echo := tokenendpoint.Echo()
		l.Misbehave(func(w http.ResponseWriter, r *http.Request) {
			sent = append(sent, strings.TrimPrefix(r.Header.Get("Authorization"), "Basic "))
			echo(w, r)
		})
		_, err := l.obtain(t)
		if err == nil || err.Reason != ReasonRequestRefused || err.Code != "" || err.RetryAfter != 0 || err.Status != 400 {
			t.Fatalf("%#v", err)
		}
		told := fmt.Sprintf("%v %+v %#v", err, *err, *err)
		for _, text := range append(sent, "eyJ", "assertion=", "s3cr3t", secret) {
			if text != "" && strings.Contains(told, text) {
				t.Errorf("%q is told on in %s", text, told)
			}
		}
	}
}

// TestRedirectsAreNotFollowed guards the assertion: no other place is asked, not even with GET.
func TestRedirectsAreNotFollowed(t *testing.T) {
	l, other := newLab(t, false), tokenendpoint.Start(t, tokenendpoint.Options{})
	for _, status := range []int{301, 302, 303, 307, 308} {
		l.Misbehave(tokenendpoint.Redirect(status, other.URL()))
		if _, err := l.obtain(t); err == nil || err.Reason != ReasonBadRedirect || err.Status != status {
			t.Errorf("%d: %v", status, err)
		}
	}
	if other.Requests() != 0 {
		t.Errorf("%d requests at the other place", other.Requests())
	}
}

func TestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "-7": 0, "100000": MaxRetryAfter, "99999999999999999999": 0, "soon": 0, "7.5": 0,
		now.Add(time.Minute).UTC().Format(http.TimeFormat): time.Minute, now.Add(-time.Minute).UTC().Format(http.TimeFormat): 0,
		now.Add(24 * time.Hour).UTC().Format(http.TimeFormat): MaxRetryAfter,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	l := newLab(t, false)
	l.Misbehave(tokenendpoint.Busy(42 * time.Second))
	if _, err := l.obtain(t); err == nil || err.RetryAfter != 42*time.Second {
		t.Errorf("%v", err)
	}
}

// TestHostsOfMessages guards conditions against hosts that are long or no text.
func TestHostsOfMessages(t *testing.T) {
	if got := hostOf(&url.URL{Host: strings.Repeat("a", 300) + "\n\x00ü.EXAMPLE:1"}); len(got) != 103 || !strings.HasSuffix(got, "???.example:1") {
		t.Errorf("%q", got)
	}
}

// FuzzAnswer looks for answers that make the parser panic, tell what was sent, or hand out what cannot stand in a header.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		`{"access_token":"t","token_type":"Bearer","expires_in":60}`, `{"access_token":"t","token_type":"bearer","expires_in":"60"}`,
		`{"error":"invalid_grant","error_description":"x"}`, `{"access_token":"a\nb","token_type":"Bearer"}`, `{"expires_in":1e999}`, `[`, ``,
	} {
		f.Add(200, true, []byte(body))
		f.Add(400, true, []byte(body))
		f.Add(503, false, []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, isJSON bool, body []byte) {
		token, err := answer{status: status, json: isJSON, body: body}.read(now)
		if (err == nil) != (token.Value != "") {
			t.Fatalf("%s beside %v", token, err)
		}
		if err != nil {
			if err.Code != "" && !slices.Contains(registered, err.Code) || len(err.Error()) > 300 {
				t.Errorf("the error tells %q", err)
			}
			return
		}
		life := token.ExpiresAt.Sub(token.IssuedAt)
		if status != 200 || !isJSON || token.Type != Bearer || life < time.Second || life > maxLife {
			t.Errorf("status %d, %s", status, token)
		}
		if h := (http.Header{"Authorization": {token.Authorization()}}); strings.ContainsAny(h.Get("Authorization")[len("Bearer "):], " \r\n,\"") {
			t.Errorf("%q cannot stand in a header", token.Value)
		}
		var again map[string]any
		if json.Unmarshal(body, &again) != nil || again["access_token"] != token.Value {
			t.Errorf("another token than the answer's: %q", token.Value)
		}
	})
}
