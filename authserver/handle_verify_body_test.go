// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// dial opens a connection for raw bytes; whatever it waits for comes within 20 s.
func (r *running) dial(t testing.TB) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", r.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	return c, bufio.NewReader(c)
}

// ask sends raw bytes and reads one answer.
func ask(t testing.TB, c net.Conn, answers *bufio.Reader, request string) *http.Response {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatalf("%.100q: %v", request, err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp
}

// TestABodyIsNotWaitedFor announces bodies that never come, as nginx's auth_request does: the decision is sent at once and
// the connection closed, since what may still come on it is no request.
func TestABodyIsNotWaitedFor(t *testing.T) {
	r := run(t, newLab(t, render(t, baseOf(nil), 1, policies(t)...)))
	token := x(cast().globex.sign(t, nil, globexClaims))
	second := "GET /verify HTTP/1.1\r\nHost: x\r\n" + token + "\r\n\r\n"
	for _, c := range []struct {
		name, request string
		status        int
	}{
		{"length without body", "POST /verify/globex HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n" + token + "\r\n\r\n", 200},
		{"a large length", "POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n" + token + "\r\n\r\n", 200},
		{"chunks that never come", "POST /verify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + token + "\r\n\r\n", 200},
		{"a chunk that breaks off", "PUT /envoy/globex/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + token + "\r\n\r\n5\r\nab", 200},
		{"GET with a length", "GET /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n" + token + "\r\n\r\n", 200},
		{"a refusal", "POST /verify/acme HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n" + token + "\r\n\r\n", 401},
		{"no endpoint", "POST /verify/a/b HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n", 404},
		{"the body came, and looks like a request", "POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n" + token + "\r\n\r\nhello" + second, 200},
		{"length and chunks", "POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n" + token + "\r\n\r\n0\r\n\r\n" + second, 200},
		{"a continuation is asked for", "POST /verify HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 10\r\n" + token + "\r\n\r\n", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn, answers := r.dial(t)
			start := time.Now()
			resp := ask(t, conn, answers, c.request)
			if resp.StatusCode != c.status || !resp.Close {
				t.Errorf("%d, closes: %v; want %d and the end of the connection", resp.StatusCode, resp.Close, c.status)
			}
			if took := time.Since(start); took > readTimeout/2 {
				t.Errorf("answered after %s", took)
			}
			if rest, err := io.ReadAll(answers); err != nil || len(rest) > 0 {
				t.Errorf("after the answer came %q, %v", rest, err)
			}
			if took := time.Since(start); took > readTimeout/2 {
				t.Errorf("closed after %s", took)
			}
		})
	}
}

// TestRequestsWithoutBodyKeepTheirConnection guards that gateways need no new connection for each request.
func TestRequestsWithoutBodyKeepTheirConnection(t *testing.T) {
	r := run(t, newLab(t, render(t, baseOf(nil), 1, policies(t)...)))
	token := x(cast().globex.sign(t, nil, globexClaims))
	conn, answers := r.dial(t)
	for _, request := range []string{
		"GET /verify HTTP/1.1\r\nHost: x\r\n" + token + "\r\n\r\n",
		"POST /verify/globex HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n" + token + "\r\n\r\n",
		"PUT /envoy/globex/a HTTP/1.1\r\nHost: x\r\n" + token + "\r\n\r\n",
		"GET /verify/globex HTTP/1.1\r\nHost: x\r\n" + token + "\r\n\r\n",
	} {
		if resp := ask(t, conn, answers, request); resp.StatusCode != 200 || resp.Close {
			t.Errorf("%.40q: %d, closes: %v", request, resp.StatusCode, resp.Close)
		}
	}
}

// TestShutdownHearsConnectionsTakenLast guards that a connection opened while the listener still was, and whose first request
// comes after that, is answered.
func TestShutdownHearsConnectionsTakenLast(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, policies(t)...))
	l.options.ShutdownDelay = time.Millisecond
	token := x(cast().globex.sign(t, nil, globexClaims))
	closed, heard := make(chan struct{}), make(chan struct{})
	l.settle = func() { close(closed); <-heard }
	r := run(t, l)
	conn, answers := r.dial(t)
	another, second := r.dial(t)
	_ = ask(t, another, second, "GET /verify HTTP/1.1\r\nHost: x\r\n\r\n") // so both are taken: the kernel hands them out in order
	r.stop()
	<-closed
	if c, err := net.DialTimeout("tcp", r.Addr().String(), time.Second); err == nil {
		_ = c.Close()
		t.Error("the listener is still open")
	}
	if resp := ask(t, conn, answers, "GET /verify HTTP/1.1\r\nHost: x\r\n"+token+"\r\n\r\n"); resp.StatusCode != 200 || !resp.Close {
		t.Errorf("%d, closes: %v", resp.StatusCode, resp.Close)
	}
	close(heard)
	if err := <-r.done; err != nil {
		t.Error(err)
	}
	if log := l.log.take(); strings.Contains(log, "still in flight") {
		t.Errorf("the log: %s", log)
	}
}
