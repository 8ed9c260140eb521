// SPDX-License-Identifier: Apache-2.0

package clientaddr

import (
	"net/http"
	"net/netip"
	"strings"
)

// header is X-Forwarded-For in canonical form.
const header = "X-Forwarded-For"

// Trusted parses networks such as 10.0.0.0/8; a text that is none is left out, and so trusts nobody. IPv4 networks that are
// written as IPv6 ones (::ffff:10.0.0.0/104) count as what they are.
func Trusted(networks []string) []netip.Prefix {
	var trusted []netip.Prefix
	for _, text := range networks {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			continue
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		trusted = append(trusted, p.Masked())
	}
	return trusted
}

// From returns the address of a request's client: the last one, from the right, that is not a trusted proxy's, or the first
// proxy's where all are. Where a trusted proxy says something that is no address, it is the connection's. The zero Addr says
// that the connection has none.
func From(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	connection := plain(peer.Addr())
	client := connection
	lines := r.Header[header]
	for i := len(lines) - 1; i >= 0; i-- {
		for rest := lines[i]; ; {
			if !isTrusted(client, trusted) {
				return client
			}
			at := strings.LastIndexByte(rest, ',')
			next, ok := parse(strings.TrimSpace(rest[at+1:]))
			if !ok {
				return connection
			}
			client = next
			if at < 0 {
				break
			}
			rest = rest[:at]
		}
	}
	return client
}

// Ignored tells that a request carries X-Forwarded-For and comes from nobody who is trusted to say so: a client that makes it up, or a
// proxy that the configuration lacks.
func Ignored(r *http.Request, trusted []netip.Prefix) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return len(r.Header[header]) > 0 && (err != nil || !isTrusted(plain(peer.Addr()), trusted))
}

func isTrusted(client netip.Addr, trusted []netip.Prefix) bool {
	for _, p := range trusted {
		if p.Contains(client) {
			return true
		}
	}
	return false
}

// parse reads an address as proxies write it: alone, in brackets, or with a port.
func parse(text string) (netip.Addr, bool) {
	if with, err := netip.ParseAddrPort(text); err == nil {
		return plain(with.Addr()), true
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); !ok || !strings.Contains(inner, ":") {
			return netip.Addr{}, false
		}
		text = inner
	}
	addr, err := netip.ParseAddr(text)
	return plain(addr), err == nil
}

// plain is an address without a zone, which means something on one machine only, and IPv4 as IPv4.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
