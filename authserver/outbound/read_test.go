// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

func TestReadBodyIsBounded(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		if r.URL.Query().Has("chunked") {
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = w.Write(bytes.Repeat([]byte("x"), n))
	})
	client := NewClient(Rules{AllowedCIDRs: loopback}, Options{})
	for query, want := range map[string]error{
		"?n=100": nil, "?n=100&chunked": nil, "?n=101": ErrTooLarge, "?n=101&chunked": ErrTooLarge, "?n=1000000&chunked": ErrTooLarge,
	} {
		resp, err := client.Get(server.at("127.0.0.1") + query)
		if err != nil {
			t.Fatal(err)
		}
		body, err := ReadBody(resp, 100)
		if !errors.Is(err, want) || want == nil && len(body) != 100 {
			t.Errorf("%s: got %d bytes and %v, want %v", query, len(body), err, want)
		}
		if err != nil && !strings.Contains(err.Error(), "100") {
			t.Errorf("%s: %q does not tell the limit", query, err)
		}
	}
}

// endless is a body without end that counts what was taken.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) { e.read += len(p); return len(p), nil }
func (e *endless) Close() error               { return nil }

func TestReadBodyStopsReading(t *testing.T) {
	for _, length := range []int64{-1, 1 << 40} {
		body := &endless{}
		_, err := ReadBody(&http.Response{Body: body, ContentLength: length}, 1000)
		if !errors.Is(err, ErrTooLarge) || body.read > 1001 || length > 0 && body.read > 0 {
			t.Errorf("length %d: read %d bytes, %v", length, body.read, err)
		}
	}
}

// A small compressed body can be a large one: none is asked for, and none is opened.
func TestCompressedBodiesAreRefused(t *testing.T) {
	var bomb bytes.Buffer
	zw := gzip.NewWriter(&bomb)
	_, _ = zw.Write(make([]byte, 10<<20))
	_ = zw.Close()
	var asked string
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Get("Accept-Encoding")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	resp, err := NewClient(Rules{AllowedCIDRs: loopback}, Options{}).Get(server.at("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadBody(resp, 1<<20); !errors.Is(err, ErrEncoded) {
		t.Errorf("got %v, want ErrEncoded", err)
	}
	if asked != "" {
		t.Errorf("asked for Accept-Encoding %q", asked)
	}
}
