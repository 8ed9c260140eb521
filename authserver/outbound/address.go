// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// kind is the sort of address, in the words of [AddressError].
type kind string

const (
	kindPublic      kind = "public"
	kindMetadata    kind = "cloud metadata"
	kindUnspecified kind = "unspecified"
	kindLoopback    kind = "loopback"
	kindPrivate     kind = "private"
	kindUniqueLocal kind = "unique local"
	kindLinkLocal   kind = "link-local"
	kindCGNAT       kind = "carrier-grade NAT"
	kindMulticast   kind = "multicast"
	kindBroadcast   kind = "broadcast"
	kindDocument    kind = "documentation"
	kindReserved    kind = "reserved"
	kindTunnel      kind = "IPv4-embedding"
)

// metadata are the addresses at which clouds hand credentials to whoever asks. No list opens them.
var metadata = map[netip.Addr]bool{
	netip.MustParseAddr("169.254.169.254"):    true, // AWS, Azure, GCP, OpenStack and most others
	netip.MustParseAddr("fd00:ec2::254"):      true, // AWS, IPv6
	netip.MustParseAddr("169.254.170.2"):      true, // AWS ECS task credentials
	netip.MustParseAddr("169.254.170.23"):     true, // AWS EKS pod identity
	netip.MustParseAddr("fd00:ec2::23"):       true, // AWS EKS pod identity, IPv6
	netip.MustParseAddr("fd20:ce::254"):       true, // GCP, IPv6
	netip.MustParseAddr("fe80::a9fe:a9fe"):    true, // OpenStack, IPv6
	netip.MustParseAddr("168.63.129.16"):      true, // Azure platform (WireServer)
	netip.MustParseAddr("100.100.100.200"):    true, // Alibaba Cloud
	netip.MustParseAddr("192.0.0.192"):        true, // Oracle Cloud (Classic)
	netip.MustParseAddr("169.254.42.42"):      true, // Scaleway
	netip.MustParseAddr("fd00:42::42"):        true, // Scaleway, IPv6
	netip.MustParseAddr("169.254.0.23"):       true, // Tencent Cloud
	netip.MustParseAddr("fd00:c1::a9fe:a9fe"): true, // Oracle Cloud, IPv6
}

// ranges follow the IANA special-purpose address registries (RFC 6890 and its updates); the first match counts.
var ranges = []struct {
	prefix netip.Prefix
	kind   kind
}{
	{netip.MustParsePrefix("0.0.0.0/8"), kindUnspecified},        // Linux connects 0.0.0.0 to loopback
	{netip.MustParsePrefix("127.0.0.0/8"), kindLoopback},         // RFC 1122
	{netip.MustParsePrefix("10.0.0.0/8"), kindPrivate},           // RFC 1918
	{netip.MustParsePrefix("172.16.0.0/12"), kindPrivate},        //
	{netip.MustParsePrefix("192.168.0.0/16"), kindPrivate},       //
	{netip.MustParsePrefix("169.254.0.0/16"), kindLinkLocal},     // RFC 3927
	{netip.MustParsePrefix("100.64.0.0/10"), kindCGNAT},          // RFC 6598
	{netip.MustParsePrefix("192.0.2.0/24"), kindDocument},        // RFC 5737
	{netip.MustParsePrefix("198.51.100.0/24"), kindDocument},     //
	{netip.MustParsePrefix("203.0.113.0/24"), kindDocument},      //
	{netip.MustParsePrefix("192.0.0.0/24"), kindReserved},        // IETF protocol assignments
	{netip.MustParsePrefix("192.88.99.0/24"), kindReserved},      // 6to4 relay anycast, RFC 7526
	{netip.MustParsePrefix("198.18.0.0/15"), kindReserved},       // benchmarking, RFC 2544
	{netip.MustParsePrefix("224.0.0.0/4"), kindMulticast},        // RFC 5771
	{netip.MustParsePrefix("255.255.255.255/32"), kindBroadcast}, // RFC 919
	{netip.MustParsePrefix("240.0.0.0/4"), kindReserved},         // RFC 1112

	{netip.MustParsePrefix("::/128"), kindUnspecified},     // Linux connects :: to loopback
	{netip.MustParsePrefix("::1/128"), kindLoopback},       //
	{netip.MustParsePrefix("fc00::/7"), kindUniqueLocal},   // RFC 4193
	{netip.MustParsePrefix("fe80::/10"), kindLinkLocal},    //
	{netip.MustParsePrefix("fec0::/10"), kindPrivate},      // site-local, RFC 3879
	{netip.MustParsePrefix("ff00::/8"), kindMulticast},     //
	{netip.MustParsePrefix("2001:db8::/32"), kindDocument}, // RFC 3849
	{netip.MustParsePrefix("3fff::/20"), kindDocument},     // RFC 9637
	{netip.MustParsePrefix("2001::/32"), kindTunnel},       // Teredo, RFC 4380
	{netip.MustParsePrefix("64:ff9b:1::/48"), kindTunnel},  // NAT64 with a local prefix, RFC 8215
	{netip.MustParsePrefix("::/96"), kindTunnel},           // IPv4-compatible, RFC 4291
	{netip.MustParsePrefix("::ffff:0:0:0/96"), kindTunnel}, // IPv4-translated, RFC 2765
	{netip.MustParsePrefix("2001::/23"), kindReserved},     // IETF protocol assignments: benchmarking, ORCHID
	{netip.MustParsePrefix("64:ff9b::/96"), kindPublic},    // NAT64: its IPv4 address decides, see embedded
	{netip.MustParsePrefix("2000::/3"), kindPublic},        // global unicast
	{netip.MustParsePrefix("::/0"), kindReserved},          // all that IANA has not given out
}

