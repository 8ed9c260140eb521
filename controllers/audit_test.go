// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// TestAudit guards the difference between a cache that is behind, which mends itself, and one of another history, which
// does not.
func TestAudit(t *testing.T) {
	at := func(name, version string) objectVersion {
		return objectVersion{"TenantJWTPolicy", types.NamespacedName{Namespace: "n", Name: name}, types.UID(name), version}
	}
	set := func(list ...objectVersion) map[objectVersion]bool {
		out := map[objectVersion]bool{}
		for _, o := range list {
			out[o] = true
		}
		return out
	}
	for name, c := range map[string]struct {
		cached, live map[objectVersion]bool
		version      string
		wrong        bool
		doubtful     int
	}{
		"nothing anywhere":                 {set(), set(), "5", false, 0},
		"equal":                            {set(at("a", "7"), at("b", "9")), set(at("a", "7"), at("b", "9")), "12", false, 0},
		"equal, just listed":               {set(at("a", "7")), set(at("a", "7")), "7", false, 0},
		"behind: a newer version":          {set(at("a", "7"), at("b", "9")), set(at("a", "10"), at("b", "9")), "10", false, 1},
		"behind: a new object":             {set(at("a", "7")), set(at("a", "7"), at("b", "100")), "100", false, 0},
		"behind: a deletion":               {set(at("a", "7"), at("b", "9")), set(at("a", "7")), "10", false, 1},
		"an empty cache has seen nothing":  {set(), set(at("a", "7")), "10", false, 0},
		"rewound: the list is older":       {set(at("a", "7"), at("b", "90")), set(at("a", "7")), "80", true, 1},
		"rewound: an object is older":      {set(at("a", "90")), set(at("a", "70")), "95", true, 1},
		"rewound: an object never told of": {set(at("a", "90")), set(at("a", "90"), at("b", "85")), "95", true, 0},
	} {
		d := discrepancies{doubtful: map[objectVersion]time.Time{}, unseen: map[objectVersion]time.Time{}}
		if err := d.add(c.cached, c.live, c.version); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if (d.wrong != nil) != c.wrong || len(d.doubtful) != c.doubtful {
			t.Errorf("%s: wrong is %v, %d are doubtful; want %v, %d", name, d.wrong, len(d.doubtful), c.wrong, c.doubtful)
		}
	}
}
