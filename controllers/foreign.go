// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// foreignError tells that a name the operator needs is taken by an object that it did not make.
type foreignError struct {
	kind, namespace, name string
	// earlier marks an object of an earlier AuthServer of this name, which the garbage collector is about to remove.
	earlier bool
}

func (e *foreignError) Error() string {
	if e.earlier {
		return fmt.Sprintf("%s %s/%s still belongs to a deleted AuthServer of this name and is being removed", e.kind, e.namespace, e.name)
	}
	return fmt.Sprintf("%s %s/%s exists and was not made for this AuthServer: delete it, or give the AuthServer another name",
		e.kind, e.namespace, e.name)
}

// owns tells whether the object belongs to this very AuthServer.
func (a *applier) owns(have client.Object) bool {
	return slices.ContainsFunc(have.GetOwnerReferences(), func(o metav1.OwnerReference) bool { return o.UID == a.server.UID })
}

// own returns a foreignError unless the object belongs to this very AuthServer.
func (a *applier) own(have client.Object, id objectID) error {
	if a.owns(have) {
		return nil
	}
	earlier := false
	for _, o := range have.GetOwnerReferences() {
		earlier = earlier || (o.Kind == v1alpha1.KindAuthServer && o.Name == a.server.Name && ownedByGatehouse([]metav1.OwnerReference{o}))
	}
	return &foreignError{kind: id.kind, namespace: a.server.Namespace, name: id.name, earlier: earlier}
}

// foreign takes the foreignErrors out of what applying several objects returned.
func foreign(errs []error) (taken []*foreignError, rest error) {
	for _, err := range errs {
		var f *foreignError
		if errors.As(err, &f) {
			taken = append(taken, f)
			continue
		}
		rest = errors.Join(rest, err)
	}
	return taken, rest
}
