// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"golang.org/x/time/rate"

	"github.com/gatehouse-auth/gatehouse/authserver/idp/optest"
	"github.com/gatehouse-auth/gatehouse/authserver/pages"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// from is the header by which a visitor of a world behind a proxy has another address.
func from(address string) string { return "X-Forwarded-For: " + address }

func behindProxy(w *world) { w.base.Login.TrustedProxies = []string{"127.0.0.0/8"} }

// countedUses counts what is noted.
type countedUses struct {
	store.Uses
	noted atomic.Int64
}

func (c *countedUses) Use(ctx context.Context, scope string, id store.Hash, now, until time.Time) error {
	c.noted.Add(1)
	return c.Uses.Use(ctx, scope, id, now, until)
}

// TestOneNetworkCannotStopLogins guards that a flood of logins that come to nothing is refused after a burst, notes nothing, fills no
// log, and is no matter to other networks.
func TestOneNetworkCannotStopLogins(t *testing.T) {
	w := newWorld(t, behindProxy)
	uses := &countedUses{Uses: w.browsers.uses}
	w.browsers.uses, w.browsers.refusals.limit = uses, rate.NewLimiter(0, 100)
	attacker, other := w.visitor(t), w.visitor(t)
	refused := 0
	for range 200 {
		start := attacker.get("/auth/sso/login/", from("198.51.100.1"))
		if start.StatusCode == http.StatusTooManyRequests {
			refused++
			continue
		}
		_, state, _ := strings.Cut(attacker.target(start), "&state=")
		state, _, _ = strings.Cut(state, "&")
		attacker.get("/auth/sso/login/callback/?error=access_denied&iss="+w.op.Issuer()+"&state="+state, from("198.51.100.1"))
	}
	if refused != 200-tempoBurst/2 || uses.noted.Load() != 0 {
		t.Errorf("%d refused, %d uses noted", refused, uses.noted.Load())
	}
	for _, path := range []string{"/auth/sso/login/", "/auth/sso/login/callback/?code=x&state=y"} {
		page := attacker.get(path, from("198.51.100.1"))
		if page.StatusCode != http.StatusTooManyRequests || page.Header.Get("Retry-After") != "1" || !strings.Contains(page.body, "in 1 minute.") {
			t.Errorf("%s: %d %v\n%s", path, page.StatusCode, page.Header, page.body)
		}
		var body errorBody
		if err := json.Unmarshal([]byte(attacker.get(path, from("198.51.100.1"), "Accept: application/json").body), &body); err != nil || body.Error != pages.ReasonTooManyAttempts {
			t.Errorf("%s: %+v, %v", path, body, err)
		}
	}
	logged, dropped := strings.Count(w.log.take(), `"event":"login.refused"`), samples(t, w.lab, "gatehouse_refusals_not_logged_total")[""]
	if logged != 100 || dropped != float64(200+4-100) {
		t.Errorf("%d refusals in the log, %v not", logged, dropped)
	}
	other.get(other.callback("sso", ""), from("198.51.100.2"))
	if other.verify() != http.StatusOK || uses.noted.Load() != 1 {
		t.Errorf("another network cannot log in; %d uses noted", uses.noted.Load())
	}
	w.pass(2 * tempoInterval)
	attacker.get(attacker.callback("sso", ""), from("198.51.100.1"))
}

// TestProviderThatHangs guards that callbacks which a provider leaves hanging hold neither another network's login there, while there
// are turns, nor any login at another provider; and that a refused callback is good once there is a turn.
func TestProviderThatHangs(t *testing.T) {
	second := optest.Start(t, optest.Options{Now: func() time.Time { return now }})
	w := newWorld(t, func(w *world) {
		behindProxy(w)
		w.base.Providers = append(w.base.Providers, w.provider("second", second))
	})
	release := make(chan struct{})
	var hung atomic.Int64
	w.op.Behave(optest.Behaviour{BeforeSigning: func(*optest.OP) {
		if hung.Add(1) <= turnsOfNetwork {
			<-release
		}
	}})
	crowd := from("198.51.100.1")
	statuses := make(chan int, turnsOfNetwork)
	for range turnsOfNetwork {
		v := w.visitor(t)
		r := must(http.NewRequestWithContext(t.Context(), http.MethodGet, v.callback("sso", ""), nil))
		r.Header.Set("X-Forwarded-For", "198.51.100.1")
		go func() {
			resp, err := v.client.Do(r)
			if err != nil {
				statuses <- 0
				return
			}
			statuses <- resp.StatusCode
			_ = resp.Body.Close()
		}()
	}
	eventually(t, "they hang", func() bool { return hung.Load() == turnsOfNetwork })
	late := w.visitor(t)
	callback := late.callback("sso", "")
	if got := late.get(callback, crowd); got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") != "2" {
		t.Errorf("one more of that network: %d %v", got.StatusCode, got.Header)
	}
	for _, provider := range []string{"sso", "second"} {
		v := w.visitor(t)
		v.get(v.callback(provider, ""), from("198.51.100.2"))
		if v.verify() != http.StatusOK {
			t.Errorf("another network cannot log in at %s", provider)
		}
	}
	v := w.visitor(t)
	v.get(v.callback("second", ""), crowd)
	if v.verify() != http.StatusOK {
		t.Error("that network cannot log in at another provider")
	}
	close(release)
	for range turnsOfNetwork {
		if got := <-statuses; got != http.StatusSeeOther {
			t.Errorf("one that hung: %d", got)
		}
	}
	if late.get(callback, crowd); late.verify() != http.StatusOK {
		t.Error("the callback that was refused is not good any more")
	}
	want := map[string]float64{`{result="succeeded",type="OIDC"}`: turnsOfNetwork + 4, `{result="busy",type="OIDC"}`: 1}
	if got := samples(t, w.lab, "gatehouse_logins_total"); got[`{result="busy",type="OIDC"}`] != 1 || got[`{result="succeeded",type="OIDC"}`] != turnsOfNetwork+4 {
		t.Errorf("gatehouse_logins_total %v, want %v", got, want)
	}
}

