// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// table prints columns: the first aligned left, the others right. A table without rows prints a dash.
type table struct {
	to    io.Writer
	cells [][]string
}

func newTable(to io.Writer, header ...string) *table {
	return &table{to: to, cells: [][]string{header}}
}

// row adds a row; the format separates the cells with tabs.
func (t *table) row(format string, args ...any) {
	t.cells = append(t.cells, strings.Split(fmt.Sprintf(format, args...), "\t"))
}

func (t *table) flush() error {
	if len(t.cells) == 1 {
		_, err := fmt.Fprintln(t.to, "–")
		return err
	}
	widths := make([]int, len(t.cells[0]))
	for _, row := range t.cells {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range t.cells {
		fmt.Fprintf(&b, "%-*s", widths[0], row[0])
		for i, cell := range row[1:] {
			fmt.Fprintf(&b, "  %*s", widths[i+1], cell)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(t.to, b.String())
	return err
}
