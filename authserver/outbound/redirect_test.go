// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestRedirects(t *testing.T) {
	var server *counted
	server = serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch to := r.URL.Query().Get("to"); {
		case strings.HasPrefix(r.URL.Path, "/hop/"):
			var n int
			_, _ = fmt.Sscanf(r.URL.Path, "/hop/%d", &n)
			if n == 0 {
				ok(w, r)
				return
			}
			http.Redirect(w, r, fmt.Sprintf("%s/hop/%d", server.at("127.0.0.1"), n-1), http.StatusFound)
		case to != "":
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusTemporaryRedirect)
		default:
			ok(w, r)
		}
	})
	client := NewClient(Rules{AllowedCIDRs: loopback}, Options{})
	for _, tt := range []struct {
		name, path string
		want       error // nil: the answer arrives
		hits       int64
	}{
		{"three", "/hop/3", nil, 4},
		{"four", "/hop/4", ErrRedirect, 4},
		{"to a refused address", "/?to=" + server.at("127.0.0.2"), ErrAddressNotAllowed, 1},
		{"to a private address", "/?to=https://10.0.0.1/", ErrAddressNotAllowed, 1},
		{"to metadata", "/?to=http://169.254.169.254/latest/", ErrAddressNotAllowed, 1},
		{"to http outside the list", "/?to=http://93.184.216.34/", ErrAddressNotAllowed, 1},
		{"with a user name", "/?to=http://u:p@127.0.0.1/", ErrRedirect, 1},
		{"to another scheme", "/?to=file:///etc/passwd", ErrRedirect, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server.hits.Store(0)
			body, err := get(t, client, server.at("127.0.0.1")+tt.path)
			if !errors.Is(err, tt.want) || tt.want == nil && body != "ok" {
				t.Errorf("got %q, %v; want %v", body, err, tt.want)
			}
			if n := server.hits.Load(); n != tt.hits {
				t.Errorf("%d requests arrived, want %d", n, tt.hits)
			}
		})
	}
	t.Run("of a POST", func(t *testing.T) {
		server.hits.Store(0)
		resp, err := client.Post(server.at("127.0.0.1")+"/hop/1", "application/x-www-form-urlencoded", strings.NewReader("client_secret=s"))
		if !errors.Is(err, ErrRedirect) || server.hits.Load() != 1 {
			t.Errorf("got %v and %d requests, want one and ErrRedirect", err, server.hits.Load())
		}
		if resp != nil {
			_ = resp.Body.Close()
		}
	})
}

func TestRedirectsCarryNoCredentials(t *testing.T) {
	var second http.Header
	var server *counted
	server = serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/end" {
			second = r.Header.Clone()
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "set", Value: "s"})
		http.Redirect(w, r, server.at("127.0.0.1")+"/end", http.StatusFound)
	})
	req, _ := http.NewRequest(http.MethodGet, server.at("127.0.0.1")+"/?secret=s", nil)
	req.Header.Set("Authorization", "Bearer s")
	req.Header.Set("Cookie", "own=s")
	req.Header.Set("Accept", "application/json")
	resp, err := NewClient(Rules{AllowedCIDRs: loopback}, Options{}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	for _, name := range []string{"Authorization", "Cookie", "Referer"} {
		if got := second.Get(name); got != "" {
			t.Errorf("%s arrived: %q", name, got)
		}
	}
	if second.Get("Accept") != "application/json" {
		t.Error("Accept was lost, so the test proves nothing")
	}
}

// Whoever follows redirects in steps meets the rules that the client has when it follows them.
func TestRedirectInSteps(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); to != "" {
			w.Header().Set("Location", to)
		}
		var code int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &code)
		w.WriteHeader(code)
	})
	client := WithoutRedirects(NewClient(Rules{AllowedCIDRs: loopback}, Options{}))
	for _, tt := range []struct {
		path, next string
		want       error
	}{
		{"/200?to=https://idp.example/keys", "", nil},
		{"/302", "", nil},
		{"/304?to=https://idp.example/keys", "", nil},
		{"/301?to=https://idp.example/keys", "https://idp.example/keys", nil},
		{"/302?to=/keys", "/keys", nil},
		{"/303?to=//idp.example/keys", "http://idp.example/keys", nil},
		{"/307?to=http://169.254.169.254/", "http://169.254.169.254/", nil}, // it is the dialer that refuses
		{"/308?to=https://u:p@idp.example/", "", ErrRedirect},
		{"/302?to=file:///etc/passwd", "", ErrRedirect},
	} {
		t.Run(tt.path, func(t *testing.T) {
			server.hits.Store(0)
			resp, err := client.Get(server.at("127.0.0.1") + tt.path)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			next, err := Redirect(resp)
			if !errors.Is(err, tt.want) || server.hits.Load() != 1 {
				t.Fatalf("got %v after %d requests, want %v after one", err, server.hits.Load(), tt.want)
			}
			want := tt.next
			if strings.HasPrefix(want, "/") {
				want = server.at("127.0.0.1") + want
			}
			if got := fmt.Sprint(next); err == nil && got != want && (next != nil || want != "") {
				t.Errorf("got %s, want %q", got, want)
			}
		})
	}
}
