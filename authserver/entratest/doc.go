// SPDX-License-Identifier: Apache-2.0

// Package entratest is a fake of Microsoft Entra ID (Azure AD) for tests: the metadata and key sets of its directories, and the
// access tokens they issue. No program imports it.
//
// It behaves as the real one does where that matters to whoever verifies:
//
//   - a directory has two issuers: v2.0 is <authority>/<tid>/v2.0, v1.0 is https://sts.windows.net/<tid>/, a host at which no
//     metadata are. The metadata of both are at the authority (metadata.go);
//   - the metadata of v1.0 name the key set that is common to all directories, those of v2.0 one below the directory, with
//     the same keys in it;
//   - common and organizations have metadata whose issuer holds {tenantid} instead of an ID;
//   - keys are RSA with use, x5t and x5c and without alg; those of v2.0 have a member issuer, mostly with {tenantid}, and among
//     them is one of the directory for personal accounts (keys.go);
//   - all directories sign with the same keys: a valid signature proves nothing about the directory (token.go).
//
// Start at [New] and [Cloud.Directory]; a [Cloud] is an http.Handler. What is not there: anything to log in with.
package entratest
