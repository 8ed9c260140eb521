// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"bytes"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

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
	// Cookies are the lines of the Cookie header, of a request without a token only: of others nobody asks.
	Cookies []string
	// Client is the address of Envoy's peer, as Envoy tells it; "" if it does not.
	Client string
	// Trace is the request's traceparent header (W3C Trace Context), the last one of several.
	Trace string
	// Visit is the URL that somebody goes to with a browser (GET, Accept text/html), as Envoy tells it; "" for every other request.
	Visit string

	first [slots]string // behind the slices of Facts
	seen  seen
	http  bool     // attributes of a HTTP request were there
	size  int      // of all headers
	odd   []string // names sent that may imitate one of the answer's (Names.imitated)
}

// seen are parts of the message, which is not ours to keep.
type seen struct {
	cookies                           [][]byte // lines of the Cookie header
	method, scheme, host, path, proto []byte   // proto is X-Forwarded-Proto
	html                              bool     // Accept says so
}

// url is Request.Visit. Behind a proxy with TLS, X-Forwarded-Proto is the scheme that the browser knows.
func (s *seen) url() string {
	if !s.html || string(s.method) != "GET" || len(s.host) == 0 || len(s.path) == 0 || s.path[0] != '/' {
		return ""
	}
	scheme := s.scheme
	if len(s.proto) > 0 {
		scheme = s.proto
	}
	return string(scheme) + "://" + string(s.host) + string(s.path)
}

// parse takes a CheckRequest apart.
func (r *Request) parse(message []byte) {
	ok := walk(message, func(field protowire.Number, v []byte) bool {
		return field != checkRequestAttributes || walk(v, r.attribute)
	})
	switch {
	case !ok || !r.http:
		*r = Request{Problem: ReasonMalformed}
	case r.size > maxHeaders:
		r.Problem = ReasonHeadersTooLarge
	case len(r.seen.cookies) > 0 && !r.Facts.HasToken():
		for _, line := range r.seen.cookies {
			r.Cookies = append(r.Cookies, string(line))
		}
	}
	r.Visit = r.seen.url()
	r.seen = seen{}
}

// attribute takes one of the attributes into account. Like all below, it returns false for what is malformed.
func (r *Request) attribute(field protowire.Number, v []byte) bool {
	switch field {
	case attributesSource:
		return r.source(v)
	case attributesRequest:
		return walk(v, func(field protowire.Number, v []byte) bool {
			if field != requestHTTP {
				return true
			}
			r.http = true
			return walk(v, r.attributeOfHTTP)
		})
	case attributesExtensions:
		key, value, ok := entry(v)
		if string(key) != TenantExtension {
			return ok
		}
		if r.Facts.ByRoute && r.Facts.Route != string(value) {
			return false // two tenants for one route
		}
		r.Facts.Route, r.Facts.ByRoute = string(value), true
		return ok
	}
	return true
}

// source finds the address within a peer.
func (r *Request) source(peer []byte) bool {
	return walk(peer, func(field protowire.Number, address []byte) bool {
		return field != peerAddress || walk(address, func(field protowire.Number, socket []byte) bool {
			return field != addressSocketAddress || walk(socket, func(field protowire.Number, v []byte) bool {
				if field == socketAddressAddress {
					r.Client = string(v)
				}
				return true
			})
		})
	})
}

func (r *Request) attributeOfHTTP(field protowire.Number, v []byte) bool {
	switch field {
	case httpMethod:
		r.seen.method = v
	case httpPath:
		r.seen.path = v
	case httpHost:
		r.seen.host = v
	case httpScheme:
		r.seen.scheme = v
	case httpHeaders:
		name, value, ok := entry(v)
		r.see(name, value, joined)
		return ok
	case httpHeaderMap:
		return walk(v, func(field protowire.Number, v []byte) bool {
			return field != headerMapHeaders || r.rawHeader(v)
		})
	}
	return true
}

