// SPDX-License-Identifier: Apache-2.0

package render

import "crypto/sha256"

// Memo remembers from one plan to the next what was judged of a text: compiling an expression or evaluating an example takes a tenth of a
// millisecond or more, and a pass looks at every policy. It holds hashes and judgements, no text and no value of a Secret. What a
// judgement depends on is all in its key, so with or without a memo a render comes out the same.
//
// The zero value is ready. It is for one server's plans, one after the other.
type Memo struct {
	before, now map[[sha256.Size]byte]string
}

// turn begins another plan: what the last one did not ask for is forgotten.
func (m *Memo) turn() {
	if m != nil {
		m.before, m.now = m.now, map[[sha256.Size]byte]string{}
	}
}

// recall returns judge's answer, or what it was the last time for the same parts.
func (m *Memo) recall(judge func() string, parts ...string) string {
	if m == nil {
		return judge()
	}
	h := sha256.New()
	for _, p := range parts {
		sum := sha256.Sum256([]byte(p))
		_, _ = h.Write(sum[:]) // a hash never fails
	}
	key := [sha256.Size]byte(h.Sum(nil))
	answer, known := m.now[key]
	if !known {
		answer, known = m.before[key]
	}
	if !known {
		answer = judge()
	}
	m.now[key] = answer
	return answer
}
