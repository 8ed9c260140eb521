// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/json"
	"time"
)

// Duration is a length of time, written as Go's time.Duration prints it, such as "15m0s".
type Duration time.Duration

// Value is the duration.
func (d Duration) Value() time.Duration { return time.Duration(d) }

// MarshalJSON writes the duration as a string.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads a string such as "15m" or "15m0s". The error does not hold the text.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) != nil {
		return errDuration
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return errDuration
	}
	*d = Duration(v)
	return nil
}
