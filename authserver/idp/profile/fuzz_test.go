// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// FuzzRead guards that no answer of a provider makes reading it panic, that whoever comes out is within the bounds, and that whoever does not has a reason.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		`{"preferred_username":"bob","email":"bob@acme.example","email_verified":true,"groups":["dev"],"a":{"b":1}}`,
		`{"preferred_username":9007199254740993,"groups":"dev","name":"B\u0000"}`,
		`{"preferred_username":"\u202e","a":{"b":"x"}}`,
		`{"a":{"b":1e400},"preferred_username":-0}`,
	} {
		f.Add(text, text)
	}
	plain := compile(f, standard())
	cel := compile(f, &config.ProviderMappings{Username: expr("userinfo.a.b"), Email: expr("claims.email"), Groups: expr("claims.groups.map(g, g)")},
		rules("!has(claims.blocked)", "!groups.exists(g, g == 'banned')")...)
	f.Fuzz(func(t *testing.T, claims, userinfo string) {
		c, err := ReadDocument([]byte(claims))
		if err != nil {
			return
		}
		u, err := ReadDocument([]byte(userinfo))
		if err != nil {
			u = nil
		}
		for _, m := range []*Mapper{plain, cel} {
			a, err := m.Read(Person{Claims: c, UserInfo: u})
			if err != nil {
				var rule *RuleError
				var fault *Error
				if !errors.As(err, &rule) && (!errors.As(err, &fault) || fault.Reason == "" || fault.Detail == "") {
					t.Errorf("no reason: %v", err)
				}
				continue
			}
			if m == cel && slices.Contains(a.Groups, "banned") {
				t.Errorf("a rule does not see the group: %q", a.Groups)
			}
			if a.Username == "" || utf8.RuneCountInString(a.Username) > MaxUsername || !utf8.ValidString(a.Username) || len(a.Groups) > MaxGroups || a.EmailVerified && a.Email == "" {
				t.Errorf("out of bounds: %+v", a)
			}
			for _, text := range append([]string{a.Username, a.Email, a.Name, a.Phone, a.Comment}, a.Groups...) {
				if strings.ContainsFunc(text, unicode.IsControl) || len(text) > MaxText && text != a.Username {
					t.Errorf("not fit to be kept: %q", text)
				}
			}
		}
	})
}
