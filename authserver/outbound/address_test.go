// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// check is refusal as an error, nil where there is none.
func (r Rules) check(scheme string, addr netip.Addr) error {
	if refusal := r.refusal(scheme, addr); refusal != nil {
		return refusal
	}
	return nil
}

// everything is the longest list an administrator can write.
var everything = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

func TestOnlyPublicAddressesAreAllowedByDefault(t *testing.T) {
	for _, tt := range []struct {
		addr string
		kind string
		cidr string // the fix; "" when the address is allowed over https
	}{
		{"93.184.216.34", "public", ""},
		{"2606:4700::1111", "public", ""},
		{"64:ff9b::5db8:d822", "public", ""}, // NAT64 of 93.184.216.34: how an IPv6-only cluster reaches it
		{"2002:5db8:d822::1", "public", ""},
		{"::ffff:93.184.216.34", "public", ""},
		{"172.15.255.255", "public", ""},
		{"172.32.0.0", "public", ""},
		{"100.63.255.255", "public", ""},
		{"100.128.0.0", "public", ""},

		{"10.1.2.3", "private", "10.1.2.3/32"},
		{"172.16.0.1", "private", "172.16.0.1/32"},
		{"172.31.255.255", "private", "172.31.255.255/32"},
		{"192.168.1.1", "private", "192.168.1.1/32"},
		{"127.0.0.1", "loopback", "127.0.0.1/32"},
		{"127.255.255.255", "loopback", "127.255.255.255/32"},
		{"0.0.0.0", "unspecified", "0.0.0.0/32"},
		{"0.1.2.3", "unspecified", "0.1.2.3/32"},
		{"169.254.1.1", "link-local", "169.254.1.1/32"},
		{"100.64.0.1", "carrier-grade NAT", "100.64.0.1/32"},
		{"100.127.255.255", "carrier-grade NAT", "100.127.255.255/32"},
		{"192.0.2.1", "documentation", "192.0.2.1/32"},
		{"198.51.100.1", "documentation", "198.51.100.1/32"},
		{"203.0.113.1", "documentation", "203.0.113.1/32"},
		{"192.0.0.8", "reserved", "192.0.0.8/32"},
		{"192.88.99.1", "reserved", "192.88.99.1/32"},
		{"198.19.255.255", "reserved", "198.19.255.255/32"},
		{"224.0.0.1", "multicast", "224.0.0.1/32"},
		{"239.255.255.255", "multicast", "239.255.255.255/32"},
		{"240.0.0.1", "reserved", "240.0.0.1/32"},
		{"255.255.255.255", "broadcast", "255.255.255.255/32"},

		{"::", "unspecified", "::/128"},
		{"::1", "loopback", "::1/128"},
		{"fd12::1", "unique local", "fd12::1/128"},
		{"fe80::1", "link-local", "fe80::1/128"},
		{"fe80::1%eth0", "link-local", "fe80::1/128"},
		{"fec0::1", "private", "fec0::1/128"},
		{"ff02::1", "multicast", "ff02::1/128"},
		{"2001:db8::1", "documentation", "2001:db8::1/128"},
		{"3fff::1", "documentation", "3fff::1/128"},
		{"100::1", "reserved", "100::1/128"},
		{"5f00::1", "reserved", "5f00::1/128"},
		{"4000::1", "reserved", "4000::1/128"},
		{"2001:2::1", "reserved", "2001:2::1/128"},

		{"::ffff:10.0.0.1", "private", "10.0.0.1/32"},
		{"::10.0.0.1", "IPv4-embedding", "::a00:1/128"},
		{"::ffff:0:10.0.0.1", "IPv4-embedding", "::ffff:0:a00:1/128"},
		{"64:ff9b::10.0.0.1", "private", "64:ff9b::a00:1/128"},
		{"64:ff9b::127.0.0.1", "loopback", "64:ff9b::7f00:1/128"},
		{"64:ff9b:1::10.0.0.1", "IPv4-embedding", "64:ff9b:1::a00:1/128"},
		{"2002:a00:1::1", "private", "2002:a00:1::1/128"},
		{"2002:7f00:1::", "loopback", "2002:7f00:1::/128"},
		{"2001:0:0a00:1::1", "IPv4-embedding", "2001:0:a00:1::1/128"},
		{"2606:4700::5efe:10.0.0.1", "private", "2606:4700::5efe:a00:1/128"},         // ISATAP
		{"2606:4700::200:5efe:10.0.0.1", "private", "2606:4700::200:5efe:a00:1/128"}, // ISATAP, unique bit set
	} {
		t.Run(tt.addr, func(t *testing.T) {
			addr := netip.MustParseAddr(tt.addr)
			err := Rules{}.check("https", addr)
			if tt.cidr == "" {
				if err != nil {
					t.Fatalf("https: %v, want it allowed", err)
				}
				var refused *AddressError
				if err := (Rules{}).check("http", addr); !errors.As(err, &refused) || !refused.PlainHTTP {
					t.Errorf("http: %v, want it refused for being http", err)
				}
				return
			}
			var refused *AddressError
			if !errors.As(err, &refused) || !errors.Is(err, ErrAddressNotAllowed) {
				t.Fatalf("got %v, want an AddressError", err)
			}
			if refused.Kind != tt.kind || refused.CIDR.String() != tt.cidr {
				t.Errorf("got %s %s, want %s %s", refused.Kind, refused.CIDR, tt.kind, tt.cidr)
			}
			if !strings.Contains(err.Error(), "add "+tt.cidr) || !strings.Contains(err.Error(), "AuthServer spec.outbound.allowedCIDRs") {
				t.Errorf("message %q does not tell the fix", err)
			}
			listed := Rules{AllowedCIDRs: []netip.Prefix{refused.CIDR}}
			for _, scheme := range []string{"http", "https"} {
				if err := listed.check(scheme, addr); err != nil {
					t.Errorf("%s with that CIDR: %v", scheme, err)
				}
			}
		})
	}
}

