// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// asciiHost is a host name that browsers and the server read alike.
var asciiHost = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?[.]?$`)

// checkEndpoint tells what is wrong with an endpoint's URL. Names outside ASCII are refused: browsers read some of them as others.
func checkEndpoint(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "":
		return errors.New("must be an https URL such as https://idp.example/oauth2/token")
	case !validPort(u.Port()):
		return errors.New("must have a port from 1 to 65535, or none")
	case u.User != nil || strings.ContainsAny(s, "#@"):
		return errors.New("must not hold a fragment, user or password")
	case strings.ContainsAny(s, "{}"):
		return fmt.Errorf("must not hold braces: of Entra ID name one directory, such as %s", entraIssuer)
	}
	if _, err := netip.ParseAddr(u.Hostname()); err != nil && !asciiHost.MatchString(u.Hostname()) {
		return errors.New("must have a host of letters, digits, dots and dashes: write a name in other letters as browsers send it, such as xn--bcher-kva.example")
	}
	return nil
}

// hostOf is the endpoint's host as it is compared: lower case, without port and final dot. It is "" for what is no URL.
func hostOf(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
}

// under tells whether the host is the domain or lies below it.
func under(host, domain string) bool {
	return host == domain || strings.HasSuffix(host, "."+domain)
}
