// SPDX-License-Identifier: Apache-2.0

package store

import (
	"database/sql"
	"errors"
	"fmt"
)

var errElsewhere = errors.New("storing: the ID of a user belongs to another organization")

// count keeps the number of the organization's users of providers as it is after user is stored. Anybody may cause one where a provider
// lets everybody in; users of administrators are not counted.
func (u userTx) count(user *User) error {
	var organization, provider string
	err := u.t.get(`SELECT organization, provider FROM users WHERE id = ?`, []any{user.ID}, &organization, &provider)
	switch {
	case err == nil && organization != u.organization:
		return errElsewhere
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("reading a user: %w", err)
	}
	switch before, after := provider != "", user.Provider != ""; {
	case before && !after:
		return u.uncount()
	case before || !after:
		return nil
	}
	n, err := u.t.exec(`INSERT INTO user_counts (organization, n) VALUES (?, 1)
		ON CONFLICT (organization) DO UPDATE SET n = user_counts.n + 1 WHERE user_counts.n < ?`, u.organization, u.most)
	if err != nil {
		return fmt.Errorf("counting users: %w", err)
	}
	if n == 0 {
		return fmt.Errorf("storing a user: the organization has %d users of providers: %w", u.most, ErrFull)
	}
	return nil
}

func (u userTx) uncount() error {
	if _, err := u.t.exec(`UPDATE user_counts SET n = n - 1 WHERE organization = ?`, u.organization); err != nil {
		return fmt.Errorf("counting users: %w", err)
	}
	return nil
}