// The credentials of the whole node lie there; the list cannot open it, whatever the spelling.
func TestMetadataAddressesAreNeverAllowed(t *testing.T) {
	for _, addr := range []string{
		"169.254.169.254", "::ffff:169.254.169.254", "::169.254.169.254", "::ffff:0:169.254.169.254",
		"64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:ab:a9:fea9:fe00:0", "64:ff9b:1:abcd:a9:fea9:fe00:0",
		"2002:a9fe:a9fe::", "2002:a9fe:a9fe::1", "2001:0:a9fe:a9fe::1", "2001:0:102:304:0:0:5601:5601",
		"2606:4700::5efe:a9fe:a9fe", "fe80::200:5efe:a9fe:a9fe",
		"169.254.170.2", "::ffff:169.254.170.2", "64:ff9b::a9fe:aa02", "2002:a9fe:aa02::1", "169.254.170.23",
		"100.100.100.200", "::ffff:100.100.100.200", "64:ff9b::6464:64c8", "2002:6464:64c8::",
		"fd00:ec2::254", "fd00:ec2::254%eth0", "fd00:ec2::23", "fd20:ce::254", "fe80::a9fe:a9fe%eth0",
		"168.63.129.16", "192.0.0.192",
	} {
		a := netip.MustParseAddr(addr)
		rules := Rules{AllowedCIDRs: append([]netip.Prefix{single(normalize(a))}, everything...)}
		for _, scheme := range []string{"http", "https"} {
			err := rules.check(scheme, a)
			var refused *AddressError
			if !errors.As(err, &refused) || refused.Kind != "cloud metadata" || refused.CIDR.IsValid() {
				t.Errorf("%s %s: got %v, want a refusal that no list lifts", scheme, addr, err)
			}
		}
	}
}

func TestListedPrefixesInOtherSpellings(t *testing.T) {
	rules := Rules{AllowedCIDRs: []netip.Prefix{netip.MustParsePrefix("::ffff:10.0.0.0/104"), netip.MustParsePrefix("192.168.7.9/16")}}
	for addr, allowed := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "192.168.1.1": true, "11.0.0.1": true, "172.16.0.1": false,
		"64:ff9b::10.1.2.3": false, // listing 10/8 lists no translator towards it
	} {
		if err := rules.check("https", netip.MustParseAddr(addr)); (err == nil) != allowed {
			t.Errorf("%s: %v, want allowed=%v", addr, err, allowed)
		}
	}
	if err := rules.check("http", netip.MustParseAddr("11.0.0.1")); err == nil {
		t.Error("http to an address outside the list was allowed")
	}
	if err := (Rules{AllowedCIDRs: everything}).check("https", netip.Addr{}); err == nil {
		t.Error("an invalid address was allowed")
	}
}

