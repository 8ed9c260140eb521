// SPDX-License-Identifier: Apache-2.0

package logs

// Events: the values of the attribute "event". A new one is a constant here and a row of [Events]; docs/telemetry.md is
// made from those. A line without an event is for whoever happens to read along.
const (
	EventReady    = "ready"
	EventShutdown = "shutdown"
	EventPanic    = "panic"

	EventConfigApplied  = "config.applied"
	EventConfigRejected = "config.rejected"

	EventVerifyRefused   = "verify.refused"
	EventVerifyExplained = "verify.explained"

	EventCredentialIssued  = "credential.issued"
	EventCredentialRefused = "credential.refused"
	EventCredentialFailed  = "credential.failed"
	EventCredentialReady   = "credential.ready"

	EventLoginSucceeded = "login.succeeded"
	EventLoginFailed    = "login.failed"
	EventLoginLocked    = "login.locked"
	EventFamilyRevoked  = "login.revoked"
	EventLoginRefused   = "login.refused"

	EventTokenExchanged = "token.exchanged"
	EventTokenRefused   = "token.refused"

	EventLogout         = "logout"
	EventSessionRevoked = "session.revoked"
	EventRenewalFailed  = "session.renewal_failed"

	EventUserLeftOut = "login.user_left_out"
	EventStoreFailed = "store.failed"

	EventUserCreated  = "user.created"
	EventUserLinked   = "user.linked"
	EventUserRenamed  = "user.renamed"
	EventUserChanged  = "user.changed"
	EventUserDisabled = "user.disabled"
	EventUserEnabled  = "user.enabled"
	EventUserPassword = "user.password"
	EventUserDeleted  = "user.deleted"
	EventUserUnlocked = "user.unlocked"

	EventTracesOn       = "traces.on"
	EventTracesSettings = "traces.settings"
	EventTracesFailed   = "traces.failed"

	EventServeInMemory       = "serve.in_memory"
	EventServeKeys           = "serve.keys"
	EventManifestsApplied    = "manifests.applied"
	EventManifestsEmpty      = "manifests.empty"
	EventManifestsFault      = "manifests.fault"
	EventManifestsFinding    = "manifests.finding"
	EventManifestsMissing    = "manifests.missing"
	EventManifestsResolved   = "manifests.resolved"
	EventManifestsUnreadable = "manifests.unreadable"
	EventManifestsWatch      = "manifests.watch"
)

// Event describes one kind of log line.
type Event struct {
	Name    string
	Levels  string   // as printed
	Fields  []string // beside time, level, msg and event; some may be empty or absent
	Meaning string
}

