// SPDX-License-Identifier: Apache-2.0

// Package kube runs the control plane of a real Kubernetes, etcd and kube-apiserver, on this machine's loopback
// address for the suites and the demonstration. It is not a cluster: no kubelet, scheduler or controller-manager
// runs, so nothing but the test itself makes pods, fills ServiceAccount tokens or collects garbage, and the built-in
// roles that a controller aggregates (view, edit, admin) are empty.
//
// What it does that a stock test environment does not: its parts stop and start again on the same address and data,
// and etcd goes back to an earlier copy, so that a suite can take them away under a running operator.
//
//	plane, err := kube.Start(ctx, kube.Options{CRDs: []string{"../../config/crd/bases"}})
//	defer plane.Stop()
//	admin := plane.RestConfig()
//	operator, err := plane.AddUser("system:serviceaccount:gatehouse-system:gatehouse-operator", "system:serviceaccounts")
//
// The API server speaks TLS, authorizes with RBAC and has the default admission plugins, ValidatingAdmissionPolicy
// among them, except ServiceAccount, which needs a controller to make the accounts it asks for.
//
// Every start and stop is bounded and waits for a condition; an error names the part's log file and shows its end.
// The binaries come from [Assets]. The processes end with the one that started them, on Linux even if it is killed.
package kube
