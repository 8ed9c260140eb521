// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Ports come from below the ranges that systems take outgoing connections' ports from. A part that is stopped for a
// while therefore finds its port free again, however many connections a load test makes meanwhile.
const (
	firstPort = 20000
	lastPort  = 32000
)

// port is a loopback port held against other control planes of this machine, also while nothing listens on it.
type port struct {
	number int
	lock   *os.File
}

// reservePort finds a free port and locks its number among all processes of this user until release.
func reservePort() (*port, error) {
	dir := filepath.Join(os.TempDir(), "gatehouse-ports-"+strconv.Itoa(os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("reserving a port: %w", err)
	}
	var last error
	for range 200 {
		p, err := tryPort(dir, firstPort+rand.IntN(lastPort-firstPort))
		if err == nil {
			return p, nil
		}
		last = err
	}
	return nil, fmt.Errorf("reserving a port between %d and %d: %w", firstPort, lastPort, last)
}

// tryPort reserves one number, or says why it cannot.
func tryPort(dir string, number int) (*port, error) {
	lock, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(number)), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	p := &port{number: number, lock: lock}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, p.release())
	}
	listener, err := net.Listen("tcp", p.address())
	if err != nil {
		return nil, errors.Join(err, p.release())
	}
	if err := listener.Close(); err != nil {
		return nil, errors.Join(err, p.release())
	}
	return p, nil
}

// address returns 127.0.0.1:PORT.
func (p *port) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.number)) }

// release gives the number up. The lock ends with the file.
func (p *port) release() error { return p.lock.Close() }
