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

// lane carries one request at a time. A connection has one (HTTP/1.1) or several (gRPC, a stream each).
type lane struct {
	conn    conn
	request *Request
	due     time.Duration

	// of gRPC alone
	stream  uint32 // the request's stream; 0 between requests
	message []byte // of the answer, as far as it has come
	status  string // grpc-status; "" before the trailers
}

// conn is one connection and what is spoken on it.
type conn interface {
	// send sends the lane's request, or keeps it until flush.
	send(l *lane) error
	flush() error
	// receive reads once and hands every lane whose answer is complete, and has been checked, to finished.
	receive(finished func(*lane)) error
}

// socket reads and writes without waiting.
type socket struct{ fd int }

// write writes all of b in one call. What is in flight is far smaller than an empty socket buffer, so a short write means
// that something is wrong.
func (s socket) write(b []byte) error {
	n, err := retry(func() (int, error) { return unix.Write(s.fd, b) })
	if err != nil {
		return fmt.Errorf("sending request: %w", err)
	}
	if n != len(b) {
		return fmt.Errorf("sending request: %w: %d of %d bytes", io.ErrShortWrite, n, len(b))
	}
	return nil
}

// read reads what has arrived, at least one byte; 0 means that nothing has.
func (s socket) read(into []byte) (int, error) {
	if len(into) == 0 {
		return 0, errors.New("reading answer: it is longer than the buffer for it")
	}
	n, err := retry(func() (int, error) { return unix.Read(s.fd, into) })
	switch {
	case errors.Is(err, unix.EAGAIN):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("reading answer: %w", err)
	case n == 0:
		return 0, fmt.Errorf("reading answer: %w", io.ErrUnexpectedEOF)
	}
	return n, nil
}

// poller holds the connections of one run and an epoll instance over them.
type poller struct {
	fd      int
	sockets []socket
	conns   []conn
	lanes   []*lane
	events  []unix.EpollEvent
	found   []conn
}

// dial opens the connections; streams says how many lanes each has, 0 that it speaks HTTP/1.1.
func dial(addr string, connections, streams int) (*poller, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil || !to.Addr().Is4() {
		return nil, fmt.Errorf("dialling %q: must be an IPv4 address and port", addr)
	}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("creating epoll: %w", err)
	}
	p := &poller{fd: fd, events: make([]unix.EpollEvent, connections), found: make([]conn, 0, connections)}
	for range connections {
		if err := p.connect(&unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}, addr, streams); err != nil {
			p.close()
			return nil, fmt.Errorf("dialling %s: %w", addr, err)
		}
	}
	return p, nil
}

func (p *poller) connect(to *unix.SockaddrInet4, authority string, streams int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(len(p.conns))} // Fd carries the index, not the descriptor
	s := socket{fd: fd}
	p.sockets = append(p.sockets, s)
	err = errors.Join(
		unix.Connect(fd, to),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.SetNonblock(fd, true),
		unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &event),
	)
	if err != nil {
		return err
	}
	var c conn = &httpConn{socket: s}
	if streams > 0 {
		if c, err = openGRPC(s, authority, streams); err != nil {
			return err
		}
	}
	p.conns = append(p.conns, c)
	for range max(streams, 1) {
		p.lanes = append(p.lanes, &lane{conn: c})
	}
	return nil
}

// ready returns the connections with something to read, without waiting. The slice is good until the next call.
func (p *poller) ready() ([]conn, error) {
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
	for _, s := range p.sockets {
		_ = unix.Close(s.fd)
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
