// SPDX-License-Identifier: Apache-2.0

//go:build linux

package load

// httpConn is one keep-alive connection of HTTP/1.1 with at most one request in flight.
type httpConn struct {
	socket
	lane *lane // the request in flight, nil if there is none
	n    int   // bytes of the answer in buf
	buf  [maxHead + 4096]byte
}

func (c *httpConn) send(l *lane) error {
	c.lane, c.n = l, 0
	return c.write(l.request.Bytes)
}

func (c *httpConn) flush() error { return nil }

func (c *httpConn) receive(finished func(*lane)) error {
	n, err := c.read(c.buf[c.n:])
	if err != nil || n == 0 {
		return err
	}
	c.n += n
	r, complete, err := parseResponse(c.buf[:c.n])
	if err != nil || !complete {
		return err
	}
	var want *Request
	if c.lane != nil {
		want = c.lane.request
	}
	if err := check(want, r, c.buf[:c.n]); err != nil {
		return err
	}
	l := c.lane
	c.lane = nil
	finished(l)
	return nil
}
