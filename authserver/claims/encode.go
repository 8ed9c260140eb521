// SPDX-License-Identifier: Apache-2.0

package claims

import "strings"

const upperHex = "0123456789ABCDEF"

// encode percent-encodes (RFC 3986 §2.1) every byte of s that is outside %x21–7E, `%` itself, and the bytes of also. So
// no value can end a header line, hold a space that a gateway trims, or imitate an encoded one; decoding gives back s.
func encode(s, also string) string {
	n := 0
	for i := 0; i < len(s); i++ {
		if mustEncode(s[i], also) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 2*n)
	appendEncoded(&b, s, also)
	return b.String()
}

func appendEncoded(b *strings.Builder, s, also string) {
	for i := 0; i < len(s); i++ {
		if c := s[i]; mustEncode(c, also) {
			b.WriteByte('%')
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&15])
		} else {
			b.WriteByte(c)
		}
	}
}

func mustEncode(c byte, also string) bool {
	return c < 0x21 || c > 0x7e || c == '%' || strings.IndexByte(also, c) >= 0
}

// encodeList joins values with commas, the commas inside them encoded. Empty values say nothing and are left out.
func encodeList(values []string) string {
	var b strings.Builder
	for _, v := range values {
		if v == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		appendEncoded(&b, v, ",")
	}
	return b.String()
}
