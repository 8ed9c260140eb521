// SPDX-License-Identifier: Apache-2.0

package token

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
)

// FuzzNumericDate compares numericDate with exact arithmetic.
func FuzzNumericDate(f *testing.F) {
	for _, seed := range []string{
		"0", "-0", "1", "0.5", "1800000000", "18e8", "18E+8", "1.8e9", "18000000000e-1", "0.0000000018e18", "253402300799",
		"253402300799.0", "253402300799.000000001", "253402300800", "2534023007990e-1", "0.253402300799e12", "1e12", "1e11", "0e999",
		"0.00e-999", "1e400", "1e-400", "1e99", "1e100", "1e-99", "1e-100", "9999999999999999999999999999e-99", "1e00000000000000000001",
		"1e+9223372036854775808", "1e-9223372036854775808", "0.000000000000000000000000000001", "-1", "-1e-400", "12345678.123456789987",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > maxNumber || !json.Valid([]byte(text)) || strings.Trim(text, "-+.eE0123456789") != "" {
			return
		}
		got, ok := numericDate(text)
		if i := strings.IndexAny(text, "eE"); i >= 0 && len(text)-i > 5 {
			return // exact arithmetic would take forever; no panic and no hang is enough
		}
		exact, valid := new(big.Rat).SetString(text)
		if !valid {
			t.Fatalf("%q is no number", text)
		}
		in := !strings.HasPrefix(text, "-") && exact.Cmp(big.NewRat(maxSeconds, 1)) <= 0
		if ok != in {
			t.Fatalf("%q: accepted %v, want %v", text, ok, in)
		}
		if !ok {
			return
		}
		nanos := new(big.Rat).Mul(exact, big.NewRat(1_000_000_000, 1))
		cut := new(big.Int).Quo(nanos.Num(), nanos.Denom())
		have := new(big.Int).Add(new(big.Int).Mul(big.NewInt(got.Unix()), big.NewInt(1_000_000_000)), big.NewInt(int64(got.Nanosecond())))
		if cut.Cmp(have) != 0 {
			t.Fatalf("%q: %s ns, want %s ns", text, have, cut)
		}
	})
}
