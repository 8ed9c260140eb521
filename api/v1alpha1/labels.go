// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import "k8s.io/apimachinery/pkg/runtime/schema"

// Labels, annotations and types that Gatehouse reads or writes.
const (
	// LabelServer names the AuthServer that a managed object belongs to. It is on every
	// object the operator makes, and on the pods.
	LabelServer = "auth.gatehouse.dev/server"

	// LabelAllow is what Secrets need (value "true") when the operator runs with
	// --require-secret-label.
	LabelAllow = "auth.gatehouse.dev/allow"

	// AnnotationAutoCreated marks an AuthServer that the operator created because an object
	// referred to "default". The operator removes only such servers; the first field that
	// anybody else sets drops the annotation.
	AnnotationAutoCreated = "auth.gatehouse.dev/auto-created"

	// AnnotationConfigHash is written to the server's pods after each change of the rendered
	// configuration, which makes the kubelet refresh their volumes at once. It is the only thing about a
	// pod that the shipped ValidatingAdmissionPolicy lets the operator change.
	AnnotationConfigHash = "auth.gatehouse.dev/config-hash"

	// The annotations of a Secret that a JWTBearer provider's outputSecretName names: when its token was obtained, when the next one is due and when it ends (RFC
	// 3339, UTC), and a hash of what it was made of, in which there is no secret. From them a new operator knows what is due.
	AnnotationIssuedAt   = "auth.gatehouse.dev/issued-at"
	AnnotationRenewAt    = "auth.gatehouse.dev/renew-at"
	AnnotationExpiresAt  = "auth.gatehouse.dev/expires-at"
	AnnotationSourceHash = "auth.gatehouse.dev/source-hash"

	// SecretTypePrefix begins the Secret types that Gatehouse defines; Secrets of such types may be
	// referred to, as may Opaque, kubernetes.io/tls and kubernetes.io/basic-auth.
	SecretTypePrefix = "auth.gatehouse.dev/"

	// FieldManager owns every field that the operator applies.
	FieldManager = "gatehouse"

	// DefaultServerName is the AuthServer that objects name when they name none.
	DefaultServerName = "default"
)

// AuthServerGVK is the kind's full name, for owner references and unstructured reads.
var AuthServerGVK = schema.GroupVersionKind{Group: "auth.gatehouse.dev", Version: "v1alpha1", Kind: KindAuthServer}
