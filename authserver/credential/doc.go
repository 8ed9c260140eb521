// SPDX-License-Identifier: Apache-2.0

// Package credential has the tokens that a server holds for other people's APIs: those of its IdentityProviders of type JWTBearer.
//
//	set := credential.NewSet(old, list, reach, &options) // one for each configuration; it asks nobody
//	found := set.Get("api")                              // nil if there is none
//	token, err := found.TokenWithin(ctx, time.Second)    // from memory, else one request for all who wait
//
// How a token is made, exchanged, kept and renewed is package assertion's. What is here is what belongs to a configuration: which credentials there are, through which
// client each asks its token endpoint, who may have its token ([Set.Callers], judged by package policy), and what becomes of it all when the configuration changes. A
// credential that did not change keeps its token, and a request under way goes on; one that changed, or whose way to its endpoint did, starts without any: the old
// token may be what the change takes away.
//
// A credential that this server cannot use is in the set all the same and breaks no other: its [Status] says why, and it never has a token.
//
// Nothing here logs or counts; [Options] has a hook for that. No error, status or hook holds a token, a key or what an endpoint sent.
package credential