// Events are all events, in the order of the documentation.
func Events() []Event {
	return []Event{
		{EventReady, "INFO", []string{"listen", "ops_listen", "ext_authz_listen"}, "Requests are served, at these addresses."},
		{EventShutdown, "INFO, WARN", []string{"delay", "drain", "error"}, "The server ends: when it begins to, when it is done, and (WARN) if requests had to be broken off."},
		{EventPanic, "ERROR", []string{"panic", "stack"}, "A request met a fault of the server and was refused. Please report it."},
		{EventConfigApplied, "INFO", []string{"policies"}, "Another configuration is in force, with so many policies."},
		{EventConfigRejected, "ERROR", []string{"error"}, "A file of the configuration cannot be used; the last good one stays in force."},
		{EventVerifyRefused, "INFO, WARN", []string{"status", "reason", "detail", "tenant", "policy", "algorithm", "protocol", "client"}, "A request was not let in (WARN with status 503). At most 20 a second on average; gatehouse_refusals_not_logged_total counts the others."},
		{EventVerifyExplained, "INFO", []string{"status", "reason", "tenant", "policy", "client"}, "Somebody with the operations token asked POST /explain for a decision."},
		{EventCredentialIssued, "INFO", []string{"provider", "tenant", "policy", "user", "client"}, "A caller, whose user is the first 16 hexadecimal digits of the SHA-256 of X-Auth-Request-Preferred-Username, was given a provider's token by GET /credentials. One who comes again with the same token of their own is told once or twice, and counted each time (gatehouse_credential_requests_total)."},
		{EventCredentialRefused, "INFO", []string{"provider", "tenant", "policy", "user", "client"}, "A caller was let in and asked for a token that is not for them, or (without provider) of a provider that is not there. At most 20 a second on average, together with verify.refused."},
		{EventCredentialFailed, "WARN", []string{"provider", "reason", "status", "detail", "valid_until"}, "A provider gives no token, or none for another reason than before. The token at hand serves until valid_until; without it requests that need one are refused."},
		{EventCredentialReady, "INFO", []string{"provider", "valid_until"}, "A provider that gave no token gives them again."},
		{EventLoginSucceeded, "INFO", []string{"user", "provider", "client"}, "Somebody logged in: the user's subject, and the network that the login came from (an IPv4 address, or the /64 of an IPv6 one)."},
		{EventLoginFailed, "INFO", []string{"user", "unknown", "reason", "provider", "client"}, "A password was refused. Names of no user are not told: the same value of unknown is the same name, as long as the operations token stays."},
		{EventLoginLocked, "WARN", []string{"user", "unknown", "scope", "provider", "client"}, "There were too many failures: further attempts have to wait, for this name and network, for this name, or for this network. gatehouse_logins_total counts them."},
		{EventFamilyRevoked, "INFO, WARN", []string{"user", "reason"}, "The refresh tokens of one login are revoked (WARN if somebody used a token or a code twice)."},
		{EventLoginRefused, "INFO, WARN", []string{"provider", "reason", "detail", "client"}, "A login at a provider came to nothing (WARN where the provider or its set-up is at fault)."},
		{EventTokenExchanged, "INFO", []string{"tenant", "policy", "user", "jti", "algorithm", "client"}, "An assertion was exchanged for an access token, whose jti this is; user is the first 16 hexadecimal digits of the SHA-256 of its sub."},
		{EventTokenRefused, "INFO, WARN", []string{"status", "reason", "detail", "tenant", "policy", "algorithm", "client"}, "An assertion was refused (WARN with status 503). At most 20 a second on average; gatehouse_refusals_not_logged_total counts the others."},
		{EventLogout, "INFO", []string{"user", "provider", "client", "ended"}, "Somebody logged out of a browser, or (with ended) a provider did by back-channel logout: so many sessions ended."},
		{EventSessionRevoked, "INFO", []string{"user", "provider", "reason", "client", "ended"}, "Sessions ended before their time: by their owner at /account (with client), or for the reason."},
		{EventRenewalFailed, "WARN", []string{"user", "provider", "error"}, "A provider could not be asked whether a user may go on. The session goes on until it can be."},
		{EventUserLeftOut, "WARN", []string{"problem"}, "A user of a users Secret cannot log in."},
		{EventStoreFailed, "ERROR", []string{"error"}, "The store cannot be opened; logins are refused until it can."},
		{EventUserCreated, "INFO", []string{"user", "organization", "provider", "client"}, "A user was made, at a provider's first login or (without provider) by an administrator."},
		{EventUserLinked, "INFO", []string{"user", "organization", "provider", "client"}, "Somebody known logged in through a further provider, found by the verified e-mail address."},
		{EventUserRenamed, "INFO", []string{"user", "organization", "provider", "from", "to", "client"}, "A user has another username than the provider gave, which somebody has, or another than before."},
		{EventUserChanged, "INFO", []string{"user", "organization", "provider", "fields", "client"}, "Attributes of a user changed, at a login or (without provider) by an administrator."},
		{EventUserDisabled, "INFO", []string{"user", "organization", "ended", "client"}, "An administrator disabled a user; so many sessions and refresh-token families ended."},
		{EventUserEnabled, "INFO", []string{"user", "organization", "client"}, "An administrator enabled a user."},
		{EventUserPassword, "INFO", []string{"user", "organization", "ended", "client"}, "An administrator set a user's password; so many sessions and refresh-token families ended."},
		{EventUserDeleted, "INFO", []string{"user", "organization", "client"}, "An administrator removed a user, with sessions and refresh-token families."},
		{EventUserUnlocked, "INFO", []string{"user", "organization", "counters", "client"}, "An administrator ended the lockout of a user; so many counters were forgotten."},
		{EventTracesOn, "INFO", []string{"exporter", "sampler"}, "Traces are exported."},
		{EventTracesSettings, "WARN", []string{"variable", "error"}, "An OTEL_* variable cannot be used; its default counts instead, or no traces are exported."},
		{EventTracesFailed, "WARN", []string{"error"}, "Spans could not be exported; told at most once a minute."},
		{EventServeInMemory, "WARN", nil, "gatehouse serve has no --data-dir: signing keys and refresh tokens end with the process."},
		{EventServeKeys, "ERROR", []string{"error"}, "gatehouse serve cannot renew its signing keys; those in force stay."},
		{EventManifestsApplied, "INFO", []string{"served", "left_out"}, "gatehouse serve serves a changed set of manifests."},
		{EventManifestsEmpty, "ERROR", nil, "No manifest is left to serve: every request is refused."},
		{EventManifestsFault, "ERROR", []string{"error"}, "The manifests cannot be rendered; what is served stays."},
		{EventManifestsFinding, "WARN, ERROR", []string{"file", "line", "object", "namespace", "error"}, "A document is left out, or (WARN) served with a warning."},
		{EventManifestsMissing, "ERROR", []string{"error"}, "A path of the manifests is gone, and what it held is served no more."},
		{EventManifestsResolved, "INFO", []string{"was"}, "A finding does not hold any more."},
		{EventManifestsUnreadable, "ERROR", []string{"error"}, "The manifests cannot be read; what is served stays."},
		{EventManifestsWatch, "WARN", []string{"error", "poll"}, "Changes of the manifests are found by polling alone."},
	}
}
