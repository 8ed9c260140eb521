// SPDX-License-Identifier: Apache-2.0

package password

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// known are hashes of "correct horse" by other implementations: libxcrypt (bcrypt) and Python's hashlib.
var known = map[string]string{
	"bcrypt 2b":              "$2b$08$abcdefghijklmnopqrstuubAvJmxpQuyV3jn7x.SUSPxe.DearCPe",
	"bcrypt 2y":              "$2y$08$abcdefghijklmnopqrstuubAvJmxpQuyV3jn7x.SUSPxe.DearCPe",
	"scrypt":                 "$scrypt$ln=14,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$0LupyHkzAIgDr9UDsriAAf87vMbCbcaUfDvFOAHk0D0",
	"pbkdf2-sha1":            "$pbkdf2-sha1$100000$MDEyMzQ1Njc4OWFiY2RlZg$Y8Lf8HQevjTQJEloeIf2ZeOgG2A",
	"pbkdf2, SHA-1 implied":  "$pbkdf2$100000$MDEyMzQ1Njc4OWFiY2RlZg$Y8Lf8HQevjTQJEloeIf2ZeOgG2A",
	"pbkdf2-sha256":          "$pbkdf2-sha256$100000$MDEyMzQ1Njc4OWFiY2RlZg$WYEVV1ul0qBt7iGnOFpq5RmH0aOFvmOKTlUAgn9mWYM",
	"pbkdf2-sha256, PHC":     "$pbkdf2-sha256$i=100000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$WYEVV1ul0qBt7iGnOFpq5RmH0aOFvmOKTlUAgn9mWYM",
	"pbkdf2-sha384, crypt":   "$pbkdf2-sha384$100000$MDEyMzQ1Njc4OWFiY2RlZg$3yv5hLMHB33bdS8k/kz0mFiDPDqB8ci./oCqvwhoZNSGnFFcaTN62xYkptTww2mV",
	"pbkdf2-sha384, PHC (+)": "$pbkdf2-sha384$i=100000$MDEyMzQ1Njc4OWFiY2RlZg$3yv5hLMHB33bdS8k/kz0mFiDPDqB8ci+/oCqvwhoZNSGnFFcaTN62xYkptTww2mV",
	"pbkdf2-sha512":          "$pbkdf2-sha512$100000$MDEyMzQ1Njc4OWFiY2RlZg$C.dOFpKqFeIzUANU3ZXZkPDPTPiTOG2osuKiNKUrSFW2RC7gk1XaF.MReHmX9491VuSWI/UHg5Na7.8UfaJVQA",
}

func TestVerifyAgreesWithOtherImplementations(t *testing.T) {
	v := NewVerifier(4)
	for name, phc := range known {
		t.Run(name, func(t *testing.T) {
			for password, want := range map[string]bool{"correct horse": true, "correct horsf": false, "Correct horse": false, "": false} {
				if got, err := v.Verify(t.Context(), phc, []byte(password)); err != nil || got != want {
					t.Errorf("%q: got %v, %v, want %v", password, got, err, want)
				}
			}
		})
	}
	// The reference implementation's own test vector.
	const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if got, err := v.Verify(t.Context(), reference, []byte("password")); err != nil || !got {
		t.Errorf("argon2id reference vector: %v, %v", got, err)
	}
}

func TestHashIsArgon2idWithTheDefaultParameters(t *testing.T) {
	got, err := Hash([]byte("correct horse"), bytes.NewReader(bytes.Repeat([]byte{7}, 16)))
	if err != nil {
		t.Fatal(err)
	}
	const want = "$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$"
	if !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want prefix %q", got, want)
	}
	if err := Check(got); err != nil {
		t.Errorf("Check refuses what Hash made: %v", err)
	}
	if ok, err := NewVerifier(1).Verify(t.Context(), got, []byte("correct horse")); !ok || err != nil {
		t.Errorf("Verify = %v, %v", ok, err)
	}
}

