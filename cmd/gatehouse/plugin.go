// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// Names under which the same program is a plugin of kubectl: kubectl runs kubectl-gatehouse for `kubectl gatehouse`, and asks kubectl_complete-gatehouse what could
// come next on its command line.
const (
	pluginName   = "kubectl-gatehouse"
	completeName = "kubectl_complete-gatehouse"
)

// calledAs reads the name that the program was run under: whether it is kubectl's plugin, and what its arguments then are.
func calledAs(argv0 string, args []string) (plugin bool, _ []string) {
	switch strings.TrimSuffix(filepath.Base(argv0), ".exe") {
	case pluginName:
		return true, args
	case completeName:
		return true, append([]string{cobra.ShellCompRequestCmd}, args...)
	}
	return false, args
}

// asPlugin lets usage texts say what people type.
func asPlugin(root *cobra.Command) {
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl gatehouse"}
	var rename func(cmd *cobra.Command)
	rename = func(cmd *cobra.Command) {
		cmd.Example = strings.ReplaceAll(cmd.Example, "gatehouse "+cmd.Name(), "kubectl gatehouse "+cmd.Name())
		for _, child := range cmd.Commands() {
			rename(child)
		}
	}
	rename(root)
}
