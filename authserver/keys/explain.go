// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"errors"

	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// Explain puts the error of a request that package outbound made to host into the reason and words of a condition, for other
// documents and endpoints than key sets. It quotes nothing that the host sent. What was asked for is the caller's to add.
func Explain(err error, host string) (Reason, string) {
	host = shorten(host)
	switch {
	case errors.Is(err, outbound.ErrTooLarge):
		return ReasonTooLarge, "the answer of " + host + " is larger than is read"
	case errors.Is(err, outbound.ErrRedirect):
		return ReasonBadRedirect, host + " redirects where the server does not follow: name the final URL"
	}
	f := explain(err, &document{}, host)
	return f.reason, f.message
}
