// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// MaxFile bounds a file, in bytes. Settings of the systems here take some kilobytes.
const MaxFile = 1 << 20

// readable is the text without a byte order mark, or says why it is none.
func readable(file string, data []byte) ([]byte, error) {
	wrong := func(line int, format string, args ...any) ([]byte, error) {
		return nil, Mistakes{{File: file, Line: line, Text: fmt.Sprintf(format, args...)}}
	}
	switch {
	case len(data) > MaxFile:
		return wrong(0, "it has more than %d MiB, which no file of settings has", MaxFile>>20)
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return wrong(1, "it is UTF-16: save it as UTF-8")
	}
	text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if at := bytes.IndexByte(text, 0); at >= 0 {
		return wrong(lineAt(text, at), "a NUL byte: it is no text, or UTF-16 without its mark")
	}
	if !utf8.Valid(text) {
		return wrong(lineAt(text, invalidAt(text)), "bytes that are not UTF-8: save it as UTF-8")
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return wrong(0, "it is empty")
	}
	return text, nil
}

// lineAt is the line of an offset, 1 for the first.
func lineAt(text []byte, offset int) int { return 1 + bytes.Count(text[:offset], []byte("\n")) }

func invalidAt(text []byte) int {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(text)
}
