// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types. Each carries the observedGeneration it speaks of.
const (
	// ConditionAccepted is True when the spec is valid and may attach to its AuthServer.
	ConditionAccepted = "Accepted"

	// ConditionResolvedRefs is True when every Secret and ConfigMap that the spec names was found,
	// is permitted and holds something usable.
	ConditionResolvedRefs = "ResolvedRefs"

	// ConditionConfigApplied is True when at least one pod is ready and every pod ready at that moment
	// has confirmed that it serves this generation and these Secrets. Later pod changes do not rewrite it.
	ConditionConfigApplied = "ConfigApplied"

	// ConditionUpstreamReady tells whether the keys and endpoints that the object names answer, as the
	// servers' background fetches report them. It never blocks Ready.
	ConditionUpstreamReady = "UpstreamReady"

	// ConditionExamplesPassed tells whether spec.examples of a policy come out as expected. It is absent without examples, and never part of Ready: an
	// example that fails is told, not enforced.
	ConditionExamplesPassed = "ExamplesPassed"

	// ConditionStorePersistent is False on an AuthServer whose embedded store starts empty with each pod, so that logins end
	// with it, and True where the store is on a volume or in PostgreSQL. It is absent with store.type None, which keeps nothing, and never part of Ready.
	ConditionStorePersistent = "StorePersistent"

	// ConditionCredentialReady tells, of a JWTBearer provider with outputSecretName, whether the Secret holds a token that is valid, and until when. It never blocks Ready.
	ConditionCredentialReady = "CredentialReady"

	// ConditionReady is Accepted and ResolvedRefs and ConfigApplied.
	ConditionReady = "Ready"

	// ConditionStalled is present, and True, only while Accepted or ResolvedRefs is False: nothing
	// will change until somebody changes an object (kstatus reads it as Failed).
	ConditionStalled = "Stalled"
)

// Reasons of Accepted.
const (
	// ReasonAccepted is the positive reason.
	ReasonAccepted = "Accepted"
	// ReasonDisabled marks an object with enabled: false; it is Accepted and Ready, and not served.
	ReasonDisabled = "Disabled"
	// ReasonInvalid means that the spec breaks a rule that the schema could not check.
	ReasonInvalid = "Invalid"
	// ReasonNameNotOwned means that an object of another namespace uses a tenant ID or organization
	// outside "<namespace>" and "<namespace>.<more>", or sets what only the server's namespace may set.
	ReasonNameNotOwned = "NameNotOwned"
	// ReasonTenantConflict means that an earlier policy has the same tenantID, or is already the default.
	ReasonTenantConflict = "TenantConflict"
	// ReasonIssuerReserved means that an issuer equals the auth server's own.
	ReasonIssuerReserved = "IssuerReserved"
	// ReasonNoMatchingAuthServer means that the AuthServer does not exist or does not allow this
	// namespace; which of the two is not told.
	ReasonNoMatchingAuthServer = "NoMatchingAuthServer"
	// ReasonStoreRequired means that the AuthServer runs with store.type None, where nobody can log in.
	ReasonStoreRequired = "StoreRequired"
	// ReasonOpenToEveryone means that anybody can have an account at the provider, and neither claimValidationRules nor allowAnyone
	// say who may log in.
	ReasonOpenToEveryone = "OpenToEveryone"
	// ReasonHTTPSRequired means that browsers log in over https only, and the AuthServer's externalURL is http on a host that is no
	// loopback.
	ReasonHTTPSRequired = "HTTPSRequired"
	// ReasonPasswordProviderConflict means that the AuthServer already has a Password provider.
	ReasonPasswordProviderConflict = "PasswordProviderConflict"
	// ReasonTooLarge means that the object renders to more than 128 KiB; of UpstreamReady, that a key set has more than 512 KiB,
	// or an issuer's metadata more than 64 KiB.
	ReasonTooLarge = "TooLarge"
)

// Reasons of ResolvedRefs.
const (
	// ReasonResolvedRefs is the positive reason.
	ReasonResolvedRefs = "ResolvedRefs"
	// ReasonRefNotFound means that a Secret, ConfigMap or key is absent.
	ReasonRefNotFound = "RefNotFound"
	// ReasonRefNotPermitted means that the Secret is of a refused type, is Gatehouse's own, or lacks
	// the label that this installation demands.
	ReasonRefNotPermitted = "RefNotPermitted"
	// ReasonRefInvalid means that the value holds no usable key, certificate or list of users.
	ReasonRefInvalid = "RefInvalid"
)

