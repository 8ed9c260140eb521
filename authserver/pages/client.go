// SPDX-License-Identifier: Apache-2.0

package pages

import "strings"

// browsers and systems are told by the first word that a User-Agent holds: more special ones come before those that they claim to be.
var (
	browsers = []struct{ word, name string }{
		{"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"EdgiOS/", "Edge"}, {"OPR/", "Opera"}, {"Vivaldi/", "Vivaldi"}, {"SamsungBrowser/", "Samsung Internet"},
		{"FxiOS/", "Firefox"}, {"Firefox/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"},
	}
	systems = []struct{ word, name string }{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
	}
)

// ClientName is how people call the browser of a User-Agent, such as "Firefox on Linux"; "Browser" where it tells nothing known. Nothing of the header itself is
// passed on. It is a hint to the person, never a decision.
func ClientName(userAgent string) string {
	name, system := "Browser", ""
	for _, b := range browsers {
		if strings.Contains(userAgent, b.word) {
			name = b.name
			break
		}
	}
	for _, s := range systems {
		if strings.Contains(userAgent, s.word) {
			system = " on " + s.name
			break
		}
	}
	return name + system
}