// rawHeader reads an entry of header_map, of which Envoy sets raw_value. Where the other value is set too, none of the two
// must hide behind the other.
func (r *Request) rawHeader(message []byte) bool {
	var name, value, text []byte
	ok := walk(message, func(field protowire.Number, v []byte) bool {
		switch field {
		case headerValueKey:
			name = v
		case headerValueValue:
			text = v
		case headerValueRaw:
			value = v
		}
		return true
	})
	if len(text) > 0 && len(value) > 0 {
		r.see(name, text, raw)
	} else if len(value) == 0 {
		value = text
	}
	r.see(name, value, raw)
	return ok
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
func (r *Request) slot(name []byte) (i int, values *[]string) {
	switch len(name) {
	case len("x-jwt-token"): // as long as x-jwt-nonce
		if isName(name, "x-jwt-token") {
			return 0, &r.Facts.Token
		}
		if isName(name, "x-jwt-nonce") {
			return 1, &r.Facts.Nonce
		}
	case len("x-jwt-issuer"):
		if isName(name, "x-jwt-issuer") {
			return 2, &r.Facts.Issuer
		}
	case len("authorization"):
		if isName(name, "authorization") {
			return 3, &r.Facts.Authorization
		}
	case len("x-jwt-tenant-id"): // as long as x-jwt-client-id
		if isName(name, "x-jwt-tenant-id") {
			return 4, &r.Facts.TenantID
		}
		if isName(name, "x-jwt-client-id") {
			return 5, &r.Facts.ClientID
		}
	}
	return 0, nil
}

// isName compares a header's name, of the same length, with one in lower case.
func isName(name []byte, lower string) bool {
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// see takes one header into account.
func (r *Request) see(name, value []byte, f form) {
	r.size += len(name) + len(value) + len(": \r\n")
	if len(name) == 0 {
		return
	}
	switch name[0] {
	case 'x', 'X', 'a', 'A':
		if i, values := r.slot(name); values != nil {
			r.take(i, values, value, f)
			return
		}
		r.note(name, value)
		if isOdd(name) {
			r.odd = append(r.odd, string(name))
		}
	case 'c', 'C', 't':
		r.note(name, value)
	}
}

// note takes the headers into account that decide nothing about a token.
func (r *Request) note(name, value []byte) {
	switch len(name) {
	case len("cookie"): // as long as accept
		if isName(name, "cookie") {
			r.seen.cookies = append(r.seen.cookies, value)
		} else if isName(name, "accept") {
			r.seen.html = r.seen.html || bytes.Contains(value, []byte("text/html"))
		}
	case len("traceparent"):
		if string(name) == "traceparent" {
			r.Trace = string(value)
		}
	case len("x-forwarded-proto"):
		if isName(name, "x-forwarded-proto") {
			r.seen.proto = value
		}
	}
}

// take takes one of the headers that decide.
func (r *Request) take(i int, values *[]string, value []byte, f form) {
	text := string(bytes.Trim(value, " \t"))
	if f == joined {
		// Envoy writes "!" for bytes that are not UTF-8. Taken for such a byte, it is in no value that a policy asks for.
		text = strings.ReplaceAll(text, "!", "\xff")
	}
	// A comma may be Envoy's between two values. With raw headers that goes for Authorization only, of which some of
	// Envoy's filters make one value at once; but there it is part of many schemes, and counts where one could be Bearer.
	twice := strings.IndexByte(text, ',') >= 0
	if values == &r.Facts.Authorization {
		twice = twice && mayBeBearer(text)
	} else {
		twice = twice && f == joined
	}
	if *values == nil && !twice {
		r.first[i] = text
		*values = r.first[i : i+1 : i+1]
		return
	}
	*values = append(*values, text, text)
}

// mayBeBearer tells whether a value of Authorization, or what may be one between its commas, begins as one of the scheme
// Bearer. Others' parameters (RFC 9110 §11.4) are nobody's business here: they are ignored, as over HTTP.
func mayBeBearer(value string) bool {
	const scheme = "bearer"
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimLeft(part, " \t")
		if len(part) >= len(scheme) && strings.EqualFold(part[:len(scheme)], scheme) {
			return true
		}
	}
	return false
}
