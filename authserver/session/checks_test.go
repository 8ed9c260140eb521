// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// TestNamesOfSessionsTellNothing guards that neither a copy of the database nor the list of sessions holds what a cookie does.
func TestNamesOfSessionsTellNothing(t *testing.T) {
	l := newLab(t)
	value := l.begin(t, Begin{})
	raw, err := encoding.DecodeString(value)
	if err != nil {
		t.Fatal(err)
	}
	key := Key(value)
	if bytes.Contains(key[:], []byte(value[:8])) || bytes.Contains(key[:], raw[:8]) {
		t.Error("the key of a session holds the cookie's value")
	}
	id := ID(key)
	for _, shown := range []string{hex.EncodeToString(key[:8]), base64.RawURLEncoding.EncodeToString(key[:9]), string(key[:8])} {
		if strings.Contains(id, shown) {
			t.Error("the ID of a session holds its key")
		}
	}
}

// TestAClockThatIsSetBack must not make a session last: what was found in the future is not believed.
func TestAClockThatIsSetBack(t *testing.T) {
	l := newLab(t)
	value := l.begin(t, Begin{})
	l.want(t, value, "tjane")
	if err := l.switched.EndSession(t.Context(), Key(value)); err != nil {
		t.Fatal(err)
	}
	l.clock.pass(-time.Hour)
	l.want(t, value, "")
}

// TestTokensAreOfTheConfiguration guards that what a session stands for is signed anew with another configuration: other keys, another audience.
func TestTokensAreOfTheConfiguration(t *testing.T) {
	l := newLab(t)
	value := l.begin(t, Begin{})
	l.want(t, value, "tjane")
	l.snap = newSnapshot(t)
	l.want(t, value, "ttjane")
	l.want(t, value, "ttjane")
}

// TestNoTokenOutlivesItself guards the end of a token beside the pause before the store is asked again.
func TestNoTokenOutlivesItself(t *testing.T) {
	l := newLab(t)
	value := l.begin(t, Begin{})
	l.want(t, value, "tjane")
	l.switched.away.Store(true)
	l.clock.pass(15*time.Minute - time.Second)
	l.want(t, value, "tjane")
	l.clock.pass(time.Second)
	if got, err := l.token(t, value); !errors.Is(err, errAway) {
		t.Errorf("at the end of the token: %q, %v", got, err)
	}
}

// TestAnEndElsewhereDuringALook guards a session that another replica ends after this one has read it and before it notes the use.
func TestAnEndElsewhereDuringALook(t *testing.T) {
	l := newLab(t)
	value := l.begin(t, Begin{})
	l.clock.pass(touchInterval)
	l.switched.during = func() {
		l.switched.during = nil
		if err := l.switched.EndSession(context.Background(), Key(value)); err != nil {
			t.Error(err)
		}
	}
	l.want(t, value, "")
}

// TestALookWhileASessionEnds guards one that begins after it was decided that the session is over, and reads it before the store has ended it.
func TestALookWhileASessionEnds(t *testing.T) {
	l := newLab(t)
	value := l.begin(t, Begin{})
	s, err := l.switched.Session(t.Context(), Key(value), l.clock.now())
	if err != nil {
		t.Fatal(err)
	}
	l.switched.ending = func() {
		l.switched.ending = nil
		l.want(t, value, "tjane") // as it has not ended yet
	}
	if err := l.over(t.Context(), &s, "the provider says no", true); !errors.Is(err, ErrNoSession) {
		t.Fatal(err)
	}
	l.want(t, value, "")
}

// TestAProviderThatIsRemovedWhileTheStoreIsAway guards that nobody goes on through it.
func TestAProviderThatIsRemovedWhileTheStoreIsAway(t *testing.T) {
	l := newLab(t)
	value := l.begin(t, Begin{})
	l.want(t, value, "tjane")
	l.switched.away.Store(true)
	l.snap = newSnapshot(t, func(b *config.Base) { b.Providers = nil })
	if got, err := l.token(t, value); !errors.Is(err, errAway) {
		t.Errorf("got %q, %v", got, err)
	}
	l.snap = newSnapshot(t)
	l.want(t, value, "tjane")
}
