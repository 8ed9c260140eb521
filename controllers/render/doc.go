// SPDX-License-Identifier: Apache-2.0

// Package render turns the objects of one auth server, and the Secrets and ConfigMaps that they name, into the files
// that the server serves: bytes, a hash and one verdict per object. It is a pure function: no client, clock, context or
// randomness, so the operator and the offline commands reach the same answers.
//
// It works in two steps, because values of Secrets are read only for objects that may have them:
//
//	plan := render.NewPlan(input)           // verdicts that need no Secret; inline keys are parsed
//	refs := gather(plan.References())       // the caller reads what accepted objects name
//	out, err := plan.Render(refs)           // files and all verdicts
//
// What a user got wrong is a [Verdict] with [Problem]s that name the field and the fix, never an error. One bad object is left
// out and never changes what is rendered of the others. An error of Render is a fault of this program (the server's
// own parser, which runs over every render, refused the bytes): nothing may be written then.
//
// Rules that need several objects:
//
//   - a tenant ID, and being the default policy, belongs to the first claimant: objects of the server's namespace
//     first, then by creationTimestamp, namespace and name. An object that may use a name claims it even while its own spec is
//     Invalid or its Secret is missing: a mistake in one policy must not hand its tenant to another;
//   - at most one enabled Password provider per server, in the same order;
//   - the providers of a server share one file with its settings, and what does not fit is left out in the same order (provider_fit.go);
//   - the policies of a server map at most 64 different header names, in the same order;
//   - an output Secret belongs to the first provider that names it;
//   - a policy's credential is a JWTBearer provider of its namespace. While that one is not served the policy is, with a warning (policy_outgoing.go);
//   - tenant IDs and organizations of objects outside the server's namespace are "<namespace>" or "<namespace>.<more>".
//
// Sizes are bounded per object (config.MaxObject, a policy together with its CA bundle), per file (shards.go) and for the
// server as a whole (total.go); the last claimants are left out. CA bundles are reduced to their certificates, and a
// file holds each once.
//
// An AuthServer that is itself not usable (Accepted or ResolvedRefs False) does not take effect: the settings of
// Input.LastBase, the base.json in force, stay, while objects come and go as ever. Without one, nothing is
// rendered. Where only what it refers to is away, that alone stays as it was: the database, the logo, the CA bundle.
//
// What the server would judge is judged by the server's own code: keys by authserver/jwk, authserver/jwe and authserver/assertion, expressions by
// authserver/claims and authserver/idp/profile, a policy's examples by authserver/claims. A [Memo] spares a reconciler what the plan before has judged already.
//
// Start with [NewPlan]; a policy is rendered in policy.go: its issuers in issuers.go and azure.go, its keys in keys.go and decryption.go, claims in
// mapping.go, examples in examples.go. A Password provider is rendered in password.go, the others in oidc.go and oauth2.go, with what they have in common in
// upstream.go: the client and its secret in client.go, mappings in provider_mapping.go, who may log in in open.go. An AuthServer's settings are in server*.go.
// JWTBearer providers, at which nobody logs in, are planned in jwtbearer.go, their headers and claims in jwtbearer_members.go, and rendered in credential.go into the files
// of the policies, whose room they share; [Plan.Credential] renders one alone.
// A new provider type is one row in the table of provider.go.
package render
