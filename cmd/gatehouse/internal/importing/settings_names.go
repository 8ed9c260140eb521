// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
)

// Name is the file's name for a setting, which may be another spelling of its key; the key itself where the file has none.
func (s *Settings) Name(key string) string {
	if one := s.byKey[key]; one != nil {
		return one.name()
	}
	return key
}

func (one *Setting) name() string { return cmp.Or(one.given, one.Key) }

// Line is where a setting stands, 0 if it does not.
func (s *Settings) Line(key string) int {
	if one := s.byKey[key]; one != nil {
		return one.Line
	}
	return 0
}

// Note is about a setting. The text must hold no value of the file.
func (s *Settings) Note(key, format string, args ...any) Note {
	return Note{Place: s.place, Key: s.Name(key), Text: fmt.Sprintf(format, args...), Line: s.Line(key)}
}

// Tell adds a note that belongs to no object.
func (s *Settings) Tell(key, format string, args ...any) {
	s.notes = append(s.notes, s.Note(key, format, args...))
}

// Mistake is about a setting whose value cannot be read. The text must hold no value of the file.
func (s *Settings) Mistake(key, format string, args ...any) {
	s.mistakes = append(s.mistakes, Mistake{File: s.file, Line: s.Line(key), Text: s.at(shown(s.Name(key))) + ": " + fmt.Sprintf(format, args...)})
}

var (
	secretWord  = regexp.MustCompile(`(?i)SECRET|PASSWORD|PASSWD|PASSPHRASE|PRIVATE|CREDENTIAL|TOKEN|(^|[^A-Za-z])(KEY|PASS|PWD|DSN)($|[^A-Za-z])|API_?KEY|ACCESS_?KEY`)
	harmlessEnd = regexp.MustCompile(`(?i)(URL|URI|ENDPOINT|METHOD|LIFETIME|EXPIRY|TTL|TYPE|ALGORITHM|ALG|ENABLED|NAME)$`)
)

// LooksSecret tells whether a name is likely to have a secret as its value.
func LooksSecret(name string) bool {
	return secretWord.MatchString(name) && !harmlessEnd.MatchString(name)
}

var plainKey = regexp.MustCompile(`^([A-Z_][A-Z0-9_.]*|(--)?[a-z_][a-z0-9_.-]*|[A-Za-z]{1,24}([ _-][A-Za-z]{1,24}){0,5}|[A-Za-z][a-z]{1,24}([A-Z]{1,4}[a-z]{0,24}){0,5}([.][a-z]{2,24}([A-Z]{1,4}[a-z]{0,24}){0,5})?)$`)

// shown is a name of the file for messages. What does not look like one is not repeated: it may be a part of a key that lost its quotes.
func shown(key string) string {
	if len(key) <= 64 && plainKey.MatchString(key) || slices.Contains(jwtBearerFields, key) || key == "OAuth2" {
		return key
	}
	return "a name that is not repeated here"
}