// normalize gives the one form in which addresses are compared: no zone (a prefix contains no zoned address) and no
// IPv4-mapped IPv6 (the kernel dials IPv4 then).
func normalize(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// unmapPrefix turns ::ffff:10.0.0.0/104 into 10.0.0.0/8, as normalize does with addresses.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}

// classify names the sort of a normalized address. An address that wraps a metadata address is one; one that wraps an
// address that is not public is of that sort.
func classify(addr netip.Addr) kind {
	inner := embedded(addr)
	for _, a := range append(inner, addr) {
		if metadata[a] {
			return kindMetadata
		}
	}
	if k := rangeOf(addr); k != kindPublic {
		return k
	}
	for _, a := range inner {
		if k := rangeOf(a); k != kindPublic {
			return k
		}
	}
	return kindPublic
}

// within tells whether dialling a normalized address may end in one of the networks: its own, that of an IPv4 address that a translator or tunnel takes out of it,
// or loopback, to which Linux connects the unspecified address.
func within(networks []netip.Prefix, addr netip.Addr) bool {
	reached := append(embedded(addr), addr)
	for _, a := range reached {
		if a.IsUnspecified() {
			reached = append(reached, netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1}))
		}
	}
	for _, p := range networks {
		if slices.ContainsFunc(reached, unmapPrefix(p).Contains) {
			return true
		}
	}
	return false
}

func rangeOf(addr netip.Addr) kind {
	for _, r := range ranges {
		if r.prefix.Contains(addr) {
			return r.kind
		}
	}
	return kindPublic // IPv4 outside the special ranges
}

var (
	prefixNAT64      = netip.MustParsePrefix("64:ff9b::/96")
	prefixLocalNAT64 = netip.MustParsePrefix("64:ff9b:1::/48")
	prefix6to4       = netip.MustParsePrefix("2002::/16")
	prefixTeredo     = netip.MustParsePrefix("2001::/32")
	prefixCompatible = netip.MustParsePrefix("::/96")
	prefixTranslated = netip.MustParsePrefix("::ffff:0:0:0/96")
)

// embedded returns every IPv4 address that a translator or tunnel could take out of an IPv6 address.
func embedded(addr netip.Addr) []netip.Addr {
	if !addr.Is6() {
		return nil
	}
	b := addr.As16()
	var out []netip.Addr
	at := func(i, j, k, l int) { out = append(out, netip.AddrFrom4([4]byte{b[i], b[j], b[k], b[l]})) }
	switch {
	case prefixNAT64.Contains(addr), prefixCompatible.Contains(addr), prefixTranslated.Contains(addr):
		at(12, 13, 14, 15)
	case prefixLocalNAT64.Contains(addr): // RFC 6052 §2.2: the place depends on the length of the operator's prefix
		at(6, 7, 9, 10)
		at(7, 9, 10, 11)
		at(9, 10, 11, 12)
		at(12, 13, 14, 15)
	case prefix6to4.Contains(addr):
		at(2, 3, 4, 5)
	case prefixTeredo.Contains(addr): // server, and the client with all bits inverted (RFC 4380 §4)
		at(4, 5, 6, 7)
		var client [4]byte
		binary.BigEndian.PutUint32(client[:], ^binary.BigEndian.Uint32(b[12:]))
		out = append(out, netip.AddrFrom4(client))
	}
	if id := binary.BigEndian.Uint32(b[8:]); id == 0x00005efe || id == 0x02005efe { // ISATAP, RFC 5214 §6.1
		at(12, 13, 14, 15)
	}
	return out
}
