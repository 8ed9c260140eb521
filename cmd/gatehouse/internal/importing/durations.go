// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"fmt"
	"time"
)

// lifetime is a duration of the file, as Go writes them, within bounds; 0 where there is none. What is outside is brought inside, and told.
func (s *Settings) lifetime(o *Object, key string, least, most time.Duration) time.Duration {
	text := s.Text(key)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil || d < 0:
		s.Mistake(key, "want a duration such as 15m or 168h")
		return 0
	case d == 0:
		return 0
	case d < least:
		o.Notes = append(o.Notes, s.Note(key, "it is below %s, the least there is here, which is taken", duration(least)))
		return least
	case d > most:
		o.Notes = append(o.Notes, s.Note(key, "it is above %s, the most there is here, which is taken", duration(most)))
		return most
	}
	return d
}

// duration is written in hours, minutes or seconds, whichever is whole; fractions of a second are left out.
func duration(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0 && d/time.Minute < 100000:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d/time.Second < 100000:
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return fmt.Sprintf("%dh%dm%ds", d/time.Hour, d%time.Hour/time.Minute, d%time.Minute/time.Second)
}

// tokens sets lifetimes; access is not above refresh, nor above its default. Zero: the default.
func (o *Object) tokens(access time.Duration, accessFrom string, refresh time.Duration, refreshFrom string) {
	var f Fields
	limit := refresh
	if limit == 0 {
		limit = refreshDefault * time.Minute
	}
	if access == 0 && limit < accessDefault*time.Minute {
		access, accessFrom = limit, "not above refreshTokenLifetime"
	}
	if access > limit {
		o.Notes = append(o.Notes, Note{Text: accessFrom + ": an access token that outlives the login is shortened to " + duration(limit)})
		access = limit
	}
	if access > 0 {
		f.SetFrom("accessTokenLifetime", duration(access), accessFrom)
	}
	if refresh > 0 {
		f.SetFrom("refreshTokenLifetime", duration(refresh), refreshFrom)
	}
	if len(f) > 0 {
		o.Spec.Set("tokens", f)
	}
}
