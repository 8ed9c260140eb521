// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// ParseCIDRs reads networks such as "10.96.0.0/12". The error names the place in the list and the fix.
func ParseCIDRs(list []string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, 0, len(list))
	for i, s := range list {
		p, err := parseCIDR(s)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		out = append(out, p)
	}
	return out, nil
}

func parseCIDR(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		if addr, addrErr := netip.ParseAddr(s); addrErr == nil {
			return netip.Prefix{}, fmt.Errorf("%q is an address, not a network: write %s", s, single(normalize(addr)))
		}
		return netip.Prefix{}, fmt.Errorf("%q is not a network such as 10.96.0.0/12 or fd00:10::/64", s)
	}
	p = unmapPrefix(p)
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%q has bits set after its length: write %s", s, p.Masked())
	}
	return p, nil
}

// FormatCIDRs writes networks in one canonical, comparable form: masked, sorted, without duplicates, comma-separated.
// It is what [Profile] holds.
func FormatCIDRs(list []netip.Prefix) string {
	sorted := make([]netip.Prefix, 0, len(list))
	for _, p := range list {
		sorted = append(sorted, unmapPrefix(p).Masked())
	}
	slices.SortFunc(sorted, netip.Prefix.Compare)
	parts := make([]string, 0, len(sorted))
	for _, p := range slices.Compact(sorted) {
		parts = append(parts, p.String())
	}
	return strings.Join(parts, ",")
}
