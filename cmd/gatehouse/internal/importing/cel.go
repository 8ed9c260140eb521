// SPDX-License-Identifier: Apache-2.0

package importing

import "strings"

// celText is a string literal of CEL.
func celText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}

// celList is a list of strings.
func celList(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = celText(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// groupsRule admits the members of any of the groups.
func groupsRule(groups []string) string {
	if len(groups) == 1 {
		return celText(groups[0]) + " in groups"
	}
	return "groups.exists(g, g in " + celList(groups) + ")"
}
