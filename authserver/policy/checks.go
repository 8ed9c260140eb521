// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// check is one row of a report. A reason belongs to exactly one.
type check struct {
	name   string
	title  string                  // what holds, where found has nothing more exact to tell
	asked  func(*judgement) bool   // whether policy and request ask for it; nil: they all do
	found  func(*judgement) string // what was compared; nil or "": title says it all
	inside bool                    // of an encrypted token it is about what is inside, and so comes after the key to open it
	causes []cause
}

// cause is a reason for which a check fails, and what to do about it.
type cause struct {
	reason token.Reason
	fix    string
}

// The rows that code asks for by their names.
const (
	checkKey        = "key"
	checkCredential = "upstream_credential"
)

// checks are all that a request meets, in the order in which the code decides (DESIGN §7). It is never changed.
//
// Of an encrypted token, the rows from encoding to extensions and the row of the key are also about the encryption; the
// detail says which of the two failed. The key that opens it is chosen before what is inside is looked at.
var checks = [...]check{
	{name: "configuration", title: "the server has a configuration", causes: []cause{
		{ReasonNotConfigured, "wait until the server has read its configuration; /configz on the operations port names a file that it cannot use"},
	}},
	{name: "headers", title: "no header that decides is there twice or empty", causes: []cause{
		{ReasonDuplicateHeader, "send each x-jwt-* header and Authorization once: a proxy may add its own to the client's"},
		{ReasonEmptyHeader, "give the header a value or do not send it: an empty one counts as sent"},
	}},
	{name: "token", title: "the request carries one token", causes: []cause{
		{ReasonNoToken, "send the token as x-jwt-token, or as Authorization: Bearer; check that the gateway forwards that header"},
		{ReasonTokensDiffer, "send one token: drop either x-jwt-token or Authorization: Bearer"},
	}},
	{name: "tenant", title: "a policy applies", found: foundTenant, causes: []cause{
		{ReasonInvalidTenant, "name the tenant by its spec.tenantID: letters, digits and - . _"},
		{ReasonTenantsDiffer, "let the route and x-jwt-tenant-id name the same tenant, or send only one"},
		{ReasonNoTenant, "name a tenant by the route /verify/{tenant} or by x-jwt-tenant-id, or give one policy spec.default: true"},
		{ReasonUnknownTenant, "create a TenantJWTPolicy with this spec.tenantID, or look at its conditions: one that is not Accepted is not served"},
	}},
	{name: "length", title: "it is short enough", found: foundLength, causes: []cause{
		{token.ReasonTooLong, "have the issuer put less into the token, for instance group IDs by reference"},
	}},
	{name: "characters", title: "only A-Z, a-z, 0-9, '-', '_' and '.'", causes: []cause{
		{token.ReasonCharacters, "send the token's compact serialization as it was issued, without quotes, line breaks or the word Bearer"},
	}},
	{name: "segments", title: "three or five", found: foundSegments, causes: []cause{
		{token.ReasonSegments, "send a JWT: an opaque access token has no segments, and one that was cut short has too few"},
	}},
	{name: "encryption", title: "as the policy wants it", asked: asksEncryption, found: foundEncryption, causes: []cause{
		{token.ReasonEncrypted, "set spec.decryption, or have the issuer send signed tokens that are not encrypted"},
		{token.ReasonJWERequired, "have the issuer encrypt its tokens, or set spec.decryption.required to false"},
	}},
	{name: "encoding", title: "each segment is base64url without padding", causes: []cause{
		{token.ReasonBase64, "send the token as it was issued: something on its way has changed it, or its issuer pads base64"},
	}},
	{name: "json", title: "each part is one JSON object within the bounds", causes: []cause{
		{token.ReasonJSON, "have the issuer put JSON objects in UTF-8 into header and payload"},
		{token.ReasonDuplicateMember, "have the issuer name each member once (RFC 7519 section 4)"},
		{token.ReasonJSONLimits, "have the issuer put less into the token: 16 levels, 256 members an object, 32 characters a number"},
	}},
	{name: "header", title: "alg, typ and kid are strings", causes: []cause{
		{token.ReasonHeader, "have the issuer write the header by RFC 7515 section 4.1"},
	}},
	{name: "algorithm", title: "alg is allowed", found: foundAlgorithm, causes: []cause{
		{token.ReasonAlgorithm, "add the token's alg to spec.algorithms (that of an encryption to spec.decryption.keyAlgorithms) if its issuer is meant to use it, or have the issuer use one of those"},
	}},
	{name: "content_algorithm", title: "enc is allowed", asked: isEncrypted, found: foundContentAlgorithm, causes: []cause{
		{token.ReasonContentAlgorithm, "add the token's enc to spec.decryption.contentAlgorithms, or have the issuer use one of those"},
	}},
	{name: "extensions", title: "neither crit, b64 nor zip is there", causes: []cause{
		{token.ReasonCritical, "have the issuer leave crit out: no extension is accepted"},
		{token.ReasonB64, "have the issuer leave b64 out: the payload must be base64url"},
		{token.ReasonZip, "have the issuer leave zip out: compressed tokens are never accepted"},
	}},
	{name: "content_type", title: "cty is absent or JWT", asked: isEncrypted, causes: []cause{
		{token.ReasonContentType, "have the issuer set cty to JWT for a token inside the encryption, and leave it out for claims (RFC 7519 section 5.2)"},
	}},
	{name: "decryption", title: "it decrypts", inside: true, asked: isEncrypted, causes: []cause{
		{token.ReasonDecryption, "have the issuer encrypt to a key of spec.decryption.keys, and look whether the Secret holds its private half"},
	}},
	{name: "nested", title: "what is inside is accepted", inside: true, found: foundNested, asked: isEncrypted, causes: []cause{
		{token.ReasonNestedRequired, "have the issuer put a signed token into the encryption; claims alone need spec.decryption.nestedSignature: Optional and a symmetric key"},
		{token.ReasonNestedEncryption, "have the issuer encrypt once"},
	}},
	{name: "type", title: "typ is allowed", inside: true, found: foundType, causes: []cause{
		{token.ReasonType, "add the token's typ to spec.tokenTypes (the word absent for none) if it is meant for APIs; an ID token or a refresh token is not"},
	}},
	{name: "issuer", title: "iss is one of the policy's", inside: true, found: foundIssuer, causes: []cause{
		{claims.ReasonIssuer, "add an entry with exactly the token's iss to spec.issuers, a slash at the end included, or ask the tenant whose it is"},
	}},
	{name: checkKey, title: "one key fits", asked: isSigned, found: foundKey, causes: []cause{
		{ReasonKeysUnavailable, "once that is put right the server fetches them by itself; a cluster tells of it in the policy's condition UpstreamReady"},
		{token.ReasonUnknownKey, "let the issuer's key set, or spec.issuers[].keys, hold the key with the token's kid; for an encrypted token spec.decryption.keys"},
		{token.ReasonAmbiguousKey, "give each key a kid of its own, and have the issuer name it in the token"},
		{token.ReasonKeyMismatch, "let the key with the token's kid be one for its alg: look at kty, crv, alg, use and size"},
		{ReasonKeyIssuer, "take the token's issuer into spec.issuers with its own directory's keys: this key is published for another one"},
		{ReasonInternal, "this is a fault of Gatehouse: please report it with the server's version"},
	}},
	{name: "signature", title: "it verifies", asked: isSigned, causes: []cause{
		{token.ReasonSignature, "the token was changed, or signed with another key under this kid: compare the issuer's key set with spec.issuers[].keys"},
	}},
	{name: "claims", title: "the registered claims have their types, and exp is there", causes: []cause{
		{token.ReasonClaimType, "have the issuer write iss, sub, jti and nonce as strings, aud as a string or a list of them, and times as numbers (RFC 7519 section 4.1)"},
		{token.ReasonTimeRange, "have the issuer write times in seconds since 1970, not in milliseconds"},
		{token.ReasonExpMissing, "have the issuer set exp: a token without an end is not accepted"},
	}},
	{name: "organization", title: "it is the tenant that the request names, if it names one", asked: isOwn, found: foundOrganization, causes: []cause{
		{ReasonOrganization, "log in anew: the token names no organization"},
		{ReasonOrganizationDiffers, "ask for the token's organization by route and x-jwt-tenant-id, or log in at the tenant that the request names"},
	}},
	{name: "own_tokens", title: "the policy, if there is one, has acceptIssuedTokens, and took the assertion, if there was one", asked: isOwn, causes: []cause{
		{ReasonOwnNotAccepted, "set spec.acceptIssuedTokens to true if users who log in at this server may pass as this tenant's"},
		{ReasonGrantGone, "exchange a new assertion: such a token counts only while the TenantJWTPolicy that took its assertion, the same object of the same namespace, applies"},
	}},
	{name: "times", title: "it is valid now", found: foundTimes, causes: []cause{
		{token.ReasonExpired, "get a new token; if it is new, compare the clocks, or raise spec.leeway (at most 10m)"},
		{token.ReasonNotYetValid, "compare the clocks of issuer and server, or raise spec.leeway (at most 10m)"},
		{token.ReasonIssuedInFuture, "compare the clocks of issuer and server, or raise spec.leeway (at most 10m)"},
	}},
	{name: "directory", title: "tid is the issuer's directory", asked: hasDirectory, found: foundDirectory, causes: []cause{
		{claims.ReasonDirectory, "add the token's directory to spec.azure.tenantIDs if its users belong to this tenant"},
	}},
	{name: "audience", title: "aud holds one that is asked for", asked: asksAudience, found: foundAudience, causes: []cause{
		{claims.ReasonAudience, "add the token's aud to spec.audiences if it is meant for this application (for own tokens also to the AuthServer's spec.tokens.audience), or ask the issuer for one that is"},
	}},
	{name: "age", title: "iat is not too long ago", asked: asksAge, found: foundAge, causes: []cause{
		{claims.ReasonTooOld, "get a new token, have the issuer set iat, or raise spec.maxTokenAge"},
	}},
	{name: "nonce", title: "nonce is spec.requiredNonce", asked: asksNonce, causes: []cause{
		{claims.ReasonNonce, "ask the issuer for a token with the nonce in spec.requiredNonce, or change that"},
	}},
	{name: "narrowing", title: "the token is what the x-jwt-* headers ask for", asked: narrows, found: foundNarrowing, causes: []cause{
		{ReasonNarrowIssuer, "send the token's iss as x-jwt-issuer, or do not send that header"},
		{ReasonNarrowClientID, "send one of spec.audiences that the token's aud holds as x-jwt-client-id, or do not send that header"},
		{ReasonNarrowNonce, "send the token's nonce as x-jwt-nonce, which must be spec.requiredNonce if that is set, or do not send that header"},
	}},
	{name: "claim_rules", title: "they hold", asked: hasRules, found: foundRules, causes: []cause{
		{claims.ReasonClaimRule, "give the user what the rule of spec.claimValidationRules asks for, or change the rule"},
	}},
	{name: "identity", title: "there is a username", found: foundIdentity, causes: []cause{
		{claims.ReasonUsername, "map spec.claimMappings.username to a claim that every token of the issuer has, a non-empty string"},
		{claims.ReasonTooLarge, "map fewer or smaller claims in spec.claimMappings, for instance groups by an expression that selects some"},
	}},
	{name: checkCredential, title: "there is a token for the application", asked: asksCredential, found: foundCredential, causes: []cause{
		{ReasonNoCredential, "look at the condition UpstreamReady of the IdentityProvider that spec.upstreamCredential names: the server asks its endpoint again by itself"},
	}},
}
