// SPDX-License-Identifier: Apache-2.0

package load

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// maxHead bounds the status line and headers of an answer in bytes; a longer one is an error.
const maxHead = 64 << 10

var errNotFramed = errors.New("reading answer: neither Content-Length nor a status without body; chunked answers are not read")

// response is the part of one HTTP/1.1 answer that the generator looks at.
type response struct {
	status int
	user   []byte // value of X-Auth-Request-User, a slice of the buffer; empty if the header is absent or empty
	length int    // Content-Length; -1 if absent
	size   int    // bytes of head and body
}

// parseResponse reads the answer at the start of b. It returns complete = false while b holds only a part of it, and
// an error for anything but one plain keep-alive HTTP/1.1 answer. A repeated X-Auth-Request-User is an error: which of
// them a gateway believes is not ours to choose.
func parseResponse(b []byte) (r response, complete bool, err error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		if len(b) > maxHead {
			return r, false, fmt.Errorf("reading answer: no end of headers within %d bytes", maxHead)
		}
		return r, false, nil
	}
	line, rest, _ := bytes.Cut(b[:end], []byte("\r\n"))
	if r.status, err = parseStatus(line); err != nil {
		return r, false, err
	}
	r.length = -1
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found {
			return r, false, errors.New("reading answer: header line without a colon")
		}
		if err := r.header(name, bytes.TrimSpace(value)); err != nil {
			return r, false, err
		}
	}
	bodiless := r.status == 204 || r.status == 304
	if r.length < 0 && !bodiless {
		return r, false, errNotFramed
	}
	r.size = end + len("\r\n\r\n")
	if !bodiless {
		r.size += r.length
	}
	return r, len(b) >= r.size, nil
}

// parseStatus reads "HTTP/1.1 200 OK".
func parseStatus(line []byte) (int, error) {
	const version = "HTTP/1.1 "
	code, found := bytes.CutPrefix(line, []byte(version))
	if !found || len(code) < 3 || (len(code) > 3 && code[3] != ' ') {
		return 0, fmt.Errorf("reading answer: status line %.40q is not HTTP/1.1", line)
	}
	status, err := strconv.Atoi(string(code[:3]))
	if err != nil || status < 200 {
		return 0, fmt.Errorf("reading answer: status %.3q is not a final status", code)
	}
	return status, nil
}

// header takes one header field; the switch on the length keeps the many others cheap.
func (r *response) header(name, value []byte) error {
	switch len(name) {
	case len("Content-Length"):
		if !bytes.EqualFold(name, []byte("Content-Length")) {
			return nil
		}
		n, err := strconv.ParseUint(string(value), 10, 31)
		if err != nil || r.length >= 0 {
			return fmt.Errorf("reading answer: bad or repeated Content-Length %.20q", value)
		}
		r.length = int(n)
	case len("Transfer-Encoding"):
		if bytes.EqualFold(name, []byte("Transfer-Encoding")) {
			return errNotFramed
		}
	case len("Connection"):
		if bytes.EqualFold(name, []byte("Connection")) && bytes.EqualFold(value, []byte("close")) {
			return errors.New("reading answer: the server closes the connection after it")
		}
	case len("X-Auth-Request-User"):
		if !bytes.EqualFold(name, []byte("X-Auth-Request-User")) {
			return nil
		}
		if len(r.user) > 0 {
			return errors.New("reading answer: X-Auth-Request-User is there twice")
		}
		r.user = value
	}
	return nil
}
