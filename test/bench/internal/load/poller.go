// SPDX-License-Identifier: Apache-2.0

//go:build linux

package load

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// conn is one keep-alive connection with at most one request in flight.
type conn struct {
	fd      int
	n       int // bytes of the answer in buf
	buf     [maxHead + 4096]byte
	request *Request
	due     time.Duration
}

// send writes the request in one call. A request is far smaller than an empty socket buffer, so a short write means
// that something is wrong.
func (c *conn) send() error {
	c.n = 0
	n, err := retry(func() (int, error) { return unix.Write(c.fd, c.request.Bytes) })
	if err != nil {
		return fmt.Errorf("sending request: %w", err)
	}
	if n != len(c.request.Bytes) {
		return fmt.Errorf("sending request: %w: %d of %d bytes", io.ErrShortWrite, n, len(c.request.Bytes))
	}
	return nil
}

// receive reads once and reports whether the answer is complete; a complete one has been checked.
func (c *conn) receive() (complete bool, err error) {
	if c.n == len(c.buf) {
		return false, fmt.Errorf("reading answer: longer than %d bytes", len(c.buf))
	}
	n, err := retry(func() (int, error) { return unix.Read(c.fd, c.buf[c.n:]) })
	switch {
	case errors.Is(err, unix.EAGAIN):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("reading answer: %w", err)
	case n == 0:
		return false, fmt.Errorf("reading answer: %w", io.ErrUnexpectedEOF)
	}
	c.n += n
	r, complete, err := parseResponse(c.buf[:c.n])
	if err != nil || !complete {
		return false, err
	}
	return true, check(c.request, r, c.buf[:c.n])
}

// poller holds the connections of one run and an epoll instance over them.
type poller struct {
	fd     int
	conns  []*conn
	events []unix.EpollEvent
	found  []*conn
}

func dial(addr string, connections int) (*poller, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil || !to.Addr().Is4() {
		return nil, fmt.Errorf("dialling %q: must be an IPv4 address and port", addr)
	}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("creating epoll: %w", err)
	}
	p := &poller{fd: fd, events: make([]unix.EpollEvent, connections), found: make([]*conn, 0, connections)}
	for range connections {
		if err := p.connect(&unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}); err != nil {
			p.close()
			return nil, fmt.Errorf("dialling %s: %w", addr, err)
		}
	}
	return p, nil
}

func (p *poller) connect(to *unix.SockaddrInet4) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(len(p.conns))} // Fd carries the index, not the descriptor
	p.conns = append(p.conns, &conn{fd: fd})
	return errors.Join(
		unix.Connect(fd, to),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.SetNonblock(fd, true),
		unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &event),
	)
}

// ready returns the connections with something to read, without waiting. The slice is good until the next call.
func (p *poller) ready() ([]*conn, error) {
	n, err := retry(func() (int, error) { return unix.EpollWait(p.fd, p.events, 0) })
	if err != nil {
		return nil, fmt.Errorf("polling: %w", err)
	}
	p.found = p.found[:0]
	for _, e := range p.events[:n] {
		p.found = append(p.found, p.conns[e.Fd])
	}
	return p.found, nil
}

func (p *poller) close() {
	for _, c := range p.conns {
		_ = unix.Close(c.fd)
	}
	_ = unix.Close(p.fd)
}

// retry repeats a call that a signal interrupted; Go's scheduler sends such signals.
func retry(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
