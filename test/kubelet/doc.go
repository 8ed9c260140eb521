// SPDX-License-Identifier: Apache-2.0

// Package kubelet plays controller-manager and kubelet for the operator's Deployments where there is only an API server: it makes one
// ReplicaSet with one Pod per Deployment on a loopback address, runs its container's command as a process of this machine, writes its projected volume on start and
// again whenever an annotation of the pod changes (as a kubelet does), probes it, and tells the truth in the pod's status.
//
// Not played: image pulls, resource limits, security contexts, several pods of one Deployment, restarts after a crash. A container that ends
// makes its pod not ready and is reported.
package kubelet
