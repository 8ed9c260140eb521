// SPDX-License-Identifier: Apache-2.0

// Package controllers is the operator: one reconciler that brings one auth server at a time to what its objects say, and a small one beside it that keeps the Secrets
// of JWTBearer providers.
//
// All kinds lead to the AuthServer that they belong to (watches.go), so a pass sees the whole server:
//
//	gather   gather.go     the objects, from caches; resolve.go reads the Secrets that accepted objects name
//	render   package render decides; it is pure
//	apply    apply.go      server-side apply of Secrets and workload, only of what differs (pass.go is the order)
//	observe  propagate.go  annotates pods, so that their files are refreshed at once, and asks what they serve
//	report   report.go     statuses and events, only of what changed
//
// Changes are batched: event handlers mark the server and queue it, and a whole pass (gather to apply) runs once the batch
// is over. In between, the same Reconcile only observes and reports, so waiting for pods costs no render.
//
// Rules that hold everywhere here:
//
//   - Only definite answers count. A read that failed for any other reason than NotFound ends the pass before anything is
//     written; Forbidden is believed after 30 s (resolve.go).
//   - Values of Secrets live no longer than one pass. Between passes there are hashes (ledger.go, state.go).
//   - ConfigApplied is True only when every pod that is ready has said that it serves this version (ledger.go tells how a
//     busy shard does not starve an object).
//   - The operator calls no URL that a tenant wrote; it asks its own pods only (configz.go). The one exception is the token endpoint of a provider with
//     outputSecretName, by the AuthServer's rules for outbound connections.
//   - What exists under a managed name and is not this AuthServer's is never touched (apply.go).
//
// The Secrets of JWTBearer providers (outputSecretName), one provider at a time:
//
//	look     credential.go, credential_find.go      who owns which field of the Secret, and the schedule in its annotations
//	decide   credential_state.go, credential_secret.go  whether a token is due, and what is told
//	obtain   credential_renew.go, credential_plan.go, credential_gate.go rendered alone, when it is the provider's turn
//	write    credential_find.go                     over the very object that was found to be ours, and no other
//
// Beside that: autocreate.go makes and removes the AuthServer "default", adopt.go withdraws what the pods of a deleted one
// confirmed, trouble.go tells of passes that go on failing, keys.go makes signing keys and the operations token,
// shards.go moves pods from a smaller set of tenants files to a larger one, audit.go notices a restored etcd, workload_pod.go
// is what the pods look like. Conditions are built in status.go. Rights are in config/rbac, each with its reason.
package controllers
