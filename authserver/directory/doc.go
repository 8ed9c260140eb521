// SPDX-License-Identifier: Apache-2.0

// Package directory says who has an account: people whom a provider vouches for get one at their first login
// ([Directory.Provision]), administrators make, change and remove others ([Directory.Add], [Directory.Edit], …). Users
// of a Secret are shown beside them and changed where they are kept.
//
// A [Snapshot] is what one configuration says about accounts. It is immutable, and every call takes the one that it is to be
// decided by. A [Directory] holds what outlives configurations; its rows are in a store (package store), whose transactions
// are alone with the users of one organization, so that of twenty first logins of one person one makes the account.
//
// The rules, by file:
//
//   - provision.go: an identity (issuer, subject) is one user of its provider's organization. A disabled one is refused;
//   - link.go: an unknown identity becomes that of a known user only if both sides can be trusted with that e-mail address;
//   - sync.go: what a later login changes. Groups are the provider's at the first login and administrators' from then on;
//   - username.go: a username that is taken gets a suffix: bob, bob.sso, bob.sso.2;
//   - users.go: what administrators do; find.go: how they name a user;
//   - check.go: bounds of every text, for people and providers alike.
//
// What is not done here: passwords are compared by package login, claims read by package idp, and an ended session is noticed
// by package session when it next looks.
//
// Whatever changes an account is told in the log (package logs, events user.*), by the user's ID, with nothing that a person
// could be known by but the usernames that a conflict is about.
package directory
