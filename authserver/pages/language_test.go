// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// TestLanguagesAreComplete guards that each file has English's messages and no others, each with the same placeholders and every plural form that the language counts by.
func TestLanguagesAreComplete(t *testing.T) {
	english, err := readLanguage(messageFiles, "messages/en.json")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("messages/*.json")
	if len(files) < 3 {
		t.Fatalf("only %q", files)
	}
	for _, file := range files {
		l, err := readLanguage(messageFiles, file)
		if err != nil {
			t.Error(err)
			continue
		}
		for key, forms := range english.messages {
			if !l.has(key) {
				t.Errorf("%s lacks %q", file, key)
				continue
			}
			for form, text := range l.messages[key] {
				want, got := placeholders(forms["other"]), placeholders(text)
				if form != "other" { // "one other browser" needs no number
					want, got = slices.DeleteFunc(want, isNumber), slices.DeleteFunc(got, isNumber)
				}
				if strings.TrimSpace(text) == "" || !slices.Equal(got, want) {
					t.Errorf("%s: %q (%s) has placeholders %q, want %q, and some words", file, key, form, got, want)
				}
			}
			if len(forms) > 1 {
				checkForms(t, file, key, l)
			}
		}
		for key := range l.messages {
			if !english.has(key) {
				t.Errorf("%s has %q, which no page uses", file, key)
			}
		}
	}
}

// checkForms wants each category that whole numbers up to 1000 fall into.
func checkForms(t *testing.T, file, key string, l *Language) {
	t.Helper()
	used := map[plural.Form]bool{}
	for n := range 1001 {
		used[plural.Cardinal.MatchPlural(l.tag, n, 0, 0, 0, 0)] = true
	}
	for form := range used {
		if l.messages[key][pluralNames[form]] == "" {
			t.Errorf("%s: %q lacks the form %q", file, key, pluralNames[form])
		}
	}
}

func isNumber(name string) bool { return name == "{n}" }

func placeholders(text string) []string {
	found := placeholder.FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// TestMessagesAreUsed guards that templates and code name only messages that exist, that each is used, and that each reason has both of its own.
func TestMessagesAreUsed(t *testing.T) {
	english := builtIn().all[0]
	unused := maps.Clone(english.messages)
	sources, _ := filepath.Glob("templates/*.html")
	code, _ := filepath.Glob("*.go")
	call := regexp.MustCompile(`\b(?:T|N)\(? ?"([a-z_.]+)"|"((?:login|continue|logout|logged_out|account)\.title)"`)
	for _, file := range append(sources, code...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(text), -1) {
			key := m[1] + m[2]
			if !english.has(key) && !strings.HasSuffix(file, "_test.go") && !strings.HasSuffix(key, ".") {
				t.Errorf("%s uses %q, which is not there", file, key)
			}
			delete(unused, key)
		}
	}
	for _, reason := range Reasons() {
		for _, key := range []string{"problem." + reason, "problem." + reason + ".title"} {
			if !english.has(key) {
				t.Errorf("%q has no message", key)
			}
			delete(unused, key)
		}
	}
	if len(unused) > 0 {
		t.Errorf("no page uses %q", slices.Sorted(maps.Keys(unused)))
	}
}

// TestReasonsAreAll guards that Reasons leaves none out.
func TestReasonsAreAll(t *testing.T) {
	text, err := os.ReadFile("reasons.go")
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`\bReason\w+ += "(\w+)"`).FindAllStringSubmatch(string(text), -1)
	var want []string
	for _, m := range all {
		want = append(want, m[1])
	}
	if got := Reasons(); len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("Reasons is %q, the constants are %q", got, want)
	}
}

// TestLanguageOfBrowser guards which language a page is in for what browsers send, English for whatever else.
func TestLanguageOfBrowser(t *testing.T) {
	p := New(Site{})
	for accept, want := range map[string]string{
		"": "en", "de": "de", "de-CH": "de", "de-AT,de;q=0.9,en;q=0.8": "de", "fr-CA, en;q=0.5": "fr", "en-GB,de;q=0.9": "en", "ja": "en", "ja,fr;q=0.5": "fr",
		"*": "en", "nonsense!!": "en", "de;q=0": "en", strings.Repeat("a-", 2000): "en", "de," + strings.Repeat("x", maxAcceptLanguage): "en",
	} {
		answer := render(t, func(w http.ResponseWriter, r *http.Request) { p.Login(w, r, http.StatusOK, LoginModel{}) }, "Accept-Language", accept)
		if got := answer.Header().Get("Content-Language"); got != want || !strings.Contains(answer.Body.String(), `<html lang="`+want+`" dir="ltr">`) {
			t.Errorf("%.40q: %q, want %q", accept, got, want)
		}
	}
}

// TestNewLanguage guards how a language is added: one file, its direction by its script, its own plural forms, and English for what it lacks.
func TestNewLanguage(t *testing.T) {
	l, err := readLanguages(fstest.MapFS{
		"messages/en.json": {Data: []byte(`{"a": "A {x}", "b": "B", "n": {"one": "{n} thing", "other": "{n} things"}}`)},
		"messages/ar.json": {Data: []byte(`{"a": "{x} ا", "n": {"zero": "z", "one": "o", "two": "t", "few": "{n} f", "many": "{n} m", "other": "{n} x"}}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	arabic := l.match("ar-EG")
	if arabic.Lang != "ar" || arabic.Dir != "rtl" {
		t.Errorf("lang %q, dir %q", arabic.Lang, arabic.Dir)
	}
	for got, want := range map[string]string{
		arabic.T("a", "x", "{y}"): "{y} ا", arabic.T("b"): "B", arabic.T("none"): "none",
		arabic.N("n", 0): "z", arabic.N("n", 2): "t", arabic.N("n", 5): "5 f", arabic.N("n", 11): "11 m", arabic.N("n", 100): "100 x",
		l.match("en").N("n", 1): "1 thing", l.match("en").N("n", 0): "0 things",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for file, data := range map[string]string{"messages/no tag.json": "{}", "messages/da.json": "[", "messages/sv.json": `{"a": 1}`} {
		if _, err := readLanguages(fstest.MapFS{"messages/en.json": {Data: []byte("{}")}, file: {Data: []byte(data)}}); err == nil {
			t.Errorf("%s is taken for a language", file)
		}
	}
	if direction(language.Persian) != "rtl" || direction(language.Hebrew) != "rtl" || direction(language.Russian) != "ltr" {
		t.Error("a direction is wrong")
	}
}

// TestAgo guards the units in which a time is told.
func TestAgo(t *testing.T) {
	v := &view{Language: builtIn().all[0]}
	for d, want := range map[time.Duration]string{
		-time.Hour: "just now", 0: "just now", 59 * time.Second: "just now", time.Minute: "1 minute ago", 59 * time.Minute: "59 minutes ago", time.Hour: "1 hour ago",
		23 * time.Hour: "23 hours ago", 24 * time.Hour: "1 day ago", 400 * 24 * time.Hour: "400 days ago",
	} {
		if got := v.Ago(now, now.Add(-d)); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
