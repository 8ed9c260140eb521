// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// bulky is a policy that renders to about n bytes that do not compress.
func bulky(r *rand.Rand, name, tenant string, n int) *v1alpha1.TenantJWTPolicy {
	p := policy("default", name, tenant)
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for left := n; left > 0; left -= 500 {
		var b strings.Builder
		for range min(left, 500) {
			b.WriteByte(letters[r.IntN(len(letters))])
		}
		p.Spec.Audiences = append(p.Spec.Audiences, b.String())
	}
	return p
}

// TestShardsGrow guards DESIGN §3: growth when a file reaches 512 KiB, until each is below half of that; never back.
func TestShardsGrow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var policies []*v1alpha1.TenantJWTPolicy
	for i := range 60 {
		policies = append(policies, bulky(r, fmt.Sprintf("p%d", i), fmt.Sprintf("t%d", i), 16_000))
	}
	few := mustRender(t, render.Input{Policies: policies[:10]}, nil)
	if few.ShardCount != 1 {
		t.Fatalf("%d shards for little", few.ShardCount)
	}
	grown := mustRender(t, render.Input{Policies: policies, ShardCount: few.ShardCount}, nil)
	if grown.ShardCount < 4 {
		t.Errorf("%d shards for 60 policies of 12 KiB compressed", grown.ShardCount)
	}
	served := 0
	for name, data := range grown.Files {
		if count, _, ok := config.ParseTenantsFile(name); ok && (count != grown.ShardCount || len(data) >= config.MaxShard/2) {
			t.Errorf("%s has %d bytes", name, len(data))
		}
	}
	for _, v := range grown.Verdicts {
		if v.Served {
			served++
		}
	}
	if served != len(policies)+1 {
		t.Errorf("%d served", served)
	}
	if again := mustRender(t, render.Input{Policies: policies[:10], ShardCount: grown.ShardCount}, nil); again.ShardCount != grown.ShardCount {
		t.Errorf("shrunk to %d", again.ShardCount)
	}
}

// TestCrowdedShard guards everybody else against tenant IDs that are chosen to meet in one shard, whatever the count.
func TestCrowdedShard(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var policies []*v1alpha1.TenantJWTPolicy
	for i := 0; len(policies) < 12; i++ {
		if id := fmt.Sprintf("t%d", i); config.ShardOf(id, config.MaxShards) == 7 {
			policies = append(policies, bulky(r, fmt.Sprintf("crowd-%02d", len(policies)), id, 100_000))
		}
	}
	other := policy("default", "zz-last", "other")
	same := policy("default", "aa-first", policies[0].Spec.TenantID+"x")
	out := mustRender(t, render.Input{Policies: append(policies, other, same), ShardCount: 1}, nil)
	if out.ShardCount != config.MaxShards {
		t.Errorf("%d shards", out.ShardCount)
	}
	for _, p := range []*v1alpha1.TenantJWTPolicy{other, same, policies[0]} {
		if !out.Verdicts[keyOf(p)].Served {
			t.Errorf("%s is not served", p.Name)
		}
	}
	last := out.Verdicts[keyOf(policies[11])]
	if last.Served || last.Accepted.Reason != v1alpha1.ReasonTooLarge || !strings.Contains(last.Accepted.Message, "(7 of 256): make older policies in it smaller") {
		t.Errorf("the last claimant: %+v", last.Accepted)
	}
	if n := len(out.Files[config.TenantsFile(256, 7)]); n >= config.MaxShard {
		t.Errorf("the crowded file has %d bytes", n)
	}
}