func TestHashRefusesLengthsItCouldNotVerify(t *testing.T) {
	for _, n := range []int{0, MaxLength + 1} {
		if _, err := Hash(make([]byte, n), rand.Reader); !errors.Is(err, ErrLength) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if _, err := Hash([]byte("x"), io.LimitReader(rand.Reader, 15)); err == nil {
		t.Error("a short read of randomness was not noticed")
	}
}

const (
	salt = "MDEyMzQ1Njc4OWFiY2RlZg"
	key  = "WYEVV1ul0qBt7iGnOFpq5RmH0aOFvmOKTlUAgn9mWYM"
)

func argon(parameters string) string {
	return fmt.Sprintf("$argon2id$v=19$%s$%s$%s", parameters, salt, key)
}

func TestCheckBounds(t *testing.T) {
	bcrypted := "$abcdefghijklmnopqrstuubAvJmxpQuyV3jn7x.SUSPxe.DearCPe"
	tests := []struct{ name, phc, want string }{
		{"argon2id smallest memory", argon("m=7168,t=5,p=1"), ""},
		{"argon2id largest memory", argon("m=131072,t=4,p=16"), ""},
		{"argon2id most passes", argon("m=32768,t=16,p=1"), ""},
		{"argon2id RFC 9106 §4, second choice", argon("m=65536,t=3,p=4"), ""},
		{"argon2id too much work", argon("m=131072,t=5,p=1"), "work m·t (KiB) is 655360, but must be at most 524288"},
		{"argon2id too much of everything", argon("m=4294967295,t=4294967295,p=1"), "work m·t (KiB) is 18446744065119617025,"},
		{"argon2id any order of parameters", argon("p=1,t=2,m=19456"), ""},
		{"argon2id too little memory", argon("m=7167,t=1,p=1"), "memory m (KiB) is 7167, but must be between 7168 and 131072"},
		{"argon2id too much memory", argon("m=131073,t=1,p=1"), "must be between 7168 and 131072"},
		{"argon2id too many passes", argon("m=8192,t=17,p=1"), "passes t is 17"},
		{"argon2id no pass", argon("m=8192,t=0,p=1"), "passes t is 0"},
		{"argon2id too parallel", argon("m=8192,t=1,p=17"), "parallelism p is 17"},
		{"argon2id parameter twice", argon("m=8192,m=8192,t=1,p=1"), "once each"},
		{"argon2id parameter missing", argon("m=8192,t=1"), "once each"},
		{"argon2id parameter unknown", argon("m=8192,t=1,p=1,x=1"), "once each"},
		{"argon2id number with sign", argon("m=+8192,t=1,p=1"), "once each"},
		{"argon2id number with leading zero", argon("m=08192,t=1,p=1"), "once each"},
		{"argon2id number that overflows", argon("m=4294975488,t=1,p=1"), "once each"},
		{"argon2id old version", "$argon2id$v=16$m=8192,t=1,p=1$" + salt + "$" + key, "is written $argon2id$v=19$"},
		{"argon2id short salt", "$argon2id$v=19$m=8192,t=1,p=1$MDEyMzQ1Ng$" + key, "salt's length (bytes) is 7"},
		{"argon2id short key", "$argon2id$v=19$m=8192,t=1,p=1$" + salt + "$MDEyMzQ1Njc4OWFiY2Rl", "key's length (bytes) is 15"},
		{"argon2id padded base64", "$argon2id$v=19$m=8192,t=1,p=1$" + salt + "==$" + key, "salt is not unpadded base64"},
		{"bcrypt cheapest", "$2a$08" + bcrypted, ""},
		{"bcrypt too cheap", "$2b$07" + bcrypted, "bcrypt cost is 7, but must be between 8 and 14"},
		{"bcrypt costliest", "$2b$14" + bcrypted, ""},
		{"bcrypt too costly", "$2b$15" + bcrypted, "bcrypt cost is 15"},
		{"bcrypt cut off", "$2b$10$abc", "53 characters"},
		{"bcrypt foreign alphabet", "$2b$10$+" + bcrypted[2:], "alphabet"},
		{"scrypt too little memory", "$scrypt$ln=12,r=8,p=1$" + salt + "$" + key, "memory 128·N·r (bytes) is 4194304"},
		{"scrypt largest", "$scrypt$ln=17,r=8,p=2$" + salt + "$" + key, ""},
		{"scrypt too much memory", "$scrypt$ln=18,r=8,p=1$" + salt + "$" + key, "memory 128·N·r"},
		{"scrypt too much work", "$scrypt$ln=17,r=8,p=3$" + salt + "$" + key, "work 128·N·r·p"},
		{"scrypt absurd", "$scrypt$ln=63,r=8,p=1$" + salt + "$" + key, "scrypt ln is 63"},
		{"pbkdf2 too few", "$pbkdf2-sha256$99999$" + salt + "$" + key, "pbkdf2 iterations is 99999"},
		{"pbkdf2 most", "$pbkdf2-sha256$5000000$" + salt + "$" + key, ""},
		{"pbkdf2 too many", "$pbkdf2-sha256$5000001$" + salt + "$" + key, "pbkdf2 iterations is 5000001"},
		{"pbkdf2 too many of SHA-512", "$pbkdf2-sha512$2000001$" + salt + "$" + key, "pbkdf2 iterations is 2000001"},
		{"pbkdf2 a key of two blocks", "$pbkdf2-sha1$2500001$" + salt + "$" + key, "iterations times blocks of the key is 5000002"},
		{"pbkdf2 no number", "$pbkdf2-sha256$i=many$" + salt + "$" + key, "not a number"},
		{"empty", "", "it is empty"},
		{"too long", "$2b$" + strings.Repeat("a", 509), "more than 512 bytes"},
		{"line break", argon("m=8192,t=1,p=1") + "\n", "line breaks"},
		{"plain text", "hunter2-hunter2", "plain text is never accepted"},
		{"plain text with a dollar", "$hunter2$hunter2", "not one of argon2id"},
		{"LDAP prefix", "{CRYPT}" + argon("m=8192,t=1,p=1"), "plain text is never accepted"},
		{"go-crypt plain text", "$plaintext$hunter2", "plain text is not accepted"},
		{"md5-crypt", "$1$O3JMY.Tw$AdLnLjQ/5jXF9.MTp3gHv/", "md5-crypt is not accepted"},
		{"sha256-crypt", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc8", "sha256-crypt is not accepted"},
		{"sha512-crypt", "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJu", "sha512-crypt is not accepted"},
		{"argon2i", strings.Replace(argon("m=8192,t=1,p=1"), "argon2id", "argon2i", 1), "argon2i is not accepted"},
		{"yescrypt", "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0.WiB9W.zEaKlOBL35rC", "yescrypt is not accepted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Check(tt.phc)
			if tt.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if err == nil || !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "gatehouse hash-password") {
				t.Errorf("got %v, want an error with %q and the fix", err, tt.want)
			}
			if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), salt) || strings.Contains(err.Error(), key)) {
				t.Errorf("the error repeats the text: %v", err)
			}
			if _, err := NewVerifier(1).Verify(t.Context(), tt.phc, []byte("x")); tt.phc != "" && !errors.Is(err, ErrUnsupported) {
				t.Errorf("Verify computed it: %v", err)
			}
		})
	}
}

