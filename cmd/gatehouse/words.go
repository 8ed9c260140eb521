// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// counted is a number with its noun, which has an s at its end unless there is one of it.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// knownCommand refuses arguments of a command that has others below it, with those whose names are near.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("unknown command %q for %q%s", args[0], cmd.CommandPath(), meant(cmd, args[0]))
}

// near is how many letters a name may differ in from what was written.
const near = 2

// meant asks whether one of a command's own commands was meant; "" where none is near.
func meant(cmd *cobra.Command, written string) string {
	cmd.SuggestionsMinimumDistance = near
	names := cmd.SuggestionsFor(written)
	if len(names) == 0 {
		return ""
	}
	return ": did you mean " + strings.Join(names, " or ") + "?"
}
