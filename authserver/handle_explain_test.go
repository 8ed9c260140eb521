// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

const opsToken = "0123456789abcdef0123456789abcdef"

func (l *lab) explain(t testing.TB, authorization []string, contentType, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/explain", strings.NewReader(body))
	r.Header["Authorization"] = authorization
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	l.opsHandler.ServeHTTP(w, r)
	return w
}

// TestExplainNeedsTheToken guards who may ask: a report tells claims of a token, and asking makes the server fetch keys.
func TestExplainNeedsTheToken(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, policies(t)...))
	body := `{"token":"a.b.c"}`
	if w := l.explain(t, []string{"Bearer "}, "application/json", body); w.Code != 401 {
		t.Errorf("a server without a token: %d", w.Code)
	}
	l.opsAuth.set(" " + opsToken + "\n")
	for name, c := range map[string]struct {
		authorization []string
		status        int
	}{
		"right":             {[]string{"Bearer " + opsToken}, 200},
		"scheme in any way": {[]string{"bearer  " + opsToken}, 200},
		"none":              {nil, 401},
		"empty":             {[]string{"Bearer "}, 401},
		"no scheme":         {[]string{opsToken}, 401},
		"another scheme":    {[]string{"Basic " + opsToken}, 401},
		"wrong":             {[]string{"Bearer " + opsToken[1:] + "x"}, 401},
		"shorter":           {[]string{"Bearer " + opsToken[1:]}, 401},
		"longer":            {[]string{"Bearer " + opsToken + "0"}, 401},
		"twice":             {[]string{"Bearer " + opsToken, "Bearer " + opsToken}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			w := l.explain(t, c.authorization, "application/json", body)
			if w.Code != c.status || w.Header().Get("Cache-Control") != "no-store" || (w.Code == 401) != (w.Header().Get("Www-Authenticate") != "") {
				t.Errorf("%d %v, want %d", w.Code, w.Header(), c.status)
			}
		})
	}
	// A token that was changed in the cluster counts with the next reading of the files, and the old one no more.
	files := render(t, baseOf(nil), 1, policies(t)...)
	files[config.FileOpsToken] = []byte("fedcba9876543210fedcba9876543210\n")
	for _, data := range []string{"fedcba9876543210fedcba9876543210\n", "", strings.Repeat("x", maxOpsToken+1)} { // what is no token changes nothing
		files[config.FileOpsToken] = []byte(data)
		if err := l.Load(files); err != nil {
			t.Fatal(err)
		}
		for token, status := range map[string]int{opsToken: 401, "fedcba9876543210fedcba9876543210": 200} {
			if w := l.explain(t, []string{"Bearer " + token}, "application/json", body); w.Code != status {
				t.Errorf("after a change: %d, want %d", w.Code, status)
			}
		}
	}
}

// TestExplainBody guards that a question with a mistake is not answered as another one.
func TestExplainBody(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, policies(t)...))
	l.opsAuth.set(opsToken)
	for name, c := range map[string]struct {
		contentType, body string
		status            int
		want              string // in the description
	}{
		"unknown member":     {"application/json", `{"token":"a","tenent":"acme"}`, 400, `unknown member "tenent": use token, tenant, issuer, client_id, nonce, assertion and scope`},
		"another case":       {"application/json", `{"token":"a","Tenant":"acme"}`, 400, `unknown member "Tenant"`},
		"a long member":      {"application/json", `{"` + strings.Repeat("n", 200) + `":"a"}`, 400, `unknown member "` + strings.Repeat("n", 64) + `": use`},
		"a member twice":     {"application/json", `{"token":"a","tenant":"a","tenant":"b"}`, 400, "no member twice"},
		"not a string":       {"application/json", `{"token":"a","tenant":7}`, 400, `"tenant" must be a string`},
		"token not a string": {"application/json", `{"token":["a"]}`, 400, `"token" must be a string`},
		"no token":           {"application/json", `{"tenant":"acme"}`, 400, "token is required"},
		"empty token":        {"application/json", `{"token":""}`, 400, "token is required"},
		"no object":          {"application/json", `"a"`, 400, "one JSON object"},
		"something after it": {"application/json", `{"token":"a"} {}`, 400, "one JSON object"},
		"nothing":            {"application/json", ``, 400, "one JSON object"},
		"too long":           {"application/json", `{"token":"` + strings.Repeat("a", maxBody) + `"}`, 413, "64 KiB"},
		"a form":             {"application/x-www-form-urlencoded", `token=a`, 415, "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			w := l.explain(t, []string{"Bearer " + opsToken}, c.contentType, c.body)
			var got errorBody
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != c.status || got.Error != codeInvalidRequest || !strings.Contains(got.Description, c.want) {
				t.Errorf("%d %s, want %d and %q", w.Code, w.Body, c.status, c.want)
			}
		})
	}
	if w := httpOps(l, http.MethodGet, "/explain"); w.Code != 405 {
		t.Errorf("GET: %d", w.Code)
	}
}

