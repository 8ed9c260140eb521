// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
)

// guardedDialer connects for URLs of one scheme and checks every address it tries.
type guardedDialer struct {
	scheme string
	rules  Rules
	dialer net.Dialer
}

// DialContext resolves and connects. An address the rules refuse is passed over; when no other address of the name
// answers either, the refusal is the error, since it is what an operator can act on.
func (g *guardedDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("splitting the address to dial: %w", err)
	}
	var refused atomic.Pointer[AddressError] // happy eyeballs dials two addresses at once
	dialer := g.dialer
	dialer.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
		refusal := g.check(address)
		if refusal != nil {
			refusal.Host = host
			refused.CompareAndSwap(nil, refusal)
			return refusal
		}
		return nil
	}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		if refusal := refused.Load(); refusal != nil {
			return nil, refusal
		}
		return nil, err
	}
	return conn, nil
}

// check judges one resolved ip:port. What cannot be read is refused.
func (g *guardedDialer) check(address string) *AddressError {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return &AddressError{Kind: "unreadable"}
	}
	return g.rules.refusal(g.scheme, target.Addr())
}