// failingOnce is a store that is away for the first logout of a provider.
type failingOnce struct {
	store.Sessions
	failed bool
}

func (f *failingOnce) EndUpstream(ctx context.Context, provider string, session, subject store.Hash) (int, error) {
	if !f.failed {
		f.failed = true
		return 0, errors.New("the store is away")
	}
	return f.Sessions.EndUpstream(ctx, provider, session, subject)
}

// TestProviderLogsOutAgain guards that a logout token which could not be followed is good when the provider sends it again, and once only.
func TestProviderLogsOutAgain(t *testing.T) {
	w := newWorld(t, nil)
	v, program := w.visitor(t), w.visitor(t)
	v.logIn("sso", "")
	w.browsers.sessions.Store = &failingOnce{Sessions: w.store}
	form := map[string][]string{"logout_token": {w.op.LogoutToken(nil)}}
	for i, want := range []int{http.StatusServiceUnavailable, http.StatusOK, http.StatusBadRequest} {
		got := program.post("/auth/sso/backchannel-logout", form)
		if got.StatusCode != want || (want == http.StatusServiceUnavailable) != (got.Header.Get("Retry-After") != "") {
			t.Errorf("time %d: %d %s", i+1, got.StatusCode, got.body)
		}
	}
	if v.verify() != http.StatusUnauthorized {
		t.Error("the session goes on")
	}
}

// TestPagesNameTheirTrace guards that an administrator can find what a page tells of, where traces are recorded.
func TestPagesNameTheirTrace(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	w := newWorldWith(t, func(o *Options) { o.Tracer = provider.Tracer("test") }, nil)
	v := w.visitor(t)
	refused := strings.Replace(v.callback("sso", ""), "code=", "error=server_error&x=", 1)
	for _, path := range []string{"/auth/sso/login/callback/?code=x&state=y", refused} {
		before := len(recorder.Ended())
		page := v.get(path)
		eventually(t, "the span", func() bool { return len(recorder.Ended()) > before })
		if id := recorder.Ended()[before].SpanContext().TraceID().String(); page.StatusCode < 400 || !strings.Contains(page.body, "<code>"+id+"</code>") {
			t.Errorf("%d, no %s in\n%s", page.StatusCode, id, page.body)
		}
	}
	if page := newWorld(t, nil).visitor(t).get("/auth/sso/login/callback/?code=x&state=y"); strings.Contains(page.body, "<code>") {
		t.Errorf("a reference without a trace:\n%s", page.body)
	}
}

// TestOpsEndSessionsHereAtOnce guards that what an administrator does to a user counts on this replica with the next request.
func TestOpsEndSessionsHereAtOnce(t *testing.T) {
	const token = "0123456789abcdef0123456789abcdef"
	for name, ask := range map[string]struct{ method, body string }{
		"disabled": {http.MethodPatch, `{"disabled":true}`},
		"deleted":  {http.MethodDelete, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldWith(t, func(o *Options) { o.OpsToken = token }, nil)
			v := w.visitor(t)
			v.logIn("sso", "")
			if v.verify() != http.StatusOK {
				t.Fatal("not logged in")
			}
			r := httptest.NewRequest(ask.method, "/users/jane", strings.NewReader(ask.body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+token)
			answer := httptest.NewRecorder()
			w.opsHandler.ServeHTTP(answer, r)
			if answer.Code != http.StatusOK || v.verify() != http.StatusUnauthorized {
				t.Errorf("%d %s; /verify goes on", answer.Code, answer.Body)
			}
		})
	}
}