func httpOps(l *lab, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	l.opsHandler.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

// TestExplainAgrees guards that a report is that of the decision /verify makes, counts as none, and holds no token.
func TestExplainAgrees(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, policies(t)...))
	l.opsAuth.set(opsToken)
	good := cast().acme.sign(t, nil, acmeClaims)
	for name, c := range map[string]struct {
		members obj
		headers []string
	}{
		"allowed":      {obj{"tenant": "acme"}, []string{"x-jwt-tenant-id: acme"}},
		"all members":  {obj{"tenant": "acme", "issuer": "https://idp.acme.example", "client_id": "https://api.example", "nonce": "n-1"}, []string{"x-jwt-tenant-id: acme", "x-jwt-issuer: https://idp.acme.example", "x-jwt-client-id: https://api.example", "x-jwt-nonce: n-1"}},
		"no tenant":    {obj{}, nil},
		"null":         {obj{"tenant": "acme", "nonce": raw("null")}, []string{"x-jwt-tenant-id: acme"}},
		"empty":        {obj{"tenant": "acme", "nonce": ""}, []string{"x-jwt-tenant-id: acme", "x-jwt-nonce:"}},
		"narrowed":     {obj{"tenant": "acme", "nonce": "n-2"}, []string{"x-jwt-tenant-id: acme", "x-jwt-nonce: n-2"}},
		"other tenant": {obj{"tenant": "globex"}, []string{"x-jwt-tenant-id: globex"}},
	} {
		t.Run(name, func(t *testing.T) {
			l.log.take()
			resp := l.send(t, "GET /verify HTTP/1.1\r\nHost: a\r\n"+strings.Join(append(c.headers, x(good)), "\r\n")+"\r\n\r\n")
			reason := l.reason(t)
			before := counted(l)
			body, err := json.Marshal(c.members.with(obj{"token": good}))
			if err != nil {
				t.Fatal(err)
			}
			w := l.explain(t, []string{"Bearer " + opsToken}, "application/json; charset=utf-8", string(body))
			var report policy.Report
			if err := json.Unmarshal(w.Body.Bytes(), &report); err != nil || w.Code != 200 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if report.Status != resp.StatusCode || string(report.Reason) != reason || (report.Fix == "") != (reason == "") {
				t.Errorf("reported %d %q %q, decided %d %q", report.Status, report.Reason, report.Fix, resp.StatusCode, reason)
			}
			for _, name := range identityHeaders {
				if got := report.Headers[name]; got != resp.Header.Get(name) {
					t.Errorf("%s reported as %q, answered as %q", name, got, resp.Header.Get(name))
				}
			}
			if diff := cmp.Diff(before, counted(l)); diff != "" {
				t.Errorf("explaining was counted (-before +after):\n%s", diff)
			}
			log := l.log.take()
			if !strings.Contains(log, `"event":"verify.explained"`) {
				t.Errorf("nobody can tell that somebody asked: %s", log)
			}
			for part := range strings.SplitSeq(good, ".") {
				if strings.Contains(log, part) || strings.Contains(w.Body.String(), part) {
					t.Error("the log or the report holds a part of the token")
				}
			}
		})
	}
}

// counted are all samples of decisions.
func counted(l *lab) []string {
	var lines []string
	for line := range strings.Lines(httpOps(l, http.MethodGet, "/metrics").Body.String()) {
		if strings.HasPrefix(line, "gatehouse_verify_total") || strings.HasPrefix(line, "gatehouse_tenant_verify_total") {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestExplainWithoutConfiguration(t *testing.T) {
	l := newLab(t, nil)
	l.opsAuth.set(opsToken)
	w := l.explain(t, []string{"Bearer " + opsToken}, "application/json", `{"token":"a.b.c"}`)
	var report policy.Report
	if err := json.Unmarshal(w.Body.Bytes(), &report); err != nil || report.Status != 503 || report.Reason != policy.ReasonNotConfigured {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
