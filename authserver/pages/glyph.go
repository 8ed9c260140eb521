// SPDX-License-Identifier: Apache-2.0

package pages

import "unicode"

// glyph stands for an icon: the first letter or digit of a name, as a capital.
func glyph(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "•"
}
