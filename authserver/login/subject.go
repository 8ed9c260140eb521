// SPDX-License-Identifier: Apache-2.0

package login

// SubjectOf is the sub of the user of the Secret who has that e-mail address, be there one or not; "" without a Password provider.
func (s *Snapshot) SubjectOf(email string) string {
	if s.directory == nil {
		return ""
	}
	return subject(s.issuer, s.directory.provider, Fold(email))
}
