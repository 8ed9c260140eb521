// SPDX-License-Identifier: Apache-2.0

// Command operator is Gatehouse's controller: it watches AuthServers, IdentityProviders and TenantJWTPolicies, writes
// what they ask for into Secrets, runs the auth servers that serve it, and tells in each object's status what became of it.
//
// It runs from config/default (cluster-wide) or config/namespaced (with --namespaces and a Role in each). What it does is package controllers;
// here are its flags and its start. Flags come first, then the environment: POD_NAME and POD_NAMESPACE name the operator's own Pod,
// whose image holds the auth server too and is what auth servers run unless --image or an AuthServer says otherwise.
//
// Exit codes: 0 after SIGTERM, 1 when something failed (caches that a restored etcd left wrong included: the
// next start reads everything anew), 2 for wrong usage.
package main
