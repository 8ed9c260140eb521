// SPDX-License-Identifier: Apache-2.0

// Package local runs the whole of Gatehouse as processes of this machine, for the demo and for suites that take its parts away: an
// embedded control plane (test/kube), the operator with the rights of its ServiceAccount, and the auth server in the place where a
// kubelet would run it (test/kubelet).
package local
