// SPDX-License-Identifier: Apache-2.0

package jwk

// Equal reports whether both sets hold equal keys, in whatever order: they answer every [Set.Select] alike. A nil set
// equals only nil.
func (s *Set) Equal(other *Set) bool {
	if s == nil || other == nil {
		return s == other
	}
	if s == other {
		return true
	}
	if len(s.keys) != len(other.keys) {
		return false
	}
	taken := make([]bool, len(other.keys))
next:
	for i, k := range s.keys {
		for step := range other.keys {
			j := (i + step) % len(other.keys) // documents seldom change their order
			if !taken[j] && k.Equal(other.keys[j]) {
				taken[j] = true
				continue next
			}
		}
		return false
	}
	return true
}
