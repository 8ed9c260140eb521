// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// hostile are values that try to be more than one value, or somebody else's.
var hostile = []string{
	"bob\r\nX-Auth-Request-User: admin", "bob\nadmin", "bob\radmin", "bob\x00admin", "bob\tadmin", " bob", "bob ", "\u00a0bob", "bob\u2028x",
	"tenant-6/bob", "/bob", "bob/", "//", "../tenant-6/bob", "tenant-6%2Fbob", "tenant-6%2fbob", "tenant-6%252Fbob", "tenant-6\\bob",
	"tenant-6\u2215bob", "tenant-6\uff0fbob", "tenant-6\u2044bob", "%", "%%", "%2", "%zz", "%2F", "%00", "a,b", ",", "a%2Cb", "\u00e9", "\U0001f600",
	"e\u0301", "\u202ebob", "\ufeffbob", "\x7f", "\x1b[31m", "bob;admin", "bob\"admin", "bob=admin", "${x}", "{{x}}", strings.Repeat("x", 2000), strings.Repeat("\u00e9", 500),
}

// TestHostileValues guards, for each hostile value in every place, that the header holds only %x21–7E, that decoding gives
// back the claim, and that every bare slash of the user is one that was added.
func TestHostileValues(t *testing.T) {
	r := compile(t, everything, "tenant-5")
	plain := compile(t, config.ClaimRules{Username: config.Username{Source: claim("v")}}, "tenant-5")
	for _, value := range hostile {
		payload := with(t, "v", value)
		id, err := r.Identify(Of(read(t, payload)))
		if err != nil {
			t.Errorf("%q: %v", value, err)
			continue
		}
		checkIdentity(t, &id)
		if strings.Count(id.User, "/") != 1 || !strings.HasPrefix(id.User, "tenant-5/") {
			t.Errorf("%q: the user is %s", value, id.User)
		}
		for _, got := range []string{strings.TrimPrefix(id.User, "tenant-5/"), id.PreferredUsername, id.Email, id.Groups, id.Headers[0].Value} {
			if back, err := url.PathUnescape(got); err != nil || back != value {
				t.Errorf("%q becomes %q, which is %q, %v", value, got, back, err)
			}
		}
		if unprefixed, err := plain.Identify(Of(read(t, payload))); err != nil || strings.Contains(unprefixed.User, "/") {
			t.Errorf("%q without a prefix: %+v, %v", value, unprefixed, err)
		}
	}
}

// TestNoTwoTenantsShareAName guards that users of two tenants never have the same name, whatever their tokens say and
// whichever of the sources name them.
func TestNoTwoTenantsShareAName(t *testing.T) {
	sources := []config.Source{claim("v"), joined("v", "w"), joined("v", "v"), cel("claims.v"), cel("claims.v + '/' + claims.w"), cel("'a/' + claims.v")}
	values := append([]string{"a", "b", "a/b", "b/a", "a/a", "a%2Fb", "a%2Fa"}, hostile...)
	seen := map[string]string{}
	for _, tenant := range []string{"a", "b", "a.b", "tenant-5", "tenant-6"} {
		for _, from := range sources {
			r := compile(t, config.ClaimRules{Username: config.Username{Source: from, PrefixWithTenant: true}}, tenant)
			for _, value := range values {
				id, err := r.Identify(Of(read(t, strings.Replace(with(t, "v", value), "{", `{"w":"b",`, 1))))
				if err != nil {
					t.Fatal(err)
				}
				if other, ok := seen[id.User]; ok && other != tenant {
					t.Errorf("%s is a user of %s and of %s", id.User, tenant, other)
				}
				seen[id.User] = tenant
				if first, _, _ := strings.Cut(id.User, "/"); first != tenant {
					t.Errorf("%s of %s begins like one of %s", id.User, tenant, first)
				}
			}
		}
	}
}

// everything maps the claim v to every header.
var everything = config.ClaimRules{
	Username: config.Username{Source: claim("v"), PrefixWithTenant: true},
	Email:    claim("v"),
	Groups:   claim("v"),
	Headers:  []config.HeaderMapping{{Name: "X-Claim", Source: claim("v")}, {Name: "X-Cel", Source: cel("claims.v")}},
}

// checkIdentity demands that every value may stand in a header.
func checkIdentity(t *testing.T, id *Identity) {
	t.Helper()
	values := []string{id.User, id.PreferredUsername, id.Email, id.Groups, id.Tenant}
	for _, h := range id.Headers {
		values = append(values, h.Value)
	}
	total := 0
	for _, value := range values {
		total += len(value)
		for i := 0; i < len(value); i++ {
			if c := value[i]; c < 0x21 || c > 0x7e {
				t.Errorf("%q has the byte %#x", value, c)
			}
		}
	}
	if total > MaxIdentity {
		t.Errorf("%d bytes together", total)
	}
}
