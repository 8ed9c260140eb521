// SPDX-License-Identifier: Apache-2.0

// Package profile turns what a provider says of somebody into the attributes of a user: claim mappings, claim rules, groups.
//
//	mapper, err := profile.Compile(provider.Mappings, provider.Rules)
//	attributes, err := mapper.Read(profile.Person{Claims: idToken, UserInfo: userinfo})
//
// What a provider says comes as up to two JSON objects ([Document]): the claims of its ID token and the answer of its userinfo endpoint. They are read as
// strictly as a token's payload (package token): exact member names, none twice, bounded size, depth and numbers. A mapped claim is looked up in the claims,
// then in userinfo; null and the empty string count as absent. For an OAuth 2.0 provider the caller passes userinfo as both. Expressions see claims and
// userinfo and are held to package expression's cost for one login. Rules also see groups: all that are mapped, or that the groups endpoint gave, before
// the bounds of what a user keeps; where those cannot be read, a rule over them does not hold.
//
// # What is refused
//
// A claim rule that does not hold or cannot be evaluated ([RuleError], with the author's message), no username or one that is not fit to be
// shown, and groups that no access token could hold ([Error]). Rules are judged before anything but groups is mapped. Every other attribute is optional: one of the wrong type,
// too long, with control characters, or whose expression fails, is empty, and gives no rights.
//
// # E-mail addresses
//
// Attributes.EmailVerified is true only if a document says email_verified: true, the boolean, of exactly the address that was mapped, and none says anything else. The string "true" does not
// count, and an address mapped from another claim than email counts only if it is the same. Accounts are linked by it.
package profile
