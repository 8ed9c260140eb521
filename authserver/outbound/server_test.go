// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}

// counted is a server on 127.0.0.1 and, with the same port, on every other loopback address: what the dialer lets
// through arrives.
type counted struct {
	*httptest.Server
	hits      atomic.Int64 // requests
	strangers atomic.Int64 // connections to other addresses than 127.0.0.1
}

func serve(t *testing.T, handler http.HandlerFunc) *counted {
	t.Helper()
	c := &counted{}
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.hits.Add(1)
		handler(w, r)
	}))
	all, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Listener.Close()
	c.Listener = all
	c.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		if host, _, _ := net.SplitHostPort(conn.LocalAddr().String()); host != "127.0.0.1" {
			c.strangers.Add(1)
		}
		return ctx
	}
	c.Start()
	t.Cleanup(c.Close)
	return c
}

// at is the server's URL under a host of the test's choice.
func (c *counted) at(host string) string {
	_, port, _ := net.SplitHostPort(c.Listener.Addr().String())
	return "http://" + net.JoinHostPort(host, port)
}

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }

func get(t *testing.T, client *http.Client, url string) (string, error) {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	body, err := ReadBody(resp, 1<<10)
	return string(body), err
}

func wantRefused(t *testing.T, err error, addr string) {
	t.Helper()
	var refused *AddressError
	if !errors.As(err, &refused) {
		t.Errorf("got %v, want an AddressError for %s", err, addr)
	} else if refused.Address.String() != addr {
		t.Errorf("refused %s, want %s", refused.Address, addr)
	}
}
