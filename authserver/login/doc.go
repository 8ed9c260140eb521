// SPDX-License-Identifier: Apache-2.0

// Package login turns credentials into tokens. Every login ends in an [Account]: an e-mail address and a password in that of a
// user of the Secret or of the store ([Service.Authenticate]), a login at a provider in that of a user of the store
// ([AccountOf]). From an Account come tokens ([Service.Issue]), sessions (package session), and codes that a browser hands to an
// application ([Service.NewCode], [Service.ExchangeCode]). A refresh token turns into the next pair ([Service.Refresh]).
//
// A [Snapshot] is what one configuration says about logins: who the users are, for how long tokens live, what signs them.
// It is immutable, and every call takes the one that it is to be decided by, so a change of configuration never reaches
// into a request under way. A [Service] holds what outlives configurations: the store, the password verifier, the lockout.
//
// A refresh is decided by the present configuration and directory, not by what held at login ([Service.Current]): groups and
// names are read again; a user who is gone or disabled, or whose password changed, loses the family; while the provider is
// gone or disabled, refreshes are refused and nothing is revoked. Sessions ask the same. A family that began in a browser's session
// ends with it; refreshing it keeps the session in use, so neither of the two outlives the other unused.
//
// Failures are counted in the store ([StoreLockout]), so replicas share them; unknown names are counted like known ones.
//
// What an attacker can learn: nothing from answers, and from their cost nothing where all users' hashes have the same
// parameters. Where they differ, an unknown user costs what a known one does and goes on doing so when the list changes
// (decoy.go says how, and what remains to be learned), and the lockout treats both alike.
//
// Not done here: HTTP (package authserver), passwords and their costs (package password), rows (package store).
package login
