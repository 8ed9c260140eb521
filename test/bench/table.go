// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// table prints columns: the first aligned left, the others right. A table without rows prints a dash.
type table struct {
	to    *strings.Builder
	cells [][]string
}

func newTable(to *strings.Builder, header ...string) *table {
	return &table{to: to, cells: [][]string{header}}
}

// row adds a row; the format separates the cells with tabs.
func (t *table) row(format string, args ...any) {
	t.cells = append(t.cells, strings.Split(fmt.Sprintf(format, args...), "\t"))
}

func (t *table) flush() {
	if len(t.cells) == 1 {
		t.to.WriteString("–\n")
		return
	}
	widths := make([]int, len(t.cells[0]))
	for _, row := range t.cells {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range t.cells {
		fmt.Fprintf(t.to, "%-*s", widths[0], row[0])
		for i, cell := range row[1:] {
			fmt.Fprintf(t.to, "  %*s", widths[i+1], cell)
		}
		t.to.WriteByte('\n')
	}
}
