// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/fold"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// maxSuffix is the last number that is tried as a suffix. Beyond it a part of the user's ID is the suffix: a hundred people of one
// name at one provider are an attack or an accident, and neither may make a login slow.
const maxSuffix = 100

// username finds the name of a user who asks for wanted: that one if it is free, else with the provider's name behind it, else with a
// number behind that. A user who has a name with a suffix of wanted keeps it while wanted is taken.
func username(tx store.UserTx, snap *Snapshot, u *store.User, wanted, provider string) (string, error) {
	free := func(name string) (bool, error) {
		folded := fold.Name(name)
		if snap.occupied(u.Organization, folded) {
			return false, nil
		}
		other, err := tx.UserByUsername(name)
		if errors.Is(err, store.ErrNotFound) {
			return true, nil
		}
		return err == nil && other.ID == u.ID, err
	}
	if ok, err := free(wanted); ok || err != nil {
		return wanted, err
	}
	suffixed := wanted + "." + provider
	if had, base := fold.Name(u.Username), fold.Name(suffixed); had == base || strings.HasPrefix(had, base+".") {
		if ok, err := free(u.Username); ok || err != nil {
			return u.Username, err
		}
	}
	for n := 1; n <= maxSuffix; n++ {
		name := suffixed
		if n > 1 {
			name += "." + strconv.Itoa(n)
		}
		if ok, err := free(name); ok || err != nil {
			return name, err
		}
	}
	name := suffixed + "." + u.ID
	if ok, err := free(name); ok || err != nil {
		return name, err
	}
	return "", fmt.Errorf("finding a username: all of %d candidates are taken", maxSuffix+2)
}
