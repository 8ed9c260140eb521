// SPDX-License-Identifier: Apache-2.0

package refresh

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
)

func create(t *testing.T) Token {
	t.Helper()
	token, err := New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTokensRoundTripAndNameTheirFamily(t *testing.T) {
	first := create(t)
	next, err := first.Next(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if first.Family() != next.Family() || first.Hash() == next.Hash() || first.Text() == next.Text() {
		t.Error("a successor has the same family and another hash")
	}
	if other := create(t); other.Family() == first.Family() {
		t.Error("two logins share a family")
	}
	if bytes.Equal(first.raw[familyLength:], next.raw[familyLength:]) {
		t.Error("the 256 random bits are not new")
	}
	parsed, err := Parse(first.Text())
	if err != nil || parsed != first {
		t.Errorf("Parse: %v", err)
	}
	if first.Hash() != sha256.Sum256([]byte(first.Text())) {
		t.Error("Hash is not the SHA-256 of the text")
	}
}

func TestParseRefusesOtherTexts(t *testing.T) {
	text := create(t).Text()
	for _, bad := range []string{"", text[:63], text + "A", text + "=", " " + text[1:], text[:63] + "+", text[:62] + "\n\n", strings.Repeat("ä", 32)} {
		if _, err := Parse(bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("%d characters: %v", len(bad), err)
		}
	}
}

func TestOnlyTheUsedTokenOpensItsSuccessor(t *testing.T) {
	used, successor := create(t), create(t)
	sealed, err := Seal(used, successor, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Open(used, sealed); err != nil || got != successor {
		t.Errorf("Open: %v", err)
	}
	if bytes.Contains(sealed, successor.raw[:familyLength]) || bytes.Contains(sealed, successor.raw[familyLength:]) {
		t.Error("the successor can be read in what is stored")
	}
	for name, token := range map[string]Token{"the successor": successor, "a stranger": create(t)} {
		if _, err := Open(token, sealed); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := Open(used, changed); !errors.Is(err, ErrSealed) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	if _, err := Open(used, sealed[:5]); !errors.Is(err, ErrSealed) {
		t.Errorf("cut off: %v", err)
	}
}

func TestTokensNeverPrint(t *testing.T) {
	token := create(t)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "token", token)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "token", token)
	printed := log.String() + fmt.Sprintf("%v %+v %#v %s", token, token, token, token)
	if strings.Contains(printed, token.Text()) || strings.Contains(printed, fmt.Sprint(token.raw[0], token.raw[1])) || strings.Count(printed, "[redacted]") != 6 {
		t.Errorf("printed %s", printed)
	}
}

func TestShortRandomnessIsAnError(t *testing.T) {
	short := func(n int64) io.Reader { return io.LimitReader(rand.Reader, n) }
	if _, err := New(short(47)); err == nil {
		t.Error("New")
	}
	if _, err := create(t).Next(short(31)); err == nil {
		t.Error("Next")
	}
	if _, err := Seal(create(t), create(t), short(11)); err == nil {
		t.Error("Seal")
	}
}

func BenchmarkRefreshTokenUse(b *testing.B) {
	used, err := New(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		next, err := used.Next(rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Seal(used, next, rand.Reader); err != nil {
			b.Fatal(err)
		}
	}
}

// TestTokensOfAFamilyShareAKey guards that what a login keeps stays readable through refreshes, and to nobody else.
func TestTokensOfAFamilyShareAKey(t *testing.T) {
	key := func(token Token) [sha256.Size]byte {
		t.Helper()
		key, err := token.FamilyKey()
		if err != nil || len(key) != sha256.Size {
			t.Fatal(len(key), err)
		}
		return [sha256.Size]byte(key)
	}
	first := create(t)
	next, err := first.Next(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if key(first) != key(next) {
		t.Error("a successor has another key")
	}
	if key(first) == key(create(t)) {
		t.Error("two families share a key")
	}
	if k := key(first); k == first.Family() || k == first.Hash() {
		t.Error("the store knows the key")
	}
}
