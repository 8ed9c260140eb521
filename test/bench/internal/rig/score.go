// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"fmt"
	"io"
)

// Score prints figures to Out and counts the targets that were missed.
type Score struct {
	Out    io.Writer
	Missed int
}

// Tell prints a figure and its target, and whether it is met.
func (s *Score) Tell(ok bool, format string, args ...any) {
	verdict := "ok    "
	if !ok {
		verdict = "MISSED"
		s.Missed++
	}
	_, _ = fmt.Fprintf(s.Out, "%s %s\n", verdict, fmt.Sprintf(format, args...))
}
