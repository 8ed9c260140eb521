// SPDX-License-Identifier: Apache-2.0

package policy

import "github.com/gatehouse-auth/gatehouse/authserver/config"

// Policy returns the policy with a tenant ID; nil if there is none.
func (s *Set) Policy(tenant string) *Policy {
	if len(s.shards) == 0 {
		return nil
	}
	return s.shards[config.ShardOf(tenant, len(s.shards))].tenants[tenant]
}
