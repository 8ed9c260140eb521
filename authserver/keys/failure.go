// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// failure is why a fetch brought no keys, in words for a condition.
type failure struct {
	reason  Reason
	message string
}

// explain puts an error of getting the document d into words that name the host and the fix. It quotes nothing the
// upstream sent: errors of net/http repeat parts of a malformed answer, URLs may hold secrets, and port numbers would make
// the message change from fetch to fetch.
func explain(err error, d *document, host string) *failure {
	var refused *outbound.AddressError
	var status statusError
	var content *contentError
	var panicked *panicError
	host = shorten(host)
	switch {
	case errors.As(err, &panicked):
		return &failure{ReasonInternalError, fmt.Sprintf("reading the %s failed: %s", d.name, clean(panicked.what))}
	case errors.As(err, &refused):
		return &failure{ReasonAddressNotAllowed, clean(refused.Error())}
	case errors.As(err, &status):
		text := fmt.Sprintf("%s answered with status %d, expected 200", host, int(status))
		if d == &metadataDocument && (status == http.StatusNotFound || status == http.StatusGone) {
			text += ": set discoveryURL if the issuer's metadata are elsewhere, or jwksURI to its keys"
		}
		return &failure{ReasonBadStatus, text}
	case errors.Is(err, outbound.ErrTooLarge):
		return &failure{ReasonTooLarge, fmt.Sprintf("the %s of %s is larger than %d KiB: %s", d.name, host, d.limit>>10, d.small)}
	case errors.Is(err, outbound.ErrEncoded):
		return &failure{ReasonBadContent, host + " compresses its answer although it was not asked to: turn that off for this path"}
	case errors.Is(err, outbound.ErrRedirect):
		return &failure{ReasonBadRedirect, fmt.Sprintf("%s redirects where the server does not follow: name the final URL in %s", host, d.field)}
	case errors.As(err, &content):
		what := "the answer of " + host
		if content.mediaType != "" {
			what += " (" + content.mediaType + ")"
		}
		return &failure{ReasonBadContent, clean(fmt.Sprintf("%s is not %s: %v", what, d.is, content.err))}
	}
	if f := explainTLS(err, host); f != nil {
		return f
	}
	return explainNetwork(err, host)
}

func explainTLS(err error, host string) *failure {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	say := func(text string) *failure { return &failure{ReasonTLSFailed, text} }
	switch {
	case errors.As(err, &unknown):
		return say("the certificate of " + host + " is signed by an authority that is not trusted: set caBundleRef to its CA")
	case errors.As(err, &name):
		return say("the certificate of " + host + " is for another name")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return say("the certificate of " + host + ", or of its CA, has expired or is not yet valid")
	case errors.As(err, &verification), errors.As(err, &invalid):
		return say("the certificate of " + host + " cannot be verified")
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return say(host + " does not speak TLS at this port")
	case errors.As(err, &alert):
		return say("the TLS handshake with " + host + " failed; TLS 1.2 or later is needed")
	}
	return nil
}

func explainNetwork(err error, host string) *failure {
	var dns *net.DNSError
	var op *net.OpError
	var syscallErr *os.SyscallError
	text := host + " gave no answer that is HTTP"
	switch {
	case errors.Is(err, context.Canceled):
		text = "the fetch from " + host + " was cancelled"
	case errors.As(err, &dns) && dns.IsNotFound:
		text = "the name of " + host + " does not exist in DNS"
	case errors.As(err, &dns):
		text = "the name of " + host + " could not be resolved"
	case isTimeout(err):
		text = host + " did not answer in time"
	case errors.As(err, &syscallErr):
		text = fmt.Sprintf("the connection to %s failed: %s: %v", host, syscallErr.Syscall, syscallErr.Err)
	case errors.As(err, &op):
		text = "the connection to " + host + " failed"
	}
	return &failure{ReasonUnreachable, clean(text)}
}

func isTimeout(err error) bool {
	var netErr net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &netErr) && netErr.Timeout()
}
