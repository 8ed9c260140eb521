// SPDX-License-Identifier: Apache-2.0

// Package gitops holds the test that Flux (through kstatus's library) and Argo CD (through config/gitops/argocd/health.lua) read
// the same objects alike: enforced is healthy, refused fails at once, everything else is in progress.
package gitops
