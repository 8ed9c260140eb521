// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/fold"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// maxSuffix is the last number that is tried as a suffix. Beyond it a part of the user's ID is the suffix: a hundred people of one
// name at one provider are an attack or an accident, and neither may make a login slow.
const maxSuffix = 100

// username finds the name of a user who asks for wanted: the first of its candidates that is free.
func username(tx store.UserTx, snap *Snapshot, u *store.User, wanted, provider string) (string, error) {
	for name := range candidates(u, wanted, provider) {
		if ok, err := free(tx, snap, u, name); ok || err != nil {
			return name, err
		}
	}
	return "", fmt.Errorf("finding a username: all of %d candidates are taken", maxSuffix+2)
}

// candidates are the names to try: wanted, then with the provider's name behind it, then with a number behind that, at last with the user's ID. A user who has a
// name with a suffix of wanted keeps it while wanted is taken.
func candidates(u *store.User, wanted, provider string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield(wanted) {
			return
		}
		suffixed := wanted + "." + provider
		if had, base := fold.Name(u.Username), fold.Name(suffixed); had == base || strings.HasPrefix(had, base+".") {
			if !yield(u.Username) {
				return
			}
		}
		if !yield(suffixed) {
			return
		}
		for n := 2; n <= maxSuffix; n++ {
			if !yield(suffixed + "." + strconv.Itoa(n)) {
				return
			}
		}
		yield(suffixed + "." + u.ID)
	}
}

// free tells whether a name is nobody's but the user's own. An e-mail address with which somebody else logs in by password is as good as a username: applications
// that are told it would take one for the other.
func free(tx store.UserTx, snap *Snapshot, u *store.User, name string) (bool, error) {
	if snap.occupied(u.Organization, fold.Name(name)) {
		return false, nil
	}
	owner, err := tx.PasswordUser(name)
	switch {
	case err == nil && owner.ID != u.ID:
		return false, nil
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return false, err
	}
	other, err := tx.UserByUsername(name)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	return err == nil && other.ID == u.ID, err
}
