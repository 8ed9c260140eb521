// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"strings"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"

	"github.com/gatehouse-auth/gatehouse/authserver/policy"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// TenantExtension is the key of the CheckRequest's context_extensions whose value is the tenant of the route.
const TenantExtension = "tenant"

// maxHeaders bounds the request's headers together, names included, in bytes, as the HTTP listener does.
const maxHeaders = 64 << 10

// Reasons of requests that are refused before they are decided.
const (
	// ReasonMalformed: the message is no CheckRequest of an HTTP request.
	ReasonMalformed token.Reason = "malformed_request"
	// ReasonHeadersTooLarge: the request's headers are longer than 64 KiB together.
	ReasonHeadersTooLarge token.Reason = "headers_too_large"
)

// Request is what of a CheckRequest counts.
type Request struct {
	// Facts are what decides.
	Facts policy.Facts
	// Problem, if set, is why it must be refused, whatever Facts say.
	Problem token.Reason

	attributes *authv3.AttributeContext
	first      [slots]string // behind the slices of Facts
	size       int           // of all headers
	odd        []string      // names sent that may imitate one of the answer's (Names.imitated)
}

// Client is the address of Envoy's peer, as Envoy tells it; "" if it does not.
func (r *Request) Client() string {
	return r.attributes.GetSource().GetAddress().GetSocketAddress().GetAddress()
}

// Header is a header's value as sent, the first one of several; "" for none.
func (r *Request) Header(lowerCase string) string {
	http := r.attributes.GetRequest().GetHttp()
	if value, ok := http.GetHeaders()[lowerCase]; ok {
		return value
	}
	for _, h := range http.GetHeaderMap().GetHeaders() {
		if strings.EqualFold(h.GetKey(), lowerCase) {
			return rawValue(h.GetRawValue(), h.GetValue())
		}
	}
	return ""
}

// newRequest takes a CheckRequest apart.
func newRequest(in *authv3.CheckRequest) *Request {
	r := &Request{attributes: in.GetAttributes()}
	http := r.attributes.GetRequest().GetHttp()
	if http == nil {
		r.Problem = ReasonMalformed
		return r
	}
	r.Facts.Route, r.Facts.ByRoute = r.attributes.ContextExtensions[TenantExtension]
	for name, value := range http.Headers {
		r.see(name, value, joined)
	}
	for _, h := range http.HeaderMap.GetHeaders() {
		r.see(h.GetKey(), rawValue(h.GetRawValue(), h.GetValue()), raw)
	}
	if r.size > maxHeaders {
		r.Problem = ReasonHeadersTooLarge
	}
	return r
}

// rawValue is the value of an entry of header_map, of which Envoy sets raw_value. Where both are set, one value must not
// hide behind the other.
func rawValue(raw []byte, value string) string {
	switch {
	case len(raw) == 0:
		return value
	case value == "":
		return string(raw)
	}
	return string(raw) + "," + value
}

// form is how Envoy hands headers over.
type form bool

const (
	joined form = false // http.headers: one value for each name
	raw    form = true  // http.header_map: as received
)

// slots is the number of headers that decide.
const slots = 6

// slot returns which of the headers that decide a name is, and where its values go; nil for every other. Envoy writes
// names in lower case; a name in another case is the same header all the same.
func (r *Request) slot(name string) (i int, values *[]string) {
	switch len(name) {
	case len("x-jwt-token"): // as long as x-jwt-nonce
		if strings.EqualFold(name, "x-jwt-token") {
			return 0, &r.Facts.Token
		}
		if strings.EqualFold(name, "x-jwt-nonce") {
			return 1, &r.Facts.Nonce
		}
	case len("x-jwt-issuer"):
		if strings.EqualFold(name, "x-jwt-issuer") {
			return 2, &r.Facts.Issuer
		}
	case len("authorization"):
		if strings.EqualFold(name, "authorization") {
			return 3, &r.Facts.Authorization
		}
	case len("x-jwt-tenant-id"): // as long as x-jwt-client-id
		if strings.EqualFold(name, "x-jwt-tenant-id") {
			return 4, &r.Facts.TenantID
		}
		if strings.EqualFold(name, "x-jwt-client-id") {
			return 5, &r.Facts.ClientID
		}
	}
	return 0, nil
}

// see takes one header into account.
func (r *Request) see(name, value string, f form) {
	r.size += len(name) + len(value) + len(": \r\n")
	if name == "" || name[0]|0x20 != 'x' && name[0]|0x20 != 'a' {
		return
	}
	i, values := r.slot(name)
	if values == nil {
		if isOdd(name) {
			r.odd = append(r.odd, name)
		}
		return
	}
	if f == joined {
		// Envoy writes "!" for bytes that are not UTF-8. Taken for such a byte, it is in no value that a policy asks for.
		value = strings.ReplaceAll(value, "!", "\xff")
	}
	// A comma may be Envoy's between two values. With raw headers that goes for Authorization only, of which some of
	// Envoy's filters make one value at once.
	twice := strings.IndexByte(value, ',') >= 0 && (f == joined || values == &r.Facts.Authorization)
	if *values == nil && !twice {
		r.first[i] = strings.Trim(value, " \t")
		*values = r.first[i : i+1 : i+1]
		return
	}
	*values = append(*values, value, value)
}
