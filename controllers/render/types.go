// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// Key names an object.
type Key struct{ Kind, Namespace, Name string }

// String is "Kind/namespace/name", the key at /configz.
func (k Key) String() string { return k.Kind + "/" + k.Namespace + "/" + k.Name }

// Ref names a Secret or ConfigMap that an object refers to.
type Ref struct {
	// Kind is Secret or ConfigMap.
	Kind            v1alpha1.BundleKind
	Namespace, Name string
}

// String is "Kind namespace/name", for messages.
func (r Ref) String() string { return fmt.Sprintf("%s %s/%s", r.Kind, r.Namespace, r.Name) }

// Resolved is what the caller found under a Ref. Only definite answers belong here: after a failed read there is nothing to
// render.
type Resolved struct {
	// Found is false when the object does not exist.
	Found bool
	// Forbidden means that the operator's own rights do not let it read the object.
	Forbidden bool
	// Type of a Secret; empty counts as Opaque.
	Type   corev1.SecretType
	Labels map[string]string
	// OwnedByGatehouse is set for Secrets that an owner reference ties to an object of Gatehouse.
	OwnedByGatehouse bool
	ResourceVersion  string
	// Data may be empty when Found is false or the object is not permitted.
	Data map[string][]byte
}

// Input is everything that a render depends on, but the values of Secrets and ConfigMaps.
type Input struct {
	// Name is the AuthServer's name.
	Name types.NamespacedName
	// Server is nil when it does not exist: then every object that names it gets NoMatchingAuthServer.
	Server *v1alpha1.AuthServer
	// Providers and Policies may hold objects of other servers; those are passed over.
	Providers []*v1alpha1.IdentityProvider
	Policies  []*v1alpha1.TenantJWTPolicy

	// NamespaceLabels answers allowedNamespaces.from: Selector; ok is false for a namespace that does not exist. Nil means that
	// the installation cannot read namespaces, which makes such an AuthServer Invalid.
	NamespaceLabels func(namespace string) (labels map[string]string, ok bool)
	// RequireSecretLabel refuses Secrets without the label auth.gatehouse.dev/allow: "true".
	RequireSecretLabel bool
	// ShardCount is the number of shards in force, 0 when there are none yet. It only ever grows.
	ShardCount int
	// LastBase is the base.json in force, nil when there is none. It is used only while the AuthServer itself is not usable.
	LastBase []byte
	// Memo, if not nil, spares work that the last plan of this server did already.
	Memo *Memo
	// Loopback tells that the server may dial loopback addresses beside what the AuthServer allows, as gatehouse serve does.
	Loopback bool
	// Offline orders claimants by namespace and name alone: manifests have no creationTimestamp.
	Offline bool
}

// Condition is one condition of a verdict. A Reason of "" means that there is nothing to say: ResolvedRefs of an object
// that is not Accepted, whose references were not read.
type Condition struct {
	Status          bool
	Reason, Message string
}

// Verdict is what became of one object.
type Verdict struct {
	Accepted, ResolvedRefs Condition
	// ExamplesPassed tells what became of a policy's examples; its Reason is "" without any, and unless the policy is served.
	ExamplesPassed Condition
	// Served tells that the rendered files hold the object.
	Served bool
	// Disabled marks an accepted object with enabled: false.
	Disabled bool
	// File is the rendered file that holds the object, or would if it were served.
	File string
	// Fingerprint is a hash of what was rendered of the object; empty unless Served.
	Fingerprint string
	// References are the Secrets and ConfigMaps that were found, in the order of the spec.
	References []v1alpha1.ResolvedReference
	// Problems are what the conditions' messages are made of, one by one and by field. A verdict without any is good.
	Problems []Problem
	// FailedExamples are the examples that come out otherwise than expected. They do not keep the object from being served.
	FailedExamples []Problem
	// Warnings do not keep the object from being served. The positive conditions' messages hold them too.
	Warnings []Problem
}

// Problem is one thing that is wrong with an object.
type Problem struct {
	// Condition is Accepted, ResolvedRefs or ExamplesPassed; Reason is one of its reasons.
	Condition, Reason string
	// Field is the path of the field, such as spec.issuers[0].keys[1]; empty when no single field is at fault.
	Field string
	// Text says what is wrong and what to do. It never holds a value of a Secret.
	Text string
	// Missing is the Secret or ConfigMap that does not exist at all, if that is the problem.
	Missing *Ref
}

// String is "field: text".
func (p Problem) String() string {
	if p.Field == "" {
		return p.Text
	}
	return p.Field + ": " + p.Text
}

// Output is a rendered configuration.
type Output struct {
	// Files are base.json and every tenants-<count>-<n>.json.gz; never keys.json and ops-token. Nil when there is nothing to
	// serve by: no AuthServer, or one that is not usable and no LastBase.
	Files map[string][]byte
	// Hash identifies Files; empty without any.
	Hash string
	// ShardCount is the number of tenants files.
	ShardCount int
	// Held tells that the AuthServer is not usable, so its last good settings (or nothing) are in Files.
	Held bool
	// URL is the external URL in force.
	URL string
	// Verdicts has one entry for the AuthServer, if it exists, and for every object that names it.
	Verdicts map[Key]Verdict
}

// ServerOf is the AuthServer that an object of the namespace names: "default" and its own namespace where it leaves
// them out.
func ServerOf(ref v1alpha1.AuthServerReference, namespace string) types.NamespacedName {
	n := types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}
	if n.Name == "" {
		n.Name = v1alpha1.DefaultServerName
	}
	if n.Namespace == "" {
		n.Namespace = namespace
	}
	return n
}

// DefaultExternalURL is the in-cluster Service's URL, which stands in where an AuthServer sets none.
func DefaultExternalURL(server types.NamespacedName) string {
	return fmt.Sprintf("http://gatehouse-%s.%s.svc:8080", server.Name, server.Namespace)
}
