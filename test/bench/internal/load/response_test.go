// SPDX-License-Identifier: Apache-2.0

package load

import (
	"strings"
	"testing"
)

func TestParseResponse(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		status   int
		user     string
		size     int // 0: incomplete
		err      string
	}{
		{name: "empty body", in: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", status: 200, size: 38},
		{name: "body", in: "HTTP/1.1 401 Unauthorized\r\ncontent-length: 4\r\n\r\nbody", status: 401, size: 52},
		{name: "leaves what follows", in: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1", status: 200, size: 38},
		{name: "user, any case, trimmed", in: "HTTP/1.1 200 OK\r\nx-AUTH-request-user: \tacme/bob \r\nContent-Length: 0\r\n\r\n", status: 200, user: "acme/bob", size: 71},
		{name: "no reason phrase", in: "HTTP/1.1 204\r\n\r\n", status: 204, size: 16},
		{name: "no content needs no length", in: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, size: 27},
		{name: "same-sized names are not mistaken", in: "HTTP/1.1 200 OK\r\nX-Auth-Request-Xser: eve\r\nContent-Lengtj: 9\r\nContent-Length: 0\r\n\r\n", status: 200, size: 83},
		{name: "nothing", in: ""},
		{name: "part of the head", in: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r"},
		{name: "part of the body", in: "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbod"},
		{name: "head without end", in: strings.Repeat("x", maxHead+1), err: "no end of headers"},
		{name: "HTTP/1.0", in: "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", err: "not HTTP/1.1"},
		{name: "no status", in: "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", err: "not a final status"},
		{name: "long status", in: "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", err: "not HTTP/1.1"},
		{name: "interim status", in: "HTTP/1.1 100 Continue\r\n\r\n", err: "not a final status"},
		{name: "no length", in: "HTTP/1.1 200 OK\r\nDate: now\r\n\r\n", err: "Content-Length"},
		{name: "chunked", in: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", err: "chunked"},
		{name: "closing", in: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", err: "closes"},
		{name: "bad length", in: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", err: "Content-Length"},
		{name: "two lengths", in: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", err: "Content-Length"},
		{name: "two users", in: "HTTP/1.1 200 OK\r\nX-Auth-Request-User: a\r\nX-Auth-Request-User: b\r\nContent-Length: 0\r\n\r\n", err: "twice"},
		{name: "no colon", in: "HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 0\r\n\r\n", err: "colon"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, complete, err := parseResponse([]byte(tc.in))
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Fatalf("error %v, want one with %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if complete != (tc.size > 0) {
				t.Fatalf("complete = %v", complete)
			}
			if complete && (got.status != tc.status || string(got.user) != tc.user || got.size != tc.size) {
				t.Errorf("got %d %q %d, want %d %q %d", got.status, got.user, got.size, tc.status, tc.user, tc.size)
			}
		})
	}
}

// TestParseResponseByteByByte guards that no prefix of an answer is taken for the whole, or for an error.
func TestParseResponseByteByByte(t *testing.T) {
	whole := "HTTP/1.1 200 OK\r\nX-Auth-Request-User: bob\r\nContent-Length: 5\r\n\r\nhello"
	for n := range len(whole) {
		if _, complete, err := parseResponse([]byte(whole[:n])); complete || err != nil {
			t.Errorf("the first %d bytes: complete %v, error %v", n, complete, err)
		}
	}
	if _, complete, err := parseResponse([]byte(whole)); !complete || err != nil {
		t.Errorf("the whole: complete %v, error %v", complete, err)
	}
}
