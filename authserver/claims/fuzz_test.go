// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// FuzzIdentify guards, for any claims: no panic; every value may stand in a header; the user is the tenant, one bare slash
// for each that is added, and what decodes to the claim; and each refusal has a reason that this package or token gives.
func FuzzIdentify(f *testing.F) {
	for _, value := range hostile {
		f.Add([]byte(with(f, "v", value)))
	}
	for _, payload := range []string{
		`{"v":"bob","w":"x","l":["a","b,c"],"n":12345678901234567890,"b":true,"z":null,"o":{"a":[1,{"b":"c"}]}}`,
		`{"v":["bob"],"l":"a"}`, `{"v":1}`, `{}`, `{"v":"\ud83d\ude00","l":["\u0000"]}`, `{"l":[1,"a",true,null]}`, `{"v":"a","l":[[]]}`, `{"v":"bob","l":[-0.0,1e9,"%"]}`,
	} {
		f.Add([]byte(payload))
	}
	simple := compile(f, config.ClaimRules{
		Username: config.Username{Source: claim("v"), PrefixWithTenant: true},
		Email:    claim("w", "l"), EmailVerified: "b", Groups: claim("l"),
		Headers: []config.HeaderMapping{{Name: "X-L", Source: claim("l")}, {Name: "X-N", Source: claim("n")}, {Name: "X-O", Source: claim("o")}, {Name: "X-J", Source: joined("v", "w")}},
		Rules:   []config.ClaimRule{{Claim: "w", RequiredValue: "x"}},
	}, "tenant-5")
	asked := compile(f, config.ClaimRules{
		Username: config.Username{Source: cel("claims.v + '/' + claims.?w.orValue('')"), PrefixWithTenant: true},
		Email:    cel("claims.w"), Groups: cel("claims.l"),
		Headers: []config.HeaderMapping{{Name: "X-L", Source: cel("claims.l")}, {Name: "X-N", Source: cel("claims.n")}, {Name: "X-O", Source: cel("claims.o.a")}, {Name: "X-All", Source: cel("claims.map(c, c)")}},
		Rules:   []config.ClaimRule{{Expression: "claims.l.exists(x, x == claims.v) || claims == claims"}},
	}, "tenant-5")
	pair := compile(f, config.ClaimRules{Username: config.Username{Source: joined("v", "w"), PrefixWithTenant: true}}, "tenant-5")
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := token.ReadClaims(payload)
		if err != nil {
			return
		}
		v, _ := c.Lookup("v")
		text, _ := v.Text()
		for _, row := range []struct {
			rules   *Rules
			slashes int
		}{{simple, 1}, {asked, 1}, {pair, 2}} {
			subject := Of(c)
			checkRefusal(t, row.rules.Check(subject), ReasonClaimRule)
			id, err := row.rules.Identify(subject)
			if err != nil {
				checkRefusal(t, err, ReasonUsername, ReasonTooLarge)
				continue
			}
			checkIdentity(t, &id)
			rest, ok := strings.CutPrefix(id.User, "tenant-5/")
			if !ok || strings.Count(id.User, "/") != row.slashes || id.User == "tenant-5/" {
				t.Errorf("the user is %q", id.User)
			}
			if back, err := url.PathUnescape(rest); err != nil || row.rules == simple && back != text || !strings.HasPrefix(back, text) {
				t.Errorf("the user %q is %q, %v; the claim is %q", id.User, back, err, text)
			}
		}
	})
}

func checkRefusal(t *testing.T, err error, reasons ...token.Reason) {
	t.Helper()
	if err == nil {
		return
	}
	if e, ok := errors.AsType[*token.Error](err); !ok || !slices.Contains(reasons, e.Reason) {
		t.Errorf("refused without a known reason: %v", err)
	}
}

// BenchmarkIdentify is what Check and Identify cost a request, with claims and with CEL.
func BenchmarkIdentify(b *testing.B) {
	c := read(b, `{"iss":"https://idp.example","sub":"248289761001","aud":"https://api.example","exp":4102444800,"iat":1000000,"nbf":1000000,"jti":"f0e1","email":"bob@acme.example","email_verified":true,"name":"Bob","roles":["dev","ops","admin"],"plan":"gold","level":7}`)
	for name, rules := range map[string]config.ClaimRules{
		"username": {},
		"claims": {Email: claim("email"), Groups: claim("roles"), Headers: []config.HeaderMapping{{Name: "X-Plan", Source: claim("plan")}},
			Rules: []config.ClaimRule{{Claim: "plan", RequiredValue: "gold"}}},
		"rule in CEL": {Email: claim("email"), Groups: claim("roles"), Rules: []config.ClaimRule{{Expression: "claims.plan in ['gold', 'silver']"}}},
		"all in CEL": {Username: config.Username{Source: cel("claims.email.split('@')[0]")}, Email: cel("claims.email"), Groups: cel("claims.roles.filter(r, r != 'admin')"),
			Headers: []config.HeaderMapping{{Name: "X-Plan", Source: cel("claims.plan")}}, Rules: []config.ClaimRule{{Expression: "claims.roles.exists(r, r == 'ops')"}}},
	} {
		r := compile(b, rules, "acme")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				subject := Of(c)
				if err := r.Check(subject); err != nil {
					b.Fatal(err)
				}
				if _, err := r.Identify(subject); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
