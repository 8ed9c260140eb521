// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"bytes"
	"testing"
)

// TestSetEqual guards what decisions are kept by: a set that differs in a key, an ID or an algorithm is another one.
func TestSetEqual(t *testing.T) {
	key := func(seed byte, id, alg string) *Key {
		k, err := New(bytes.Repeat([]byte{seed}, 64))
		if err == nil {
			k, err = k.With(id, alg)
		}
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	a, b := key(1, "a", ""), key(2, "b", "")
	same := key(1, "a", "")
	for _, tt := range []struct {
		name string
		x, y *Set
		want bool
	}{
		{"itself", NewSet(a, b), NewSet(a, b), true},
		{"parsed again", NewSet(a), NewSet(same), true},
		{"another order", NewSet(a, b), NewSet(b, same), true},
		{"one more", NewSet(a), NewSet(a, b), false},
		{"another key", NewSet(a), NewSet(key(2, "a", "")), false},
		{"another ID", NewSet(a), NewSet(key(1, "b", "")), false},
		{"another algorithm", NewSet(a), NewSet(key(1, "a", "HS256")), false},
		{"one twice", NewSet(a, a), NewSet(a, b), false},
		{"none", NewSet(), NewSet(), true},
		{"nil and none", nil, NewSet(), false},
		{"nil", nil, nil, true},
	} {
		if got := tt.x.Equal(tt.y); got != tt.want {
			t.Errorf("%s: got %v", tt.name, got)
		}
		if got := tt.y.Equal(tt.x); got != tt.want {
			t.Errorf("%s, the other way round: got %v", tt.name, got)
		}
	}
}
