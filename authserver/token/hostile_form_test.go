// SPDX-License-Identifier: Apache-2.0

package token

import (
	"strings"
	"testing"
)

// hostileForms are strings that are no compact JWS: length, characters, segments.
func hostileForms(t testing.TB, l *lab) []hostile {
	good := l.claims(t, goodPayload)
	head, rest, _ := strings.Cut(good, ".")
	payload, sig, _ := strings.Cut(rest, ".")
	rows := []hostile{
		{name: "empty", raw: "", want: ReasonSegments},
		{name: "one segment", raw: head, want: ReasonSegments},
		{name: "two segments", raw: head + "." + payload, want: ReasonSegments},
		{name: "four segments", raw: good + "." + sig, want: ReasonSegments},
		{name: "six segments", raw: good + "." + good, want: ReasonSegments},
		{name: "trailing dot", raw: good + ".", want: ReasonSegments},
		{name: "leading dot", raw: "." + good, want: ReasonSegments},
		{name: "two dots only", raw: "..", want: ReasonSegments},
		{name: "thousands of dots", raw: strings.Repeat(".", MaxLength), want: ReasonSegments},
		{name: "empty header", raw: "." + payload + "." + sig, want: ReasonSegments},
		{name: "empty signature", raw: head + "." + payload + ".", want: ReasonSegments},
		{name: "empty payload", raw: head + ".." + sig, want: ReasonJSON},
		{name: "five segments", raw: good + ".AAAA.AAAA", want: ReasonEncrypted},
		{name: "five empty segments", raw: "....", want: ReasonEncrypted},
		{name: "one byte too long", raw: good + strings.Repeat("A", MaxLength+1-len(good)), want: ReasonTooLong},
		{name: "a megabyte", raw: strings.Repeat("A", 1<<20), want: ReasonTooLong},
		{name: "too long and bad characters", raw: strings.Repeat("=", MaxLength+1), want: ReasonTooLong},
		{name: "flattened JSON serialization", raw: `{"protected":"` + head + `","payload":"` + payload + `","signature":"` + sig + `"}`, want: ReasonCharacters},
		{name: "general JSON serialization", raw: `{"payload":"` + payload + `","signatures":[{"protected":"` + head + `","signature":"` + sig + `"}]}`, want: ReasonCharacters},
		{name: "scheme in front", raw: "Bearer " + good, want: ReasonCharacters},
		{name: "two tokens", raw: good + "," + good, want: ReasonCharacters},
		{name: "dots escaped for a URL", raw: strings.ReplaceAll(good, ".", "%2E"), want: ReasonCharacters},
		{name: "fullwidth dots", raw: strings.ReplaceAll(good, ".", "．"), want: ReasonCharacters},
		{name: "quoted", raw: `"` + good + `"`, want: ReasonCharacters},
	}
	for name, text := range map[string]string{
		"space": " ", "newline": "\n", "carriage return": "\r", "CRLF": "\r\n", "tab": "\t", "NUL": "\x00",
		"no-break space": "\u00a0", "byte order mark": "\ufeff", "padding": "=", "double padding": "==",
		"plus": "+", "slash": "/", "tilde": "~", "question mark": "?", "high byte": "\xff",
	} {
		rows = append(rows,
			hostile{name: name + " in front", raw: text + good, want: ReasonCharacters},
			hostile{name: name + " at the end", raw: good + text, want: ReasonCharacters},
			hostile{name: name + " after the header", raw: head + text + "." + rest, want: ReasonCharacters},
			hostile{name: name + " inside the payload", raw: head + "." + payload[:8] + text + payload[8:] + "." + sig, want: ReasonCharacters},
		)
	}
	return rows
}

// hostileBase64 are second spellings of segments: stray bits and impossible lengths. Each
// segment is signed as it is sent, so nothing but the encoding is wrong.
func hostileBase64(t testing.TB, l *lab) []hostile {
	// One byte encodes to two characters, of which the last has four stray bits.
	stray := func(segment string) string {
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		last := strings.IndexByte(alphabet, segment[len(segment)-1])
		return segment[:len(segment)-1] + string(alphabet[last+1])
	}
	// A header and a payload whose lengths leave stray bits.
	header, payload := goodHeader, goodPayload
	for len(header)%3 == 0 {
		header += " "
	}
	for len(payload)%3 == 0 {
		payload += " "
	}
	method := l.rsaMethod()
	good := sign(t, method, l.rsa, header, payload)
	strayHeader := signRaw(t, method, l.rsa, stray(b64(header))+"."+b64(payload))
	strayPayload := signRaw(t, method, l.rsa, b64(header)+"."+stray(b64(payload)))
	return []hostile{
		{name: "stray bits in the header", raw: strayHeader, want: ReasonBase64},
		{name: "stray bits in the payload", raw: strayPayload, want: ReasonBase64},
		{name: "stray bits in the signature", raw: stray(good), want: ReasonBase64},
		{name: "header of an impossible length", raw: signRaw(t, method, l.rsa, "AAAAA."+b64(payload)), want: ReasonBase64},
		{name: "payload of an impossible length", raw: signRaw(t, method, l.rsa, b64(header)+".A"), want: ReasonBase64},
		{name: "signature of an impossible length", raw: b64(header) + "." + b64(payload) + ".AAAAA", want: ReasonBase64},
		{name: "signature of one character", raw: b64(header) + "." + b64(payload) + ".A", want: ReasonBase64},
	}
}
