// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
	"github.com/gatehouse-auth/gatehouse/test/tokenendpoint"
)

// TestCredentialFailures guards what a caller is told of an endpoint that fails, which is nothing of what it sent, and that others go on.
func TestCredentialFailures(t *testing.T) {
	const hush = "hush-hush-client-secret"
	for name, row := range map[string]struct {
		behaviour tokenendpoint.Behaviour
		status    int
		code      string
		reason    string
	}{
		"an error with a secret":      {tokenendpoint.Answer(500, `{"error":"`+hush+`"}`), 503, codeUnavailable, "BadStatus"},
		"busy":                        {tokenendpoint.Busy(7 * time.Second), 503, codeUnavailable, "BadStatus"},
		"refused":                     {tokenendpoint.Answer(400, `{"error":"invalid_grant","error_description":"`+hush+`"}`), 502, codeServerError, "RequestRefused"},
		"a token that splits headers": {tokenendpoint.Answer(200, `{"access_token":"a\r\nX-Evil: 1","token_type":"Bearer"}`), 502, codeServerError, "BadContent"},
		"another type of token":       {tokenendpoint.Answer(200, `{"access_token":"`+hush+`","token_type":"DPoP"}`), 502, codeServerError, "BadContent"},
		"no token":                    {tokenendpoint.Answer(200, `{}`), 502, codeServerError, "BadContent"},
		"cut":                         {tokenendpoint.Cut(), 503, codeUnavailable, "Unreachable"},
	} {
		e := tokenEndpoint(t)
		e.Misbehave(row.behaviour)
		l := newLab(t, renderWith(t, policies(t), credentialOf("api", e.URL(), devs), plainCredential("other", devs)))
		for range 3 { // the second from memory
			a := l.get(t, "/credentials/api", dev(t)...)
			var body errorBody
			if err := json.Unmarshal([]byte(a.body), &body); err != nil {
				t.Fatalf("%s: %s", name, a.body)
			}
			want := errorBody{row.code, "the provider gave no token: " + row.reason}
			if a.status != row.status || body != want || a.header.Get("Retry-After") == "" || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %+v %v", name, a.status, body, a.header)
			}
			silent(t, name, a.body, hush, "X-Evil")
		}
		if e.Requests() != 1 {
			t.Errorf("%s: %d attempts at once", name, e.Requests())
		}
		if l.get(t, "/credentials/other", dev(t)...).status != 200 {
			t.Errorf("%s: another credential has no token either", name)
		}
		if c := l.ofCredential(t, "api"); c.Status != "False" || c.Reason != row.reason || c.Message == "" {
			t.Errorf("%s: %+v", name, c)
		}
		log := l.logWith(t, `"event":"credential.failed"`)
		if strings.Count(log, `"event":"credential.failed","provider":"default/api","reason":"`+row.reason+`"`) != 1 {
			t.Errorf("%s: not told as it should be:\n%s", name, log)
		}
		silent(t, "the log, "+name, log+httpGetOps(t, l, "/configz")+httpGetOps(t, l, "/metrics"), hush, "X-Evil")
	}
}

// TestCredentialOutOfTime guards that an endpoint that never answers is 504, for who waits and as an error.
func TestCredentialOutOfTime(t *testing.T) {
	e := tokenEndpoint(t)
	until := make(chan struct{})
	e.Misbehave(tokenendpoint.Hang(until))
	defer close(until)
	l := newLab(t, renderWith(t, policies(t), credentialOf("api", e.URL(), devs)))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	a := l.request(ctx, t, http.MethodGet, "/credentials/api", dev(t)...)
	if a.status != http.StatusGatewayTimeout || a.header.Get("Retry-After") != "1" || !strings.Contains(a.body, codeUnavailable) {
		t.Errorf("%d %v %s", a.status, a.header, a.body)
	}
	// The attempt's own end, which comes after 10 s, here sooner.
	c := credentialOf("api", e.URL(), "")
	maker, err := assertion.Compile(&c)
	if err != nil {
		t.Fatal(err)
	}
	clients := outbound.NewClients(outbound.Options{})
	client, err := clients.Get(outbound.Profile{AllowedCIDRs: "127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	short, cancelShort := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancelShort()
	_, err = maker.Obtain(short, client, func() time.Time { return now }, zeros{})
	if f := faultOf(err); f.status != http.StatusGatewayTimeout || f.after < time.Second {
		t.Errorf("%+v of %v", f, err)
	}
}

// zeros is randomness that nothing rests on.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestBrokenCredential guards that one that cannot be used breaks neither its file nor others, and says why.
func TestBrokenCredential(t *testing.T) {
	broken := plainCredential("broken", devs)
	broken.Algorithm = "RS256"
	odd := plainCredential("odd", "nonsense(")
	l := newLab(t, renderWith(t, policies(t), broken, odd, plainCredential("fine", devs)))
	for name, status := range map[string]int{"broken": 502, "odd": 404, "fine": 200} {
		if a := l.get(t, "/credentials/"+name, dev(t)...); a.status != status {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	for name, want := range map[string]string{"broken": "keySecretRef", "odd": "allowedCallers"} {
		if c := l.ofCredential(t, name); c.Status != "False" || c.Reason != "InvalidSource" || !strings.HasPrefix(c.Message, want) || strings.Contains(c.Message, "nonsense") {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if diff := cmp.Diff(map[string]float64{`{state="ready"}`: 1, `{state="failing"}`: 2}, samples(t, l, "gatehouse_credentials")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
