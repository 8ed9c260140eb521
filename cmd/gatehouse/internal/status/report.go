// SPDX-License-Identifier: Apache-2.0

package status

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The name and version of the schema of -o json and -o yaml. Within a version members are added, and none is renamed, removed or given another meaning.
const (
	SchemaVersion = "status.gatehouse.dev/v1"
	SchemaKind    = "Status"
)

// State is how an object is, in one word.
type State string

// States. Only Ready and Disabled count as ready.
const (
	// StateReady is Ready=True of this generation: every ready replica serves it.
	StateReady State = "Ready"
	// StateDisabled is enabled: false, and no replica serves it.
	StateDisabled State = "Disabled"
	// StateProgressing is on its way: the operator has not looked at this generation, or replicas have yet to confirm it.
	StateProgressing State = "Progressing"
	// StateStalled waits for somebody to change an object: the spec or what it refers to is refused.
	StateStalled State = "Stalled"
	// StateNotReady is every other Ready=False, such as no ready replica.
	StateNotReady State = "NotReady"
	// StateTerminating is being deleted.
	StateTerminating State = "Terminating"
	// StateMissing is an AuthServer that objects name and that does not exist.
	StateMissing State = "Missing"
	// StateUnknown is an AuthServer of another namespace that this user may not read.
	StateUnknown State = "Unknown"
)

// Report is how everything is at one time.
type Report struct {
	// APIVersion and Kind are SchemaVersion and SchemaKind.
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Time is when the objects were read.
	Time time.Time `json:"time"`
	// Context is the kubeconfig's context that was asked; empty inside a pod.
	Context string `json:"context,omitempty"`
	// Namespace is the one that was asked about; empty for all.
	Namespace string `json:"namespace,omitempty"`
	// Ready says that every object is ready; it is what the exit code tells.
	Ready bool `json:"ready"`
	// Summary counts.
	Summary Summary `json:"summary"`
	// AuthServers are sorted by namespace and name. Those that objects name and that do not exist or may not be read are among them.
	AuthServers []Server `json:"authServers"`
	// Notes say what could not be read, and so is not here.
	Notes []string `json:"notes,omitempty"`
}

// Summary counts objects by kind, and what is wrong with them.
type Summary struct {
	AuthServers       Count `json:"authServers"`
	IdentityProviders Count `json:"identityProviders"`
	TenantJWTPolicies Count `json:"tenantJWTPolicies"`
	// Errors and Warnings count problems: an object has an error if, and only if, it is not ready.
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
}

// Count is how many there are, and how many of them are ready; disabled ones are.
type Count struct {
	Total int `json:"total"`
	Ready int `json:"ready"`
}

// Object is what all three kinds have.
type Object struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	State     State  `json:"state"`
	// Reason is that of the condition Ready, which is the reason of the condition it follows from.
	Reason string `json:"reason,omitempty"`
	// Since is when the condition Ready last changed its status; absent when there is none.
	Since *metav1.Time `json:"since,omitempty"`
	// Created is the object's creationTimestamp.
	Created *metav1.Time `json:"created,omitempty"`
	// Problems are what is not right: first what keeps the object from being ready.
	Problems []Problem `json:"problems,omitempty"`
	// Conditions are those of the object's status.
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Events are its Warning events that the cluster still has, newest first, at most 5.
	Events []Event `json:"events,omitempty"`
}

// Severity says whether a problem keeps an object from being ready.
type Severity string

// Severities.
const (
	SeverityError   Severity = "Error"
	SeverityWarning Severity = "Warning"
)

// Problem is one thing that is not right.
type Problem struct {
	Severity Severity `json:"severity"`
	// Condition is the type of the condition that tells of it; empty for what follows from something else.
	Condition string       `json:"condition,omitempty"`
	Reason    string       `json:"reason,omitempty"`
	Message   string       `json:"message"`
	Since     *metav1.Time `json:"since,omitempty"`
}

