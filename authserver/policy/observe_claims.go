// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strings"
	"time"
)

func isOwn(j *judgement) bool { return j.own }

func foundOrganization(j *judgement) string {
	if j.named == "" {
		return ""
	}
	return "the request names " + quote(j.named)
}

func foundTimes(j *judgement) string {
	text := "now " + stamp(j.now) + ", leeway " + j.leeway.String()
	if j.claims == nil {
		return text
	}
	for _, row := range []struct {
		name string
		at   time.Time
	}{{"exp", j.claims.Expiry}, {"nbf", j.claims.NotBefore}, {"iat", j.claims.IssuedAt}} {
		if !row.at.IsZero() {
			text = row.name + " " + stamp(row.at) + ", " + text
		}
	}
	return text
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func hasDirectory(j *judgement) bool {
	return !j.own && j.source >= 0 && j.policy.sources[j.source].directory != ""
}

func foundDirectory(j *judgement) string {
	return "tid must be " + j.policy.sources[j.source].directory
}

func asksAudience(j *judgement) bool {
	return j.own || j.policy != nil && len(j.policy.audiences) > 0
}

func foundAudience(j *judgement) string {
	if j.claims == nil {
		return ""
	}
	text := "aud " + quoteAll(j.claims.Audience)
	if j.own {
		text += ", one of tokens.audience " + quoteAll(j.set.own.audience)
	}
	if j.policy != nil && len(j.policy.audiences) > 0 {
		text += ", one of spec.audiences " + quoteAll(j.policy.audiences)
	}
	return text
}

func asksAge(j *judgement) bool { return j.policy != nil && j.policy.maxAge > 0 }

func foundAge(j *judgement) string {
	return "maxTokenAge " + j.policy.maxAge.String() + ", leeway " + j.leeway.String() + ", now " + stamp(j.now)
}

func asksNonce(j *judgement) bool { return j.policy != nil && j.policy.nonce != "" }

func narrows(j *judgement) bool { return j.narrow.any() }

func foundNarrowing(j *judgement) string {
	var sent []string
	for _, row := range []struct {
		name string
		sent bool
	}{{"x-jwt-issuer", j.narrow.hasIssuer}, {"x-jwt-client-id", j.narrow.hasClientID}, {"x-jwt-nonce", j.narrow.hasNonce}} {
		if row.sent {
			sent = append(sent, row.name)
		}
	}
	return "sent: " + strings.Join(sent, ", ")
}

func hasRules(j *judgement) bool { return j.policy != nil && j.policy.claims.Count() > 0 }

func foundRules(j *judgement) string {
	if n := j.policy.claims.Count(); n != 1 {
		return fmt.Sprintf("%d rules", n)
	}
	return "1 rule"
}

func foundIdentity(j *judgement) string {
	if j.own {
		return "username from the claim preferred_username"
	}
	return "username from " + j.policy.claims.UsernameSource()
}

func asksCredential(j *judgement) bool { return j.decision.Upstream != "" }

func foundCredential(j *judgement) string {
	return "the application gets the token of " + quote(j.decision.Upstream) + " as Authorization"
}