// TestCostIsWhatTakesTime guards which hashes count as equally costly: whatever changes the work, and nothing else.
func TestCostIsWhatTakesTime(t *testing.T) {
	other := "ZmVkY2JhOTg3NjU0MzIxMA" // another salt
	groups := [][]string{
		{argon("m=19456,t=2,p=1"), argon("p=1,t=2,m=19456"), strings.Replace(argon("m=19456,t=2,p=1"), salt, other, 1)},
		{argon("m=19457,t=2,p=1")}, {argon("m=19456,t=3,p=1")}, {argon("m=19456,t=2,p=2")},
		{known["bcrypt 2b"], known["bcrypt 2y"]}, {strings.Replace(known["bcrypt 2b"], "$08$", "$09$", 1)},
		{known["scrypt"]}, {strings.Replace(known["scrypt"], "p=1", "p=2", 1)},
		{known["pbkdf2-sha1"], known["pbkdf2, SHA-1 implied"]},
		{known["pbkdf2-sha256"], known["pbkdf2-sha256, PHC"]}, {strings.Replace(known["pbkdf2-sha256"], "100000", "100001", 1)},
		{known["pbkdf2-sha512"]}, {strings.Replace(known["pbkdf2-sha512"], "sha512", "sha256", 1)}, // a key of two blocks
	}
	seen := map[string]int{}
	for i, group := range groups {
		for _, phc := range group {
			cost, err := Cost(phc)
			if err != nil {
				t.Fatalf("%s: %v", phc, err)
			}
			if j, ok := seen[cost]; ok && j != i {
				t.Errorf("%s and %s have one cost", phc, groups[j][0])
			}
			if seen[cost] = i; strings.Contains(cost, salt) || strings.Contains(cost, key) {
				t.Errorf("the cost tells salt or key: %s", cost)
			}
		}
	}
	if len(seen) != len(groups) {
		t.Errorf("%d costs, want %d", len(seen), len(groups))
	}
	if _, err := Cost("hunter2"); !errors.Is(err, ErrUnsupported) {
		t.Errorf("no hash: %v", err)
	}
}

func FuzzCheckNeverPanicsAndBoundsMemory(f *testing.F) {
	for _, phc := range known {
		f.Add(phc)
	}
	f.Add(argon("m=19456,t=2,p=1"))
	f.Fuzz(func(t *testing.T, phc string) {
		if h, err := parse(phc); err == nil && h.memory > MaxMemory {
			t.Errorf("%q: %d bytes of memory", phc, h.memory)
		}
	})
}