// Event is a Warning event of an object.
type Event struct {
	Reason  string      `json:"reason"`
	Message string      `json:"message"`
	Last    metav1.Time `json:"last"`
	Count   int32       `json:"count"`
}

// Server is an AuthServer and what belongs to it.
type Server struct {
	Object `json:",inline"`
	URL    string `json:"url,omitempty"`
	// Applied is how many of the ready replicas serve ConfigHash, of how many, such as 2/2.
	Applied         string `json:"applied,omitempty"`
	AppliedReplicas int32  `json:"appliedReplicas"`
	// Replicas is how many pods there are, ready or not; WantedReplicas is spec.replicas.
	Replicas       int32  `json:"replicas"`
	WantedReplicas *int32 `json:"wantedReplicas,omitempty"`
	ConfigHash     string `json:"configHash,omitempty"`
	// Store is spec.store.type.
	Store string `json:"store,omitempty"`
	// SigningKeys are the keys of the server's own tokens, oldest first; none with store None.
	SigningKeys []SigningKey `json:"signingKeys,omitempty"`
	// ServedIdentityProviders and ServedTenantJWTPolicies are how many the server serves, those of namespaces that were not read included.
	ServedIdentityProviders int32 `json:"servedIdentityProviders"`
	ServedTenantJWTPolicies int32 `json:"servedTenantJWTPolicies"`
	// Pods are there with Options.Pods, and without it where the server is not ready and the user may list them.
	Pods              []Pod      `json:"pods,omitempty"`
	IdentityProviders []Provider `json:"identityProviders"`
	TenantJWTPolicies []Tenant   `json:"tenantJWTPolicies"`

	// partial says that the server is here for objects beneath it: it was not asked for itself.
	partial bool
	// shared says that objects of other namespaces may belong to the server.
	shared bool
}

// SigningKey is one key of a server's own, without the key.
type SigningKey struct {
	KeyID     string `json:"keyID"`
	Algorithm string `json:"algorithm"`
	// Use is Next (published, does not sign yet), Signing, or Retiring (its tokens are still valid).
	Use string `json:"use"`
	// ActiveFrom is when it begins, or began, to sign; RetireAfter when the last of its tokens has expired, absent until a successor is known.
	ActiveFrom  metav1.Time  `json:"activeFrom"`
	RetireAfter *metav1.Time `json:"retireAfter,omitempty"`
}

// Uses of a SigningKey.
const (
	UseNext     = "Next"
	UseSigning  = "Signing"
	UseRetiring = "Retiring"
)

// Provider is an IdentityProvider.
type Provider struct {
	Object `json:",inline"`
	// Type is spec.type.
	Type        string `json:"type"`
	DisplayName string `json:"displayName,omitempty"`
	// OutputSecret is spec.jwtBearer.outputSecretName.
	OutputSecret string `json:"outputSecret,omitempty"`
}

// Tenant is a TenantJWTPolicy.
type Tenant struct {
	Object   `json:",inline"`
	TenantID string `json:"tenantID"`
	Default  bool   `json:"default,omitempty"`
	// KeysFetched is when the oldest of the key sets that serve was fetched, over all pods; only with Options.Pods.
	KeysFetched *metav1.Time `json:"keysFetched,omitempty"`
}

// Pod is a pod of a server.
type Pod struct {
	Name  string `json:"name"`
	Ready bool   `json:"ready"`
	// Phase is the pod's phase, or why a container does not run, such as CrashLoopBackOff.
	Phase    string       `json:"phase"`
	Restarts int32        `json:"restarts,omitempty"`
	Started  *metav1.Time `json:"started,omitempty"`
	Node     string       `json:"node,omitempty"`
	// Files is how many configuration files it serves, and Behind how many of them are not yet what is mounted; only with Options.Pods.
	Files  int `json:"files,omitempty"`
	Behind int `json:"behind,omitempty"`
	// Problem is why the pod does not serve, or could not be asked.
	Problem string `json:"problem,omitempty"`
}
