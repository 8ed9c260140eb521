// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"net/netip"
	"net/url"
	"strings"
)

// externalURLOption is for kinds with which people log in.
var externalURLOption = Option{Name: "external-url", Value: "URL", Usage: "where browsers will reach Gatehouse, such as https://auth.example.com"}

// exampleURL is written where nobody said where Gatehouse will be.
const exampleURL = "https://auth.example.com"

// externalURL is that of --external-url, else an example's.
func externalURL(in Input) (string, error) {
	given := in.Option("external-url")
	if given == "" {
		return exampleURL, nil
	}
	u, err := url.Parse(given)
	if err != nil || !plainURL(given) || u.Scheme != "https" && !loopback(u.Hostname()) {
		return "", usage("--external-url: want an https URL such as %s, without user, query and fragment; http is for a loopback host", exampleURL)
	}
	return given, nil
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// plainURL tells whether s is an http or https URL without user, query and fragment.
func plainURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil && !strings.ContainsAny(s, "?#@ \"<>\\^`{|}")
}

// serverObject begins the AuthServer that people log in at.
func serverObject(external string) Object {
	o := Object{Kind: "AuthServer", Name: "default"}
	from := "--external-url"
	if external == exampleURL {
		from = "WRITE YOURS: where browsers reach Gatehouse"
		o.Notes = append(o.Notes, Note{Text: "externalURL is an example: write where browsers will reach Gatehouse, or import with --external-url"})
	}
	o.Notes = append(o.Notes, Note{Text: "A namespace has one AuthServer called default: if there is one already, put these settings into it"})
	o.Spec.SetFrom("externalURL", external, from)
	return o
}
