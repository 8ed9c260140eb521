// SPDX-License-Identifier: Apache-2.0

// Package fold holds the one form in which names that people type are compared: e-mail addresses and usernames.
//
// Two spellings of one name are one account: Ada@Example.com and ada@example.com, composed and decomposed letters, full-width and plain ones
// (Unicode NFKC and case folding). Letters that only look alike, such as Latin a and Cyrillic а, stay two names. Everything that looks a name up, keeps
// it unique or counts failures for it uses Name, so that no part of the server takes for two what another takes for one; what is shown to
// people is the name as it was given.
package fold
