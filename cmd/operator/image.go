// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// operatorContainer is the name of the operator's container in its Pod.
const operatorContainer = "operator"

// ownImage reads the image that this operator runs from its own Pod, as its spec names it: what the cluster could pull once it can
// pull again.
func ownImage(ctx context.Context, reader client.Reader, namespace, name string) (string, error) {
	var pod corev1.Pod
	if err := reader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, &pod); err != nil {
		return "", fmt.Errorf("reading the operator's own Pod for its image (or set --image): %w", err)
	}
	for i := range pod.Spec.Containers {
		if c := &pod.Spec.Containers[i]; c.Name == operatorContainer {
			return c.Image, nil
		}
	}
	return "", fmt.Errorf("the operator's own Pod %s/%s has no container named %s: set --image", namespace, name, operatorContainer)
}
