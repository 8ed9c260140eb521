// SPDX-License-Identifier: Apache-2.0

// Package e2e holds the suite that runs against a real cluster (build tag e2e): Deployments, kubelets and their volumes,
// Services, rollouts. `make e2e` builds the image, loads it, deploys the operator from config/default and runs this.
//
// The suite reaches pods and Services by their addresses, so the machine it runs on needs a route to both, and pods one back: login
// providers and PostgreSQL run beside the suite (reach_test.go). It prints what it measures: how long a change takes until every
// replica enforces it, and what became of the requests that were in flight meanwhile.
package e2e
