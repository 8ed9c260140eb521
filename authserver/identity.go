// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"net/http"

	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// Names of the answer's headers, in canonical form so that they need not be made so again.
const (
	headerUser              = "X-Auth-Request-User"
	headerEmail             = "X-Auth-Request-Email"
	headerGroups            = "X-Auth-Request-Groups"
	headerPreferredUsername = "X-Auth-Request-Preferred-Username"
	headerTenant            = "X-Auth-Tenant"
)

// noValue is a header that is there and empty.
var noValue = []string{""}

// writeIdentity sets all identity headers of the server, those mapped by some policy included, also those without a
// value: a gateway that copies them then overwrites whatever the client sent.
func writeIdentity(h http.Header, id *policy.Identity, mapped []string) {
	v := make([]string, 5+len(id.Headers))
	v[0], v[1], v[2], v[3], v[4] = id.User, id.Email, id.Groups, id.PreferredUsername, id.Tenant
	h[headerUser] = v[0:1:1]
	h[headerEmail] = v[1:2:2]
	h[headerGroups] = v[2:3:3]
	h[headerPreferredUsername] = v[3:4:4]
	h[headerTenant] = v[4:5:5]
	for _, name := range mapped {
		h[name] = noValue
	}
	for i := range id.Headers {
		at := 5 + i
		v[at] = id.Headers[i].Value
		h[id.Headers[i].Name] = v[at : at+1 : at+1]
	}
	h["Cache-Control"] = noStore
}
