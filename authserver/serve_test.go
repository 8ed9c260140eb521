// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// running is a server on real listeners.
type running struct {
	*lab
	stop func()     // begins the shutdown
	done chan error // Run's result
}

func run(t testing.TB, l *lab) *running {
	t.Helper()
	if err := l.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &running{l, stop, make(chan error, 1)}
	go func() { r.done <- l.Run(ctx) }()
	t.Cleanup(stop)
	return r
}

func (r *running) url(path string) string { return "http://" + r.Addr().String() + path }
func (r *running) ops(path string) string { return "http://" + r.OpsAddr().String() + path }

// eventually polls until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("never: " + what)
		}
	}
}

func get(t testing.TB, client *http.Client, url, token string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Jwt-Token", token)
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp, err
}

// TestReloadUnderLoad swaps configurations while requests run. Each change moves a tenant's key and audience together,
// so a request that saw half of one would be decided as no configuration decides it.
func TestReloadUnderLoad(t *testing.T) {
	c := cast()
	versions := make([]map[string][]byte, 2)
	tokens := make([]string, 2)
	for i, signer := range []*party{c.acme, c.old} {
		list := policies(t)
		audience := fmt.Sprintf("https://v%d.example", i)
		list[0].Issuers, list[0].Audiences = []config.Issuer{inline(t, "https://idp.acme.example", signer)}, []string{audience}
		versions[i] = render(t, baseOf(nil), 2, list...)
		tokens[i] = signer.sign(t, nil, acmeClaims.with(obj{"aud": audience}))
	}
	mixed := c.acme.sign(t, nil, acmeClaims.with(obj{"aud": "https://v1.example"})) // the key of one, the audience of the other
	steady := c.globex.sign(t, nil, globexClaims)

	l := newLab(t, versions[0])
	var wg sync.WaitGroup
	var stop atomic.Bool
	var decided atomic.Int64
	for range 4 {
		wg.Go(func() {
			for !stop.Load() {
				before := l.snapshot.Load()
				got := [2]int{l.status(t, "acme", tokens[0]), l.status(t, "acme", tokens[1])}
				if same := l.snapshot.Load() == before; same && got[0] == got[1] {
					t.Errorf("one configuration decided %v", got)
				}
				if l.status(t, "globex", steady) != 200 {
					t.Error("a tenant that did not change was refused")
				}
				if l.status(t, "acme", mixed) != 401 {
					t.Error("a token of no configuration passed")
				}
				decided.Add(4)
			}
		})
	}
	for i := range 60 {
		files := maps.Clone(versions[i%2])
		if i%5 == 0 {
			files[config.FileKeys] = []byte("{") // a bad file changes nothing
		}
		_ = l.Load(files)
	}
	eventually(t, "enough requests", func() bool { return decided.Load() > 200 })
	stop.Store(true)
	wg.Wait()
}

// TestShutdownDropsNoRequest keeps clients busy while a shutdown begins, as gateways are: for some time they have not
// heard of it and send on, over kept connections and new ones. Every request is answered, readyz says 503 at once, and
// each answer asks to close its connection, so that none is left when the listener goes.
func TestShutdownDropsNoRequest(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, policies(t)...))
	l.options.ShutdownDelay = 2 * time.Second
	r := run(t, l)
	token := cast().globex.sign(t, nil, globexClaims)
	if resp, err := get(t, http.DefaultClient, r.ops("/readyz"), ""); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	var wg sync.WaitGroup
	var told, heard atomic.Bool // readyz says 503; the gateways have heard of it
	var answered, late, kept atomic.Int64
	for range 4 {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			for !heard.Load() {
				after := told.Load()
				resp, err := get(t, client, r.url("/verify"), token)
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Errorf("a request was dropped: %v, %v", resp, err)
					return
				}
				answered.Add(1)
				if after {
					late.Add(1)
				}
				if after && !resp.Close {
					kept.Add(1)
				}
			}
		})
	}
	eventually(t, "requests", func() bool { return answered.Load() > 50 })
	r.stop()
	eventually(t, "readyz 503", func() bool {
		resp, err := get(t, http.DefaultClient, r.ops("/readyz"), "")
		return err == nil && resp.StatusCode == http.StatusServiceUnavailable
	})
	told.Store(true)
	eventually(t, "requests after that", func() bool { return late.Load() > 50 })
	heard.Store(true)
	wg.Wait()
	if kept.Load() > 0 {
		t.Errorf("%d of %d answers after readyz said 503 kept their connection", kept.Load(), late.Load())
	}
	if err := <-r.done; err != nil {
		t.Error(err)
	}
	for _, address := range []net.Addr{r.Addr(), r.OpsAddr()} {
		if c, err := net.DialTimeout("tcp", address.String(), time.Second); err == nil {
			_ = c.Close()
			t.Errorf("%s is still open", address)
		}
	}
}

