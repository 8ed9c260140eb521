// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = DescribeTable("IdentityProvider is refused with a message that names the fix",
	func(ctx SpecContext, manifest, want string) {
		_, err := create(ctx, manifest)
		Expect(err).To(MatchError(ContainSubstring(want)))
	},
	Entry("unknown field", provider("clientID: x"), `unknown field "spec.clientID"`),
	Entry("no type", provider("-type"), "spec.type: Required value"),
	Entry("unknown type", provider("type: LDAP"), `Unsupported value: "LDAP": supported values: "Password", "OIDC", "OAuth2"`),
	Entry("Password without its block", provider("-password"), "spec: Invalid value: spec.password goes with type Password: set both or neither"),
	Entry("a password of three characters", provider("password: {minLength: 3}"), "spec.password.minLength in body should be greater than or equal to 8"),
	Entry("a password of 129 characters", provider("password: {minLength: 129}"), "spec.password.minLength in body should be less than or equal to 128"),
	Entry("no key", provider("password: {usersSecretRef: {name: users}}"), "spec.password.usersSecretRef.key: Required value"),
	Entry("empty display name", provider("displayName: ''"), "spec.displayName in body should be at least 1 chars long"),
	Entry("display name too long", provider("displayName: "+strings.Repeat("x", 129)), "spec.displayName: Too long: may not be more than 128 bytes"),
	Entry("organization with a slash", provider("organization: a/b"), `spec.organization: Invalid value: "a/b": `+nameMessage),
)

var _ = Describe("IdentityProvider", func() {
	It("gets the documented defaults", func(ctx SpecContext) {
		u, err := create(ctx, provider())
		Expect(err).NotTo(HaveOccurred())
		Expect(u.Object["spec"]).To(Equal(map[string]any{
			"authServerRef": map[string]any{"name": "default"},
			"type":          "Password",
			"enabled":       true,
			"password":      map[string]any{"usersSecretRef": map[string]any{"name": "users", "key": "users.yaml"}, "minLength": int64(12)},
		}))
	})
})
