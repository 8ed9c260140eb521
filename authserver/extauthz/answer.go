// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"strings"
)

// overwrite is HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD. The older field append stays unset: then it means the same,
// and Envoy refuses an answer with both.
const overwrite = 2

// authorization is set where a policy names a credential. It is never removed, nor among [Names]: where there is no credential the client's own stays.
var authorization = newName("authorization")

// allow is the answer to a request that is let in. Headers with a value are set; every other name of the server is
// removed, and so is what was sent under a name that some applications read as one of them.
func (n *Names) allow(a *Answer, r *Request) response {
	id := a.Identity
	values := make([]string, len(n.names)) // by name; "" is removed
	values[0], values[1], values[2], values[3], values[4] = id.User, id.Email, id.Groups, id.PreferredUsername, id.Tenant
	for i := range id.Headers {
		if at, ok := n.at[strings.ToLower(id.Headers[i].Name)]; ok && at >= len(fixed) {
			values[at] = id.Headers[i].Value
		}
	}
	size := len(n.always)
	for i, value := range values {
		if value == "" {
			size += len(n.names[i].remove)
		} else {
			size += sizeField(n.names[i].sizeOption(value))
		}
	}
	for _, odd := range r.odd {
		if n.imitated(odd) {
			size += sizeField(len(odd))
		}
	}
	if a.Authorization != "" {
		size += sizeField(authorization.sizeOption(a.Authorization))
	}
	m := n.newMetadata(id, values)
	// An OK status is an empty message: its code is 0.
	out := make([]byte, 0, sizeField(0)+sizeField(size)+sizeField(m.size))
	out = appendHead(out, checkResponseStatus, 0)
	out = appendHead(out, checkResponseOK, size)
	if a.Authorization != "" {
		out = authorization.appendOption(out, a.Authorization)
	}
	out = n.appendHeaders(out, values, r)
	out = appendHead(out, checkResponseMetadata, m.size)
	return m.append(out)
}

// appendHeaders writes the fields of an OkHttpResponse.
func (n *Names) appendHeaders(out []byte, values []string, r *Request) []byte {
	for i, value := range values {
		if value != "" {
			out = n.names[i].appendOption(out, value)
		}
	}
	out = append(out, n.always...)
	for i, value := range values {
		if value == "" {
			out = append(out, n.names[i].remove...)
		}
	}
	for _, odd := range r.odd {
		if n.imitated(odd) {
			out = appendString(out, okHeadersToRemove, odd)
		}
	}
	return out
}

// sizeOption is the size of the HeaderValueOption that sets the header.
func (n *name) sizeOption(value string) int {
	return sizeField(len(n.key)+sizeField(len(value))) + 1 + 1
}

// appendOption writes it; the field has one number in answers of both kinds.
func (n *name) appendOption(out []byte, value string) []byte {
	out = appendHead(out, okHeaders, n.sizeOption(value))
	out = appendHead(out, optionHeader, len(n.key)+sizeField(len(value)))
	out = append(out, n.key...)
	out = appendString(out, headerValueValue, value)
	return appendNumber(out, optionAction, overwrite)
}