// TestShutdownWaitsForRequestsInFlight holds a request open past the delay.
func TestShutdownWaitsForRequestsInFlight(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, policies(t)...))
	l.options.ShutdownDelay = time.Millisecond
	entered, release := make(chan struct{}), make(chan struct{})
	l.routes.add(http.MethodGet, "/slow", func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		writeText(w, 200, "done")
	})
	r := run(t, l)
	got := make(chan error, 1)
	go func() {
		resp, err := get(t, http.DefaultClient, r.url("/slow"), "")
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("status %d", resp.StatusCode)
		}
		got <- err
	}()
	<-entered
	r.stop()
	eventually(t, "listener closed", func() bool {
		c, err := net.DialTimeout("tcp", r.Addr().String(), time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	select {
	case err := <-r.done:
		t.Fatal("ended with a request in flight", err)
	default:
	}
	close(release)
	if err := <-got; err != nil {
		t.Errorf("the request in flight: %v", err)
	}
	if err := <-r.done; err != nil {
		t.Error(err)
	}
}

// TestDrainEnds guards that a request that never ends does not keep the server.
func TestDrainEnds(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, policies(t)...))
	l.options.ShutdownDelay, l.options.DrainTimeout = time.Millisecond, 20*time.Millisecond
	entered := make(chan struct{})
	l.routes.add(http.MethodGet, "/slow", func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done() // the connection is closed under it
	})
	r := run(t, l)
	go func() { _, _ = get(t, http.DefaultClient, r.url("/slow"), "") }()
	<-entered
	r.stop()
	if err := <-r.done; err != nil {
		t.Error(err)
	}
	if !strings.Contains(l.log.take(), "still in flight") {
		t.Error("it was not told")
	}
}

// TestWatchedDirectory runs on a directory as the kubelet and as people change it.
func TestWatchedDirectory(t *testing.T) {
	dir := t.TempDir()
	l := newLab(t, nil)
	l.options.ConfigDir, l.options.ShutdownDelay = dir, time.Millisecond
	r := run(t, l)
	c := cast()
	token := c.globex.sign(t, nil, globexClaims)
	status := func() int {
		resp, err := get(t, http.DefaultClient, r.url("/verify/globex"), token)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode
	}
	if status() != 503 {
		t.Error("decided without configuration")
	}
	write := func(dir string, files map[string][]byte) {
		for name, data := range files {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(dir, render(t, baseOf(nil), 1, policies(t)...))
	eventually(t, "plain files served", func() bool { return status() == 200 })
	eventually(t, "the ready line", func() bool {
		return strings.Contains(l.log.take(), `"msg":"ready","event":"ready","listen":"`+r.Addr().String()+`","ops_listen":"`+r.OpsAddr().String()+`","ext_authz_listen":"`+r.ExtAuthzAddr().String()+`"`)
	})

	write(dir, map[string][]byte{config.TenantsFile(1, 0): shardFile(t, 1, 0)})
	eventually(t, "a removed tenant refused", func() bool { return status() == 401 })

	write(dir, map[string][]byte{config.TenantsFile(1, 0): []byte("x")})
	eventually(t, "a bad file told", func() bool { return strings.Contains(l.log.take(), `"event":"config.rejected"`) })
	r.stop()
	if err := <-r.done; err != nil {
		t.Error(err)
	}
}

// raw sends bytes on a connection of its own and returns the answer's head, or "closed".
func (r *running) raw(t testing.TB, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", r.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(c, request) }()
	answer := ""
	for lines := bufio.NewReader(c); !strings.HasSuffix(answer, "\r\n\r\n"); {
		line, err := lines.ReadString('\n')
		answer += line
		if err != nil {
			break
		}
	}
	if answer == "" {
		return "closed"
	}
	return answer
}

// TestListenerLimits sends what no client should, over TCP: the bounds are those of the listener itself.
func TestListenerLimits(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, policies(t)...))
	r := run(t, l)
	token := cast().globex.sign(t, nil, globexClaims)
	head := "GET /verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + x(token) + "\r\n"
	for _, c := range []struct{ name, request, want string }{
		{"good", head + "\r\n", "HTTP/1.1 200 "},
		{"60 KiB of headers", head + "X-Pad: " + strings.Repeat("a", 58<<10) + "\r\n\r\n", "HTTP/1.1 200 "},
		{"more than 64 KiB of headers", head + "X-Pad: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", "HTTP/1.1 431 "},
		{"no Host", "GET /verify HTTP/1.1\r\n" + x(token) + "\r\n\r\n", "HTTP/1.1 400 "},
		{"a bad escape in the path is net/http's to refuse", "GET /envoy/globex/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + x(token) + "\r\n\r\n", "HTTP/1.1 400 "},
		{"a line break inside a header", "GET /verify HTTP/1.1\r\nHost: x\r\nX-Jwt-Token: a\rb\r\n\r\n", "HTTP/1.1 40"},
		{"a header folded over two lines", "GET /verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nx-jwt-token: a\r\n b\r\n\r\n", "HTTP/1.1 40"},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 404 "},
		{"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 "},
		{"a body is not read", "POST /verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000000\r\n" + x(token) + "\r\n\r\nx", "HTTP/1.1 200 "},
		{"two lengths", "POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "HTTP/1.1 400 "},
		{"length and chunks", "POST /verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 40"},
		{"a login longer than 64 KiB", "POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 65537\r\n\r\n", "HTTP/1.1 413 "},
		{"a dot segment is not resolved", "GET /x/../verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + x(token) + "\r\n\r\n", "HTTP/1.1 404 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := r.raw(t, c.request)
			if !strings.HasPrefix(got, c.want) {
				t.Errorf("got %.300q, want %s", got, c.want)
			}
			if !strings.HasPrefix(c.want, "HTTP/1.1 200") && strings.Contains(got, "X-Auth-") {
				t.Errorf("identity on %.300q", got)
			}
		})
	}
}

// TestSlowHeader guards that a client that never ends its header is cut off. It waits for the real timeout.
func TestSlowHeader(t *testing.T) {
	if testing.Short() {
		t.Skip("waits 10 s")
	}
	t.Parallel()
	r := run(t, newLab(t, nil))
	start := time.Now()
	if got := r.raw(t, "GET /verify HTTP/1.1\r\nHost: x\r\nX-Slow: "); got != "closed" && !strings.HasPrefix(got, "HTTP/1.1 408") && !strings.HasPrefix(got, "HTTP/1.1 400") {
		t.Errorf("got %q", got)
	}
	if took := time.Since(start); took < readTimeout/2 || took > time.Minute {
		t.Errorf("cut off after %s, want about %s", took, readTimeout)
	}
}

// TestRoutes are the answers of the table itself.
func TestRoutes(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, policies(t)...))
	for _, c := range []struct {
		request string
		status  int
		code    string
		allow   string
	}{
		{"GET /api/v1/login", 405, "invalid_request", "POST"},
		{"GET /oauth2/token", 405, "invalid_request", "POST"},
		{"POST /.well-known/jwks.json", 405, "invalid_request", "GET, HEAD"},
		{"OPTIONS /.well-known/openid-configuration", 405, "invalid_request", "GET, HEAD"},
		{"GET /logins", 404, "not_found", ""},
		{"GET /api/v1/login/", 404, "not_found", ""},
		{"POST /api/v1/../v1/login", 404, "not_found", ""},
		{"POST /api/v1/%6cogin", 404, "not_found", ""},
	} {
		t.Run(c.request, func(t *testing.T) {
			resp := l.send(t, c.request+" HTTP/1.1\r\nHost: x\r\n\r\n")
			var body errorBody
			if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != c.status || body.Error != c.code || body.Description == "" || resp.Header.Get("Allow") != c.allow ||
				resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("Content-Type") != "application/json" {
				t.Errorf("got %d %+v %v", resp.StatusCode, body, resp.Header)
			}
		})
	}
}

