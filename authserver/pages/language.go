// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed messages/*.json
var messageFiles embed.FS

// maxAcceptLanguage bounds what is read of the header, in bytes; browsers send less than 100.
const maxAcceptLanguage = 256

// message is one text: the forms of a counted one by CLDR plural category, or all under "other".
type message map[string]string

// UnmarshalJSON takes a string or an object of plural forms.
func (m *message) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*m = message{"other": text}
		return nil
	}
	var forms map[string]string
	if err := json.Unmarshal(data, &forms); err != nil {
		return err
	}
	*m = forms
	return nil
}

// Language is a language of the pages with all its messages.
type Language struct {
	tag      language.Tag
	messages map[string]message
	// Lang and Dir are the attributes of the html element.
	Lang, Dir string
}

// T is the message with {name} replaced by the value that follows the name in pairs. A key without a message is the key itself; the tests know no such key.
func (l *Language) T(key string, pairs ...string) string {
	return fill(l.messages[key]["other"], key, pairs)
}

// N is like T for a counted message; {n} is the number.
func (l *Language) N(key string, n int, pairs ...string) string {
	forms := l.messages[key]
	text, ok := forms[pluralNames[plural.Cardinal.MatchPlural(l.tag, n, 0, 0, 0, 0)]]
	if !ok {
		text = forms["other"]
	}
	return fill(text, key, append([]string{"n", strconv.Itoa(n)}, pairs...))
}

// has tells whether there is a message of that key.
func (l *Language) has(key string) bool {
	_, ok := l.messages[key]
	return ok
}

func fill(text, key string, pairs []string) string {
	if text == "" {
		return key
	}
	if len(pairs) == 0 {
		return text
	}
	replace := make([]string, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		replace[i], replace[i+1] = "{"+pairs[i]+"}", pairs[i+1]
	}
	return strings.NewReplacer(replace...).Replace(text)
}

// pluralNames are CLDR's names of the categories, as the files use them.
var pluralNames = map[plural.Form]string{
	plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other",
}

// rightToLeft are the scripts that are.
var rightToLeft = map[string]bool{"Adlm": true, "Arab": true, "Hebr": true, "Nkoo": true, "Rohg": true, "Syrc": true, "Thaa": true}

func direction(tag language.Tag) string {
	if script, _ := tag.Script(); rightToLeft[script.String()] {
		return "rtl"
	}
	return "ltr"
}

// languages are all there are, English first: the one that stands in for any other.
type languages struct {
	all     []*Language
	matcher language.Matcher
}

// builtIn reads the embedded files once. A file that cannot be read is a fault of the build, which the tests find.
var builtIn = sync.OnceValue(func() *languages {
	l, err := readLanguages(messageFiles)
	if err != nil {
		panic(err)
	}
	return l
})

// readLanguages reads messages/<tag>.json for each language. A message that one lacks is English there.
func readLanguages(files fs.FS) (*languages, error) {
	names, err := fs.Glob(files, "messages/*.json")
	if err != nil {
		return nil, fmt.Errorf("listing languages: %w", err)
	}
	english, err := readLanguage(files, "messages/en.json")
	if err != nil {
		return nil, err
	}
	l, tags := &languages{all: []*Language{english}}, []language.Tag{english.tag}
	for _, name := range names {
		if name == "messages/en.json" {
			continue
		}
		next, err := readLanguage(files, name)
		if err != nil {
			return nil, err
		}
		for key, text := range english.messages {
			if !next.has(key) {
				next.messages[key] = text
			}
		}
		l.all, tags = append(l.all, next), append(tags, next.tag)
	}
	l.matcher = language.NewMatcher(tags)
	return l, nil
}

func readLanguage(files fs.FS, name string) (*Language, error) {
	tag, err := language.Parse(strings.TrimSuffix(path.Base(name), ".json"))
	if err != nil {
		return nil, fmt.Errorf("reading the language of %s: %w", name, err)
	}
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, fmt.Errorf("reading a language: %w", err)
	}
	l := &Language{tag: tag, Lang: tag.String(), Dir: direction(tag)}
	if err := json.Unmarshal(data, &l.messages); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return l, nil
}

// match is the language that an Accept-Language header asks for (RFC 9110 §12.5.4), else English.
func (l *languages) match(accept string) *Language {
	if accept == "" || len(accept) > maxAcceptLanguage {
		return l.all[0]
	}
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return l.all[0]
	}
	_, index, confidence := l.matcher.Match(tags...)
	if confidence == language.No {
		return l.all[0]
	}
	return l.all[index]
}