// FuzzCheck holds the rules together: the CIDR an error names is exactly what allows the address, and what wraps a
// metadata address is as closed as the address itself.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{"10.0.0.1", "169.254.169.254", "64:ff9b::a00:1", "2002:a9fe:a9fe::", "2606:4700::1111"} {
		f.Add(netip.MustParseAddr(s).AsSlice())
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		addr, ok := netip.AddrFromSlice(raw)
		if !ok {
			t.Skip()
		}
		err := Rules{}.check("https", addr)
		var refused *AddressError
		switch {
		case err == nil:
			if !normalize(addr).IsGlobalUnicast() || normalize(addr).IsPrivate() {
				t.Errorf("%s was allowed", addr)
			}
		case !errors.As(err, &refused):
			t.Errorf("%s: error %T", addr, err)
		case refused.CIDR.IsValid():
			if err := (Rules{AllowedCIDRs: []netip.Prefix{refused.CIDR}}).check("http", addr); err != nil {
				t.Errorf("%s with its CIDR: %v", addr, err)
			}
		default:
			if err := (Rules{AllowedCIDRs: everything}).check("https", addr); err == nil {
				t.Errorf("%s: a list allowed what nothing allows", addr)
			}
		}
	})
}

// Conditions hold 300 bytes of a message: the longest host and addresses leave the network to add in it.
func TestFixSurvivesALongHost(t *testing.T) {
	name := strings.Repeat("very-long.", 24) + "idp.test"
	denied := (&AddressError{Host: name, Address: netip.MustParseAddr("fd12:3456:789a:bcde:f012:3456:789a:bcde"), Kind: string(kindTunnel), Denied: true}).Error()
	if !strings.Contains(denied[:min(300, len(denied))], "--credential-denied-cidrs") {
		t.Errorf("%d bytes: %s", len(denied), denied)
	}
	for _, plain := range []bool{false, true} {
		addr := netip.MustParseAddr("fd12:3456:789a:bcde:f012:3456:789a:bcde")
		m := (&AddressError{Host: name, Address: addr, Kind: string(kindTunnel), CIDR: single(addr), PlainHTTP: plain}).Error()
		if !strings.Contains(m[:min(300, len(m))], "add "+addr.String()+"/128") || !strings.Contains(m, "...") || !strings.Contains(m, "idp.test") {
			t.Errorf("%d bytes: %s", len(m), m)
		}
	}
}

// The operator asks from its own place in the network: what is denied there no AuthServer opens, in whatever spelling.
func TestDeniedNetworks(t *testing.T) {
	denied := []netip.Prefix{
		netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("::ffff:10.96.0.0/108"),
		netip.MustParsePrefix("8.8.0.0/16"),
	}
	for addr, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::ffff:127.0.0.1": true, "::1": true, "::127.0.0.1": true, "64:ff9b::7f00:1": true, "2002:7f00:1::": true,
		"0.0.0.0": true, "::": true, "::ffff:0.0.0.0": true, // which Linux connects to loopback
		"fe80::1": true, "fe80::1%eth0": true, "10.96.0.1": true, "::ffff:10.111.255.255": true, "8.8.8.8": true,
		"10.112.0.1": false, "10.95.255.255": false, "128.0.0.1": false, "::2": false, "8.9.8.8": false, "fd00::1": false, "2606:4700::1111": false,
	} {
		a := netip.MustParseAddr(addr)
		rules := Rules{AllowedCIDRs: append([]netip.Prefix{single(normalize(a))}, everything...), DeniedCIDRs: denied}
		for _, scheme := range []string{"http", "https"} {
			err := rules.check(scheme, a)
			var refused *AddressError
			if got := errors.As(err, &refused); got != want {
				t.Errorf("%s %s: %v, want it denied: %v", scheme, addr, err, want)
				continue
			}
			if want && (!refused.Denied || refused.CIDR.IsValid() || !strings.Contains(err.Error(), "the operator refuses to dial") || !strings.Contains(err.Error(), "--credential-denied-cidrs")) {
				t.Errorf("%s %s: %v does not say that the operator denies it", scheme, addr, err)
			}
		}
	}
}
