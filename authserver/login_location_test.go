// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"net/url"
	"testing"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// TestLoginLocationOverGRPC guards that a browser's 401 says the same over Envoy's protocol as over HTTP, and that no other refusal,
// and nobody else's, says anything.
func TestLoginLocationOverGRPC(t *testing.T) {
	w := newWorld(t, nil)
	e := run(t, w.lab).envoy(t)
	ask := func(change func(h *authv3.AttributeContext_HttpRequest), lines ...string) (status int32, locations []string) {
		t.Helper()
		in := checkRequest(headersOf(lines), nil, false)
		h := in.Attributes.Request.Http
		h.Path = "/x?y=z"
		if change != nil {
			change(h)
		}
		denied := e.check(t, in).GetDeniedResponse()
		for _, o := range denied.GetHeaders() {
			if o.GetHeader().GetKey() == "x-auth-login-location" {
				locations = append(locations, o.GetHeader().GetValue())
			}
		}
		return int32(denied.GetStatus().GetCode()), locations
	}
	login := w.origin + "/login"
	back := login + "?return_to=" + url.QueryEscape("https://app.example/x?y=z")
	for name, c := range map[string]struct {
		change func(h *authv3.AttributeContext_HttpRequest)
		lines  []string
		want   string
	}{
		"a browser":         {nil, nil, back},
		"a bad token":       {nil, []string{"authorization: Bearer x"}, back},
		"behind a proxy":    {func(h *authv3.AttributeContext_HttpRequest) { h.Scheme = "http" }, []string{"x-forwarded-proto: https"}, back},
		"http":              {func(h *authv3.AttributeContext_HttpRequest) { h.Scheme = "http" }, nil, login},
		"another host":      {func(h *authv3.AttributeContext_HttpRequest) { h.Host = "evil.example" }, nil, login},
		"user info":         {func(h *authv3.AttributeContext_HttpRequest) { h.Host = "app.example@evil.example" }, nil, login},
		"forwarding forged": {func(h *authv3.AttributeContext_HttpRequest) { h.Host = "evil.example" }, []string{"x-forwarded-host: app.example", "x-original-url: https://app.example/"}, login},
		"a form":            {func(h *authv3.AttributeContext_HttpRequest) { h.Method = "POST" }, nil, ""},
		"a program":         {func(h *authv3.AttributeContext_HttpRequest) { h.Headers["accept"] = "*/*" }, nil, ""},
	} {
		status, got := ask(c.change, c.lines...)
		if status != 401 || len(got) > 1 || len(got) == 1 != (c.want != "") || len(got) == 1 && got[0] != c.want {
			t.Errorf("%s: %d %q, want %q", name, status, got, c.want)
		}
	}
	w.base.Store.Type, w.base.Providers = config.StoreNone, nil
	w.serve(t)
	if status, got := ask(nil); status != 401 || got != nil {
		t.Errorf("where nobody can log in: %d %q", status, got)
	}
}
