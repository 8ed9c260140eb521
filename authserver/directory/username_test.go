// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

func called(name string) func(*Login) { return func(in *Login) { in.Username = name } }

// TestUsernameConflicts guards that two people never have one username, however it is spelt, and which suffix tells them apart.
func TestUsernameConflicts(t *testing.T) {
	w := newWorld(t)
	w.add(t, "alice@acme.example")
	for i, c := range []struct{ provider, wanted, got string }{
		{"sso", "bob", "bob"},
		{"sso", "bob", "bob.sso"},
		{"sso", "BOB", "BOB.sso.2"},
		{"hub", "ｂｏｂ", "ｂｏｂ.hub"},
		{"hub", "bob.sso.2", "bob.sso.2.hub"},
		{"sso", "alice@acme.example", "alice@acme.example.sso"},
		{"sso", "Sue", "Sue.sso"}, // the Secret's
		{"far", "sue", "sue"},     // in another organization
		{"far", "bob", "bob"},
	} {
		w.log.take(t)
		u, o := w.comes(t, c.provider, bob(fmt.Sprint(i), called(c.wanted)))
		if u.Username != c.got || o.RenamedFrom != "" || (o.Wanted != "") != (c.got != c.wanted) {
			t.Errorf("%s at %s: %q, %+v", c.wanted, c.provider, u.Username, o)
		}
		want := []string{"user.created"}
		if c.got != c.wanted {
			want = append(want, "user.renamed "+c.wanted+">"+c.got)
		}
		if diff := cmp.Diff(want, w.log.take(t)); diff != "" {
			t.Errorf("%s at %s tells (-want +got):\n%s", c.wanted, c.provider, diff)
		}
	}
}

// TestManyOfOneName guards that the search for a name ends.
func TestManyOfOneName(t *testing.T) {
	w := newWorld(t)
	var last string
	for i := range maxSuffix + 3 {
		u, _ := w.comes(t, "sso", bob(fmt.Sprint(i)))
		last = u.Username
		if i == maxSuffix && last != "bob.sso.100" {
			t.Errorf("the last number is in %q", last)
		}
		if i > maxSuffix && last != "bob.sso."+u.ID {
			t.Errorf("beyond numbers: %q", last)
		}
	}
}

// TestUsernameSync guards what happens to a name that changes or comes free.
func TestUsernameSync(t *testing.T) {
	w := newWorld(t)
	first, _ := w.comes(t, "sso", bob("1"))
	w.comes(t, "sso", bob("2"))
	w.log.take(t)
	step := func(what, subject, wanted, got, told string) {
		t.Helper()
		u, _ := w.comes(t, "sso", bob(subject, called(wanted)))
		if events := strings.Join(w.log.take(t), ", "); u.Username != got || events != told {
			t.Errorf("%s: %q and %q, want %q and %q", what, u.Username, events, got, told)
		}
	}
	step("a name that is still taken", "2", "bob", "bob.sso", "")
	step("a free name", "2", "rob", "rob", "user.renamed bob.sso>rob, user.changed username")
	step("another spelling of one's own", "2", "Rob", "Rob", "user.renamed rob>Rob, user.changed username")
	step("a taken name again", "2", "bob", "bob.sso", "user.renamed Rob>bob.sso, user.changed username")
	step("one's own suffix", "2", "bob.sso", "bob.sso", "")
	w.comes(t, "sso", bob("3"))
	w.log.take(t)
	step("the next of that name", "3", "bob", "bob.sso.2", "")
	step("a suffix comes free", "2", "rob", "rob", "user.renamed bob.sso>rob, user.changed username")
	step("and nobody moves up", "3", "bob", "bob.sso.2", "")
	if _, err := w.Delete(t.Context(), w.snapshot(), Ref{Name: first.ID}); err != nil {
		t.Fatal(err)
	}
	w.log.take(t)
	w.provider("sso").UserSync = config.SyncFirstLogin
	step("FirstLogin takes no name that came free", "3", "bob", "bob.sso.2", "")
	w.provider("sso").UserSync = config.SyncAlways
	step("Always does", "3", "bob", "bob", "user.renamed bob.sso.2>bob, user.changed username")
}

// TestTheSecretsNamesCome guards that a user whose name the Secret has taken since loses it, whatever userSync says.
func TestTheSecretsNamesCome(t *testing.T) {
	for _, sync := range []string{config.SyncAlways, config.SyncFirstLogin} {
		w := newWorld(t)
		w.provider("sso").UserSync = sync
		w.comes(t, "sso", bob("1"))
		staff := w.provider("staff").Password
		staff.Users = append(staff.Users, config.User{Email: "boss@acme.example", Username: "BOB"})
		if u, o := w.comes(t, "sso", bob("1")); u.Username != "bob.sso" || o.RenamedFrom != "bob" || o.Wanted != "bob" {
			t.Errorf("%s: %q, %+v", sync, u.Username, o)
		}
	}
}
