// SPDX-License-Identifier: Apache-2.0

package status

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWrap guards that no line is wider than the terminal, whatever the script, and that nothing is lost.
func TestWrap(t *testing.T) {
	cases := []struct {
		name     string
		text     string
		first, n int
		want     []string
	}{
		{"short", "as it is", 80, 80, []string{"as it is"}},
		{"at spaces", "one two three four five six seven", 10, 20, []string{"one two", "three four five six", "seven"}},
		{"long word", "see https://example.com/a/very/long/path here", 10, 20, []string{"see", "https://example.com/", "a/very/long/path", "here"}},
		{"no room on the first line", "abcdefghij klm", 3, 20, []string{"", "abcdefghij klm"}},
		{"wide characters", "界界界界界界界界界界界界", 20, 20, []string{"界界界界界界界界界界", "界界"}},
		{"combining marks take no column", strings.Repeat("e\u0301", 20), 20, 20, []string{strings.Repeat("e\u0301", 20)}},
		{"too narrow to wrap", "one two three four five six seven", 5, 10, []string{"one two three four five six seven"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, wrap(c.text, c.first, c.n)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWrapFits guards the same for texts and widths nobody thought of.
func FuzzWrap(f *testing.F) {
	f.Add("one two 界界 three", 7, 30)
	f.Add("\u0301 \xff", 0, 20)
	f.Fuzz(func(t *testing.T, text string, first, n int) {
		text = safe(strings.ToValidUTF8(text, "?"))
		first, n = max(0, first%100), minWrap+max(0, n%100)
		first = min(first, n)
		lines := wrap(text, first, n)
		for i, line := range lines {
			room := n
			if i == 0 {
				room = first
			}
			if len(lines) > 1 && columns(line) > room {
				t.Errorf("line %d has %d columns, of %d: %q", i, columns(line), room, line)
			}
		}
		if strings.ReplaceAll(strings.Join(lines, ""), " ", "") != strings.ReplaceAll(strings.Join(strings.Fields(text), ""), " ", "") {
			t.Errorf("%q became %q", text, lines)
		}
	})
}