// Reasons of ExamplesPassed.
const (
	// ReasonExamplesPassed is the positive reason.
	ReasonExamplesPassed = "ExamplesPassed"
	// ReasonExampleFailed means that at least one example comes out differently; the message names the first and what it came to.
	ReasonExampleFailed = "ExampleFailed"
)

// Reasons of StorePersistent.
const (
	// ReasonPersistent is the positive reason: the store is in PostgreSQL, or on a volume.
	ReasonPersistent = "Persistent"
	// ReasonEmptyWithEachPod means that the store is on no volume that outlives the pod.
	ReasonEmptyWithEachPod = "EmptyWithEachPod"
)

// Reasons of CredentialReady, beside those of UpstreamReady from AddressNotAllowed to BadContent and the negative ones of Accepted and ResolvedRefs: why there is no new
// token. The status stays True while the token of before is valid.
const (
	// ReasonIssued is the positive reason: the Secret holds a token, and the message says until when.
	ReasonIssued = "Issued"
	// ReasonRequestRefused means that the token endpoint refused the request; the message names its error code (RFC 6749 section 5.2).
	ReasonRequestRefused = "RequestRefused"
	// ReasonSecretNotControlled means that a Secret of that name exists which this object does not control.
	ReasonSecretNotControlled = "SecretNotControlled"
	// ReasonSecretNotWritten means that the API server refused to write the Secret, as for a quota or an admission webhook.
	ReasonSecretNotWritten = "SecretNotWritten"
)

// Reasons of ConfigApplied, Ready and Stalled. When Ready or Stalled follows from another condition, it carries
// that condition's reason.
const (
	// ReasonApplied is ConfigApplied's positive reason.
	ReasonApplied = "Applied"
	// ReasonPropagating means that at least one ready pod has not yet confirmed this configuration.
	ReasonPropagating = "Propagating"
	// ReasonNoReadyReplicas means that no pod of the auth server is ready.
	ReasonNoReadyReplicas = "NoReadyReplicas"
	// ReasonReady is the positive reason of Ready and of UpstreamReady.
	ReasonReady = "Ready"
)

// Reasons of UpstreamReady, besides Ready and TooLarge: how the last fetch of the keys went, in the servers' words. The
// message names the source and the fix.
const (
	// ReasonNotYetFetched means that no request has needed the keys yet; the status is Unknown.
	ReasonNotYetFetched = "NotYetFetched"
	// ReasonNoUsableKey means that keys were fetched, of which none can verify a token, or none fits the policy's algorithms.
	ReasonNoUsableKey = "NoUsableKey"
	// ReasonInvalidSource means that the URL or the CA bundle cannot be used.
	ReasonInvalidSource = "InvalidSource"
	// ReasonAddressNotAllowed means that the upstream resolves to an address that the AuthServer's
	// outbound.allowedCIDRs does not list.
	ReasonAddressNotAllowed = "AddressNotAllowed"
	// ReasonUnreachable means that the upstream's name does not resolve, or that it cannot be connected to or does not answer.
	ReasonUnreachable = "Unreachable"
	// ReasonTLSFailed means that the upstream's certificate or TLS handshake was refused.
	ReasonTLSFailed = "TLSFailed"
	// ReasonBadStatus means that the upstream's answer was not 200.
	ReasonBadStatus = "BadStatus"
	// ReasonBadRedirect means that the upstream redirects too often, or to where no request may go.
	ReasonBadRedirect = "BadRedirect"
	// ReasonBadContent means that the upstream's answer is no JWK Set, or no metadata.
	ReasonBadContent = "BadContent"
	// ReasonIssuerMismatch means that the metadata name another issuer than the object.
	ReasonIssuerMismatch = "IssuerMismatch"
	// ReasonNoJWKSURI means that the metadata name no URL of keys that can be used.
	ReasonNoJWKSURI = "NoJWKSURI"
	// ReasonInternalError means that a server failed to read the answer: a fault of Gatehouse.
	ReasonInternalError = "InternalError"
)
