// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ProbeFence tests once whether the admission policy holds a client's user.
func ProbeFence(ctx context.Context, c client.Client) (string, error) {
	state, err := (&fence{client: c}).test(ctx)
	return string(state), err
}
