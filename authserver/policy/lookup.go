// SPDX-License-Identifier: Apache-2.0

package policy

// Policy returns the policy with a tenant ID; nil if there is none.
func (s *Set) Policy(tenant string) *Policy { return s.tenants[tenant] }
