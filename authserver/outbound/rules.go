// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
)

// Rules say where a client may connect to and whom it trusts there. The zero value reaches public addresses over
// https with the system's roots.
type Rules struct {
	// AllowedCIDRs are the networks that may be dialled although they are not public, and the only ones reached by
	// http://. They never open a cloud metadata address.
	AllowedCIDRs []netip.Prefix
	// DeniedCIDRs are never dialled, whatever else allows them. They are the process's, not an AuthServer's: see [Options].
	DeniedCIDRs []netip.Prefix
	// RootCAs are trusted instead of the system's roots; nil means the system's.
	RootCAs *x509.CertPool
}

// refusal tells whether an address may be dialled for a URL of the scheme "http" or "https": nil if so.
func (r Rules) refusal(scheme string, addr netip.Addr) *AddressError {
	addr = normalize(addr)
	kind := classify(addr)
	switch {
	case kind == kindMetadata || !addr.IsValid():
		return &AddressError{Address: addr, Kind: string(kind)}
	case within(r.DeniedCIDRs, addr):
		return &AddressError{Address: addr, Kind: string(kind), Denied: true}
	case r.allows(addr):
		return nil
	case kind != kindPublic:
		return &AddressError{Address: addr, Kind: string(kind), CIDR: single(addr)}
	case scheme != "https":
		return &AddressError{Address: addr, Kind: string(kind), CIDR: single(addr), PlainHTTP: true}
	}
	return nil
}

func (r Rules) allows(addr netip.Addr) bool {
	for _, p := range r.AllowedCIDRs {
		if unmapPrefix(p).Contains(addr) {
			return true
		}
	}
	return false
}

func single(addr netip.Addr) netip.Prefix { return netip.PrefixFrom(addr, addr.BitLen()) }

// ErrAddressNotAllowed is what every [*AddressError] is, for errors.Is.
var ErrAddressNotAllowed = errors.New("address not allowed")

// AddressError reports an address that was not dialled.
type AddressError struct {
	// Host is the host of the URL, a name or the address itself; empty when only an address was checked.
	Host string
	// Address is the refused address: IPv4-mapped IPv6 is shown as IPv4, zones are left out.
	Address netip.Addr
	// Kind names the range, such as "private" or "cloud metadata".
	Kind string
	// CIDR, added to AuthServer spec.outbound.allowedCIDRs, would allow the address. It is invalid (the zero value)
	// when nothing can.
	CIDR netip.Prefix
	// Denied is true when the address is in one of the process's own DeniedCIDRs.
	Denied bool
	// PlainHTTP is true when https:// to the same address would have been allowed.
	PlainHTTP bool
}

// maxHost is how much of a host is told, in bytes: names may have 253, and the fix must not be lost where messages are cut.
const maxHost = 96

// Error names the address, the reason and the fix, in less than 300 bytes. A host that is long loses its beginning.
func (e *AddressError) Error() string {
	what := fmt.Sprintf("%s address %s", e.Kind, e.Address)
	if e.Host != "" && e.Host != e.Address.String() {
		host := e.Host
		if len(host) > maxHost {
			host = "..." + host[len(host)-maxHost:]
		}
		what += " of " + host
	}
	switch {
	case e.Denied:
		return "the operator refuses to dial " + what + ": it is in the operator's --credential-denied-cidrs, which AuthServer spec.outbound.allowedCIDRs cannot lift"
	case !e.CIDR.IsValid():
		return what + " is never dialled; AuthServer spec.outbound.allowedCIDRs cannot allow it"
	case e.PlainHTTP:
		return fmt.Sprintf("http:// is not allowed to %s: use https://, or add %s to AuthServer spec.outbound.allowedCIDRs", what, e.CIDR)
	}
	return fmt.Sprintf("%s is not allowed: add %s, or the network it belongs to, to AuthServer spec.outbound.allowedCIDRs", what, e.CIDR)
}

// Is makes errors.Is(err, ErrAddressNotAllowed) true.
func (e *AddressError) Is(target error) bool { return target == ErrAddressNotAllowed }
