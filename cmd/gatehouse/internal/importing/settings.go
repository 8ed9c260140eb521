// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Setting is a name of a file and its value.
type Setting struct {
	Key   string
	Line  int
	Value Value

	given  string // the file's name for it, where Key is another spelling; see Name
	refers bool   // a shell would put a variable's value into it
	times  int    // how often the file has it
}

// Settings are those of a file, in its order. Readers such as Text remember which were asked for, so that Rest can tell of the others, and gather mistakes.
type Settings struct {
	file     string
	all      []*Setting
	byKey    map[string]*Setting
	read     map[string]bool
	secrets  map[string]string // what Secret returned, by key
	mistakes Mistakes
	notes    []Note
	children []*Settings // of mappings inside; see Child
	place    string      // where these are in the file, such as connectors[2].config; "" for the file's own
	env      bool        // they are variables of an environment
}

func newSettings(file string) *Settings {
	return &Settings{file: file, byKey: map[string]*Setting{}, read: map[string]bool{}, secrets: map[string]string{}}
}

// add takes a setting; one that is there already is replaced.
func (s *Settings) add(one *Setting) {
	if old := s.byKey[one.Key]; old != nil {
		one.times = old.times + 1
		*old = *one
		return
	}
	one.times = 1
	s.byKey[one.Key] = one
	s.all = append(s.all, one)
}

// SettingsOf are the members of a mapping.
func SettingsOf(in Input, v Value) (*Settings, error) {
	if v.Kind != Mapping {
		return nil, Mistakes{{File: in.File, Line: v.Line, Text: "want a mapping of names to values"}}
	}
	s := newSettings(in.File)
	for _, m := range v.Members {
		s.add(&Setting{Key: m.Name, Line: m.Line, Value: m.Value})
	}
	return s, nil
}

// Child are the settings of a mapping inside a file. Finish tells of its mistakes, notes and unread settings too, by their names inside it and their lines. What is no mapping is a
// mistake, and has no settings; an absent one has none either.
func (s *Settings) Child(v Value) *Settings {
	child := newSettings(s.file)
	if v.Kind != Mapping && v.Kind != Null {
		s.mistakes = append(s.mistakes, Mistake{File: s.file, Line: v.Line, Text: "want a mapping of names to values"})
	}
	for _, m := range v.Members {
		child.add(&Setting{Key: m.Name, Line: m.Line, Value: m.Value})
	}
	s.children = append(s.children, child)
	return child
}

// ChildOf are the settings of the mapping that a setting has.
func (s *Settings) ChildOf(key string) *Settings {
	value := Value{}
	if one := s.Get(key); one != nil {
		value = one.Value
	}
	return s.ChildAt(key, value)
}

// ChildAt is Child with its place below these settings, by which messages name it. The place must be no text of the file.
func (s *Settings) ChildAt(place string, v Value) *Settings {
	child := s.Child(v)
	child.place = s.at(place)
	return child
}

// at is a name below the place of these settings.
func (s *Settings) at(name string) string {
	if s.place == "" || name == "" {
		return s.place + name
	}
	return s.place + "." + name
}

// family are these settings and those inside.
func (s *Settings) family() []*Settings {
	out := []*Settings{s}
	for _, child := range s.children {
		out = append(out, child.family()...)
	}
	return out
}

// Keys are the names of all settings, in the file's order.
func (s *Settings) Keys() []string {
	keys := make([]string, len(s.all))
	for i, one := range s.all {
		keys[i] = one.Key
	}
	return keys
}

// Has tells whether there is a value that is not empty.
func (s *Settings) Has(key string) bool {
	one := s.byKey[key]
	return one != nil && one.Value.Kind != Null && (one.Value.Kind != Text || one.Value.Text != "")
}

// Get is a setting, which counts as read; nil where it is absent or empty, which is the same to those who read such files.
func (s *Settings) Get(key string) *Setting {
	one := s.byKey[key]
	if one == nil {
		return nil
	}
	if !s.read[key] {
		s.read[key] = true
		if one.times > 1 {
			s.Tell(key, "it is there %d times: the last one counts", one.times)
		}
		if one.refers {
			s.Tell(key, "it names a variable with $, and is read as it stands: write the value itself, or put it in single quotes if it holds a $")
		}
	}
	if !s.Has(key) {
		return nil
	}
	return one
}

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

// URL is an http or https URL; "" where there is none. A URL may hold a password in many places: what is no plain endpoint is a mistake.
func (s *Settings) URL(key string) string {
	text := s.Text(key)
	if text == "" {
		return ""
	}
	if i := strings.IndexFunc(text, unicode.IsSpace); i >= 0 {
		s.Mistake(key, "the URL has a space at position %d: remove it. Want a URL such as %s", utf8.RuneCountInString(text[:i])+1, exampleOf(s.Name(key)))
		return ""
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || strings.ContainsAny(text, "\"<>\\^`{|}"):
		s.Mistake(key, "want an https URL such as %s", exampleOf(s.Name(key)))
	case u.User != nil || strings.ContainsAny(text, "#@"):
		s.Mistake(key, "want a URL without user, password and fragment")
	case secretQuery(u):
		s.Mistake(key, "a parameter of the URL may be a secret, and manifests hold none: take all but well-known ones such as tenant and fields out, and put it into the manifest if it is none")
	default:
		return text
	}
	return ""
}

// exampleOf is an example of the URL that a setting of this name has.
func exampleOf(name string) string {
	name = strings.Map(letters, strings.ToLower(name))
	for _, one := range [][2]string{
		{"issuer", ""}, {"baseurl", ""}, {"host", ""}, {"redirecturl", "/oauth2/callback"}, {"jwks", "/oauth2/jwks"}, {"logout", "/oauth2/logout"}, {"endsession", "/oauth2/logout"}, {"userinfo", "/oauth2/userinfo"},
		{"opuser", "/oauth2/userinfo"}, {"profile", "/oauth2/userinfo"}, {"validate", "/oauth2/userinfo"}, {"accesstoken", "/oauth2/token"}, {"auth", "/oauth2/authorize"}, {"loginurl", "/oauth2/authorize"},
	} {
		if strings.Contains(strings.ReplaceAll(name, "oauth2", ""), one[0]) {
			return "https://idp.example" + one[1]
		}
	}
	return "https://idp.example/oauth2/token"
}

// plainParameters are names in URLs of endpoints whose values are known to be no secret. A code or a signature has any other name.
var plainParameters = []string{
	"access_type", "alt", "api-version", "fields", "format", "hd", "lang", "locale", "orgid", "p", "page", "pagelen", "per_page", "policy", "prompt", "resource", "response_mode", "response_type",
	"schema", "scope", "select", "$select", "tenant", "ui_locales", "v", "version",
}

// secretQuery tells whether the query of a URL has a part that may be a secret.
func secretQuery(u *url.URL) bool {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return true
	}
	for name, values := range query {
		if !slices.Contains(plainParameters, name) || slices.ContainsFunc(values, func(v string) bool { return len(v) > maxParameter }) {
			return true
		}
	}
	return false
}

// maxParameter bounds the value of a parameter that a manifest repeats, in bytes.
const maxParameter = 256

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
