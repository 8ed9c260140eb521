// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
)

// checkTenant is the row of a token around which some of an assertion's stand.
const checkTenant = "tenant"

// beforeTenant, afterTenant and afterToken are the rows that an assertion meets beside those of a token.
var (
	beforeTenant = []check{
		{name: "credentials", title: "nothing else in the request says who asks", causes: []cause{
			{ReasonTokenBeside, "send either x-jwt-token, to an application, or an assertion, to the token endpoint"},
			{ReasonClientAuthentication, "send neither Authorization nor client_secret nor client_assertion: the assertion is the only credential, and clients are not authenticated"},
		}},
		{name: "parameters", title: "scope and client_id are well-formed", causes: []cause{
			{ReasonScopeParameter, "write scopes with one space between them"},
			{ReasonClientParameter, "send a client_id of visible ASCII characters, or leave it out"},
		}},
	}
	afterTenant = []check{
		{name: "exchange", title: "its policy has tokenExchange", found: foundExchange, causes: []cause{
			{ReasonExchangeOff, "set spec.tokenExchange.enabled to true if this tenant's JWTs may be exchanged for access tokens of this server"},
			{ReasonIssuerOfNobody, "name the tenant by x-jwt-tenant-id; without it a policy with tokenExchange must have exactly the assertion's iss in spec.issuers"},
			{ReasonIssuerOfSeveral, "name the tenant by x-jwt-tenant-id"},
			{ReasonOwnAssertion, "send a JWT of the tenant's issuer: the server's own access tokens are good for /verify only"},
		}},
	}
	afterToken = []check{
		{name: "assertion_issuer", title: "iss is there", causes: []cause{
			{ReasonIssuerMissing, "have the issuer set iss (RFC 7523 section 3)"},
		}},
		{name: "assertion_audience", title: "aud is this server alone", found: foundRecipient, causes: []cause{
			{ReasonRecipient, "have the issuer set aud to one string and no list, the AuthServer's externalURL or its token endpoint: what is for others too, others can send here"},
		}},
		{name: "lifetime", title: "it lives at most 1h", found: foundTimes, causes: []cause{
			{ReasonLifetime, "have the issuer set exp to at most an hour after now and after iat; a few minutes are enough"},
		}},
		{name: "subject", title: "sub is there", causes: []cause{
			{ReasonSubject, "have the issuer set sub to a string of 1 to 255 bytes (RFC 7523 section 3)"},
		}},
		{name: "jti", title: "jti is there", causes: []cause{
			{ReasonID, "have the issuer set jti to a string of 1 to 255 bytes, another one for each assertion of the tenant"},
		}},
		{name: "client_id", title: "the request names no other client than the assertion", causes: []cause{
			{ReasonClientID, "send the assertion's claim client_id as the parameter of that name, or leave the parameter out"},
		}},
		{name: "scope", title: "some of what is asked for may be had", found: foundScope, causes: []cause{
			{ReasonScope, "have the issuer write the claim scope as one string, with one space between scopes"},
			{ReasonScopeNotGranted, "ask for scopes of spec.tokenExchange.scopes that the assertion's claim scope, if there is one, has too; or leave the parameter out"},
		}},
		{name: "unused", title: "its jti was not used before", asked: func(j *judgement) bool { return j.looked }, causes: []cause{
			{ReasonReplayed, "make a new assertion, with a jti of its own, for each request"},
			{ReasonManyUses, "let assertions live for minutes and use an access token until it expires, so that fewer have to be remembered"},
			{ReasonUsesUnavailable, "look at the store: the log tells of it (store.failed)"},
		}},
	}
)

// notOfAssertions are rows that no assertion meets: an own token is none, audiences do not count, and no application is asked.
var notOfAssertions = []string{"organization", "own_tokens", "audience", checkCredential}

// assertionChecks are all that an assertion meets, in the order in which the code decides. It is never changed.
var assertionChecks = func() []check {
	rows := make([]check, 0, len(checks)+len(beforeTenant)+len(afterTenant)+len(afterToken))
	for _, row := range checks {
		switch {
		case slices.Contains(notOfAssertions, row.name):
			continue
		case row.name == checkTenant:
			rows = append(rows, beforeTenant...)
			row.found = foundTenantOfAssertion
			rows = append(append(rows, row), afterTenant...)
			continue
		}
		rows = append(rows, row)
	}
	return append(rows, afterToken...)
}()

func foundTenantOfAssertion(j *judgement) string {
	if j.named != "" {
		return "x-jwt-tenant-id is " + quote(j.named)
	}
	return "no tenant is named: the assertion's iss finds it"
}

func foundExchange(j *judgement) string {
	if j.policy == nil {
		return ""
	}
	return j.policy.object
}

func foundRecipient(j *judgement) string {
	value, _ := j.claims.Lookup("aud")
	form := "a list"
	if _, ok := value.Text(); ok {
		form = "one string"
	}
	return "aud is " + form + " " + quoteAll(j.claims.Audience) + ", want one of " + quoteAll(j.set.recipients())
}

func foundScope(j *judgement) string {
	if j.policy == nil {
		return ""
	}
	return fmt.Sprintf("spec.tokenExchange.scopes: %d", len(j.policy.exchange.scopes))
}

// claims are what a report shows.
func (i *Issued) claims(tenant string) map[string]any {
	shown := map[string]any{"sub": i.Subject, "organization": tenant, "preferred_username": i.Username}
	for name, value := range map[string]string{"email": i.Email, "client_id": i.ClientID, "scope": i.Scope} {
		if value != "" {
			shown[name] = value
		}
	}
	if len(i.Groups) > 0 {
		shown["groups"] = i.Groups
	}
	if len(i.Parts) > 0 {
		shown[claims.ClaimUsernameParts] = strings.Join(i.Parts, " ")
	}
	if i.GroupsUnknown {
		shown[claims.ClaimHasGroups] = true
	}
	return shown
}
