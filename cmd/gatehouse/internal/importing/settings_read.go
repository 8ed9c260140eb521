// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"strconv"
	"strings"
	"unicode"
)

// Text is a value of one line, "" where there is none.
func (s *Settings) Text(key string) string {
	one := s.Get(key)
	switch {
	case one == nil:
		return ""
	case one.Value.Kind == List || one.Value.Kind == Mapping:
		s.Mistake(key, "want one value, not a list or a mapping")
		return ""
	case strings.ContainsFunc(one.Value.Text, unicode.IsControl):
		s.Mistake(key, "want a value of one line, without control characters")
		return ""
	}
	return strings.TrimSpace(one.Value.Text)
}

// Secret is a value that must never be printed, as it stands.
func (s *Settings) Secret(key string) string {
	one := s.Get(key)
	if one == nil {
		return ""
	}
	if one.Value.Kind == List || one.Value.Kind == Mapping {
		s.Mistake(key, "want one value, not a list or a mapping")
		return ""
	}
	s.secrets[key] = one.Value.Text
	return one.Value.Text
}

// Words are a value's parts between blanks and the separators, or the items of a list.
func (s *Settings) Words(key, separators string) []string {
	if one := s.Get(key); one != nil && one.Value.Kind == List {
		var words []string
		for _, item := range one.Value.Items {
			if item.Kind == List || item.Kind == Mapping || strings.ContainsFunc(item.Text, unicode.IsControl) {
				s.Mistake(key, "want a list of words")
				return nil
			}
			words = append(words, item.Text)
		}
		return words
	}
	return strings.FieldsFunc(s.Text(key), func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(separators, r) })
}

// Bool is a boolean, in the words that Python and shells use for it; otherwise where there is none.
func (s *Settings) Bool(key string, otherwise bool) bool {
	switch strings.ToLower(s.Text(key)) {
	case "":
		return otherwise
	case "true", "yes", "on", "1", "y", "t", "enable", "enabled":
		return true
	case "false", "no", "off", "0", "n", "f", "disable", "disabled":
		return false
	}
	s.Mistake(key, "want True or False")
	return otherwise
}

// Int is a whole number within bounds; 0 where there is none.
func (s *Settings) Int(key string, least, most int) int {
	text := s.Text(key)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		s.Mistake(key, "want a whole number from %d to %d", least, most)
		return 0
	}
	return n
}
