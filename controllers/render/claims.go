// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// compare orders claimants of a name: objects of the server's namespace first, then the older one, then by namespace and name.
func (p *Plan) compare(a, b metav1.Object) int {
	if own := p.in.Name.Namespace; (a.GetNamespace() == own) != (b.GetNamespace() == own) {
		if a.GetNamespace() == own {
			return -1
		}
		return 1
	}
	if !p.in.Offline {
		if c := a.GetCreationTimestamp().Time.Compare(b.GetCreationTimestamp().Time); c != 0 {
			return c
		}
	}
	return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
}

// owns tells whether objects of the namespace may use the tenant ID or organization.
func (p *Plan) owns(namespace, name string) bool {
	return namespace == p.in.Name.Namespace || name == namespace || strings.HasPrefix(name, namespace+".")
}

// holder names the object that holds a claim to the one that lost it, but not across namespaces: a tenant learns that a name
// is taken, not by whom.
func holder(winner, loser Key) string {
	if winner.Namespace == loser.Namespace {
		return winner.Kind + " " + winner.Name
	}
	return "a " + winner.Kind + " of another namespace"
}
