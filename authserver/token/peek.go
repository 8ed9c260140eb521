// SPDX-License-Identifier: Apache-2.0

package token

// PeekIssuer returns the iss of a signed token of which only form and bounds are checked; "" for one without, and for an encrypted token, whose claims nobody can
// read yet. Use it to choose whose rules and keys are tried, nothing else.
func PeekIssuer(raw string) string {
	segments, err := checkForm(raw)
	if err != nil || segments != 3 {
		return ""
	}
	t, payload, err := open(raw)
	if err != nil {
		return ""
	}
	if t.payload, err = readObject(payload); err != nil {
		return ""
	}
	return t.UnverifiedIssuer()
}
