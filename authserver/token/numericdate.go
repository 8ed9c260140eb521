// SPDX-License-Identifier: Apache-2.0

package token

import (
	"strconv"
	"strings"
	"time"
)

// maxSeconds is the last second of the year 9999, the largest NumericDate accepted.
const maxSeconds = 253402300799

// numericDate reads a valid JSON number of at most maxNumber bytes as seconds since 1970
// (RFC 7519 §2): fractions and exponents are exact to the nanosecond and cut below it.
// Negative numbers, -0 included, and those beyond maxSeconds are refused. No step depends
// on the exponent's size.
func numericDate(number string) (time.Time, bool) {
	if strings.HasPrefix(number, "-") {
		return time.Time{}, false
	}
	mantissa, exponent := number, 0
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		mantissa = number[:i]
		var err error
		if exponent, err = strconv.Atoi(number[i+1:]); err != nil || exponent < -99 || exponent > 99 {
			return hugeExponent(mantissa, number[i+1:])
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits, point := whole+fraction, len(whole)+exponent

	// The value is 0.digits × 10^point.
	trimmed := strings.TrimLeft(digits, "0")
	point -= len(digits) - len(trimmed)
	digits = trimmed
	if digits == "" {
		return time.Unix(0, 0), true
	}
	if point > len("253402300799") {
		return time.Time{}, false
	}
	var seconds, nanos int64
	for i := range max(point, 0) {
		seconds = seconds*10 + digitAt(digits, i)
	}
	for i := range 9 {
		nanos = nanos*10 + digitAt(digits, point+i)
	}
	if seconds > maxSeconds || (seconds == maxSeconds && len(strings.TrimRight(digits, "0")) > point) {
		return time.Time{}, false
	}
	return time.Unix(seconds, nanos), true
}

// digitAt returns the i-th digit, 0 before the first and after the last.
func digitAt(digits string, i int) int64 {
	if i < 0 || i >= len(digits) {
		return 0
	}
	return int64(digits[i] - '0')
}

// hugeExponent decides numbers whose exponent outweighs the at most maxNumber digits: zero
// and vanishing fractions are 0, all others too large.
func hugeExponent(mantissa, exponent string) (time.Time, bool) {
	if strings.Trim(mantissa, "0.") == "" || strings.HasPrefix(exponent, "-") {
		return time.Unix(0, 0), true
	}
	return time.Time{}, false
}
