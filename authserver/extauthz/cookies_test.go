// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
)

// TestCookiesOfRequestsWithoutToken guards that cookies are read where they count, and nowhere else.
func TestCookiesOfRequestsWithoutToken(t *testing.T) {
	for name, tt := range map[string]struct {
		in   *authv3.CheckRequest
		want []string
	}{
		"raw":            {rawRequest("cookie", "a=b; c=d"), []string{"a=b; c=d"}},
		"raw, two lines": {rawRequest("cookie", "a=b", "cookie", "c=d"), []string{"a=b", "c=d"}},
		"upper case":     {rawRequest("Cookie", "a=b"), []string{"a=b"}},
		"joined":         {joinedRequest(map[string]string{"cookie": "a=b; c=d"}), []string{"a=b; c=d"}},
		"basic":          {rawRequest("cookie", "a=b", "authorization", "Basic eDp5"), []string{"a=b"}},
		"bearer":         {rawRequest("cookie", "a=b", "authorization", "Bearer x"), nil},
		"x-jwt-token":    {rawRequest("x-jwt-token", "x", "cookie", "a=b"), nil},
		"empty token":    {rawRequest("x-jwt-token", "", "cookie", "a=b"), nil},
		"another name":   {rawRequest("cookies", "a=b", "c", "d", "cookie2", "e=f", "cooky!", "a"), nil},
	} {
		message, err := proto.Marshal(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		var r Request
		r.parse(message)
		clear(message) // it is not ours to keep
		if diff := cmp.Diff(tt.want, r.Cookies); diff != "" || r.Problem != "" || r.seen.cookies != nil {
			t.Errorf("%s: %s %s", name, diff, r.Problem)
		}
	}
}