// TestPanicsAreAnswered guards that a fault is a 500 without a word of its cause, and that the log names the place only.
func TestPanicsAreAnswered(t *testing.T) {
	l := newLab(t, nil)
	l.routes.add(http.MethodGet, "/fault", func(http.ResponseWriter, *http.Request) { panic("hunter2") })
	resp := l.send(t, "GET /fault HTTP/1.1\r\nHost: x\r\n\r\n")
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusInternalServerError || !bytes.Contains(body, []byte(`"server_error"`)) || bytes.Contains(body, []byte("hunter2")) {
		t.Errorf("%d %s %v", resp.StatusCode, body, err)
	}
	if log := l.log.take(); strings.Contains(log, "hunter2") || !strings.Contains(log, "serve_test.go") {
		t.Errorf("the log: %s", log)
	}
}

// TestRefusalLogIsBounded guards against a disk filled by strangers.
func TestRefusalLogIsBounded(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, policies(t)...))
	l.refusals.limit.SetLimit(refusalsPerSecond)
	const sent = 5 * refusalsBurst
	for range sent {
		l.status(t, "acme", "a.b.c")
	}
	if lines := strings.Count(l.log.take(), "\n"); lines < refusalsBurst || lines >= sent {
		t.Errorf("%d lines for %d refusals", lines, sent)
	}
	resp := httpGetOps(t, l, "/metrics")
	if !strings.Contains(resp, `gatehouse_verify_total{reason="bad_base64url",result="refused"} 500`) && !strings.Contains(resp, `result="refused"} 500`) {
		t.Errorf("not every refusal is counted: %s", resp)
	}
	if !strings.Contains(resp, "gatehouse_refusals_not_logged_total ") || !strings.Contains(resp, "go_goroutines") || !strings.Contains(resp, "process_resident_memory_bytes") {
		t.Error("metrics are missing")
	}
}
