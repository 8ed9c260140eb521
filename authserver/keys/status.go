// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Reason says in one word how a source's last fetch went. The reasons are those of the condition UpstreamReady.
type Reason string

// Reasons of a [Status].
const (
	ReasonNotYetFetched     Reason = "NotYetFetched"     // no request has needed the source yet; UpstreamReady is Unknown
	ReasonReady             Reason = "Ready"             // the last fetch succeeded
	ReasonNoUsableKey       Reason = "NoUsableKey"       // the last fetch succeeded, but no key of the set can verify a token
	ReasonInvalidSource     Reason = "InvalidSource"     // the URL or CA bundle cannot be used
	ReasonAddressNotAllowed Reason = "AddressNotAllowed" // outbound rules; the message names the CIDR to allow
	ReasonUnreachable       Reason = "Unreachable"       // DNS, connect or timeout
	ReasonTLSFailed         Reason = "TLSFailed"         // certificate or handshake
	ReasonBadStatus         Reason = "BadStatus"         // an answer other than 200
	ReasonBadRedirect       Reason = "BadRedirect"       // more redirects than are followed, or none that can be
	ReasonTooLarge          Reason = "TooLarge"          // more than 512 KiB, or of metadata 64 KiB
	ReasonBadContent        Reason = "BadContent"        // no JWK Set, or no metadata
	ReasonIssuerMismatch    Reason = "IssuerMismatch"    // the metadata are another issuer's
	ReasonNoJWKSURI         Reason = "NoJWKSURI"         // the metadata name no URL of keys that can be used
	ReasonInternalError     Reason = "InternalError"     // a fault of Gatehouse
)

// Status is what an engine knows of a source. It holds no byte of an answer's body but what package jwk quotes of key
// IDs and algorithms.
type Status struct {
	Fetched bool // a fetch has ended, well or not
	Ready   bool // the last one succeeded and brought at least one usable key
	Serving bool // keys are at hand; where Ready is not, of an earlier fetch, for policies whose staleIfError exceeds Age

	Reason  Reason
	Since   time.Time // since when Reason holds; zero for a source the engine does not know
	Message string    // for a person: the cause and the fix. It does not change while the cause does not

	Age      time.Duration // of the keys that serve, since they were asked for; 0 without any
	Keys     int           // keys that serve
	Problems int           // keys of that set that were passed over or overlap
	Failures int           // failed fetches in a row

	// Algorithms that at least one key of the last good fetch fits, in jwk's order. The slice must not be changed.
	Algorithms []string
}

// forever is the window of an asker that takes keys for as long as they are kept.
const forever = time.Duration(math.MaxInt64)

func (v *view) status(now time.Time) Status {
	s := Status{
		Fetched:  v.attempted,
		Ready:    v.reason == ReasonReady,
		Reason:   v.reason,
		Since:    v.since,
		Failures: v.failures,

		Algorithms: v.fits,
	}
	if v.usable(now, forever) {
		s.Serving = v.set.Len() > 0
		s.Age = now.Sub(v.fetched)
		s.Keys = v.set.Len()
		s.Problems = len(v.problems)
	}
	s.Message = v.message(s.Serving)
	return s
}

func (v *view) message(serving bool) string {
	switch {
	case v.failure != nil && serving:
		return v.failure.message + "; the keys of an earlier fetch serve until the policy's staleIfError has passed"
	case v.failure != nil:
		return v.failure.message
	case !v.attempted:
		return ""
	}
	if v.set.Len() == 0 {
		return "no key that can verify a token" + v.problemText()
	}
	return plural(v.set.Len(), "key") + v.problemText()
}

// problemText tells of the first problems; a set has at most 100.
func (v *view) problemText() string {
	const shown = 3
	if len(v.problems) == 0 {
		return ""
	}
	texts := make([]string, 0, shown+1)
	for i, p := range v.problems {
		if i == shown {
			texts = append(texts, "…")
			break
		}
		texts = append(texts, clean(p.String()))
	}
	return fmt.Sprintf(", %s: %s", plural(len(v.problems), "problem"), strings.Join(texts, "; "))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// shorten makes a host fit for a message that has more to say: a name that is long loses its beginning, since it is the end
// that tells whose it is.
func shorten(host string) string {
	const most = 100
	host = clean(host)
	if len(host) > most {
		host = "..." + host[len(host)-most:]
	}
	return host
}

// clean makes text fit for a condition: printable ASCII of at most 300 bytes.
func clean(s string) string {
	const most = 300
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	if len(s) > most {
		s = s[:most] + "..."
	}
	return s
}
