// SPDX-License-Identifier: Apache-2.0

package clientaddr

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func TestFrom(t *testing.T) {
	edge := []string{"10.0.0.0/8", "2001:db8:e::/48", "203.0.113.9/32"}
	for name, tt := range map[string]struct {
		trusted    []string
		connection string
		forwarded  []string // one for each header line
		want       string
	}{
		"nobody is trusted":              {nil, "10.0.0.1:80", []string{"192.0.2.1"}, "10.0.0.1"},
		"the connection is no proxy's":   {edge, "192.0.2.7:80", []string{"192.0.2.1"}, "192.0.2.7"},
		"no header":                      {edge, "10.0.0.1:80", nil, "10.0.0.1"},
		"one proxy":                      {edge, "10.0.0.1:80", []string{"192.0.2.1"}, "192.0.2.1"},
		"what the client sent is left":   {edge, "10.0.0.1:80", []string{"198.51.100.1, 192.0.2.1"}, "192.0.2.1"},
		"also where it names a proxy":    {edge, "10.0.0.1:80", []string{"198.51.100.1, 10.0.0.5, 192.0.2.1"}, "192.0.2.1"},
		"also where it is no address":    {edge, "10.0.0.1:80", []string{"<script>, 192.0.2.1"}, "192.0.2.1"},
		"also in a line of its own":      {edge, "10.0.0.1:80", []string{"198.51.100.1", "192.0.2.1"}, "192.0.2.1"},
		"two proxies":                    {edge, "10.0.0.1:80", []string{"192.0.2.1, 203.0.113.9"}, "192.0.2.1"},
		"two proxies in two lines":       {edge, "10.0.0.1:80", []string{"198.51.100.1, 192.0.2.1", "203.0.113.9"}, "192.0.2.1"},
		"only proxies":                   {edge, "10.0.0.1:80", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"everybody is trusted":           {[]string{"0.0.0.0/0"}, "10.0.0.1:80", []string{"192.0.2.1, 192.0.2.2"}, "192.0.2.1"},
		"with a port":                    {edge, "10.0.0.1:80", []string{"192.0.2.1:5000"}, "192.0.2.1"},
		"IPv6":                           {edge, "10.0.0.1:80", []string{"2001:db8::1"}, "2001:db8::1"},
		"IPv6 in brackets":               {edge, "10.0.0.1:80", []string{"[2001:db8::1]"}, "2001:db8::1"},
		"IPv6 with a port":               {edge, "10.0.0.1:80", []string{"[2001:db8::1]:5000"}, "2001:db8::1"},
		"a zone is left out":             {edge, "10.0.0.1:80", []string{"fe80::1%eth0"}, "fe80::1"},
		"a proxy's zone is left out":     {[]string{"fe80::/10"}, "[fe80::9%eth0]:80", []string{"192.0.2.1"}, "192.0.2.1"},
		"IPv4 in IPv6, told":             {edge, "10.0.0.1:80", []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		"IPv4 in IPv6, connected":        {edge, "[::ffff:10.0.0.1]:80", []string{"192.0.2.1"}, "192.0.2.1"},
		"IPv4 in IPv6, trusted":          {[]string{"::ffff:10.0.0.0/104"}, "10.0.0.1:80", []string{"192.0.2.1"}, "192.0.2.1"},
		"an IPv6 proxy":                  {edge, "[2001:db8:e::1]:80", []string{"192.0.2.1"}, "192.0.2.1"},
		"spaces and tabs":                {edge, "10.0.0.1:80", []string{" 198.51.100.1 ,\t192.0.2.1 "}, "192.0.2.1"},
		"a proxy tells nothing":          {edge, "10.0.0.1:80", []string{""}, "10.0.0.1"},
		"a proxy tells garbage":          {edge, "10.0.0.1:80", []string{"192.0.2.1, unknown"}, "10.0.0.1"},
		"a second proxy tells garbage":   {edge, "10.0.0.1:80", []string{"_hidden, 203.0.113.9"}, "10.0.0.1"},
		"an empty last item":             {edge, "10.0.0.1:80", []string{"192.0.2.1,"}, "10.0.0.1"},
		"IPv4 in brackets":               {edge, "10.0.0.1:80", []string{"[192.0.2.1]"}, "10.0.0.1"},
		"half a bracket":                 {edge, "10.0.0.1:80", []string{"[2001:db8::1"}, "10.0.0.1"},
		"a network":                      {edge, "10.0.0.1:80", []string{"192.0.2.0/24"}, "10.0.0.1"},
		"a number":                       {edge, "10.0.0.1:80", []string{"3221225985"}, "10.0.0.1"},
		"octal":                          {edge, "10.0.0.1:80", []string{"192.0.2.010"}, "10.0.0.1"},
		"a trusted text that is no such": {[]string{"everybody"}, "10.0.0.1:80", []string{"192.0.2.1"}, "10.0.0.1"},
		"a connection without address":   {edge, "@", []string{"192.0.2.1"}, "invalid IP"},
		"very many":                      {edge, "10.0.0.1:80", []string{strings.Repeat("10.0.0.2,", 5000) + "10.0.0.2"}, "10.0.0.2"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: tt.connection, Header: http.Header{
				"X-Forwarded-For": tt.forwarded, "Forwarded": {"for=198.51.100.66"}, "X-Real-Ip": {"198.51.100.66"},
				"X-Client-Ip": {"198.51.100.66"}, "True-Client-Ip": {"198.51.100.66"}, "Cf-Connecting-Ip": {"198.51.100.66"},
			}}
			if got := From(r, Trusted(tt.trusted)).String(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// FuzzFrom guards that a client that talks through one trusted proxy is that address, whatever it sends.
func FuzzFrom(f *testing.F) {
	f.Add("192.0.2.1, 10.0.0.1")
	f.Add("[::1]:80, ,,%,fe80::1%x")
	trusted := Trusted([]string{"10.0.0.0/8"})
	want := netip.MustParseAddr("192.0.2.7")
	f.Fuzz(func(t *testing.T, sent string) {
		for _, lines := range [][]string{{sent + ", 192.0.2.7"}, {sent, "192.0.2.7"}} {
			r := &http.Request{RemoteAddr: "10.0.0.1:80", Header: http.Header{"X-Forwarded-For": lines}}
			if got := From(r, trusted); got != want {
				t.Errorf("%q: %s", lines, got)
			}
		}
		if got := From(&http.Request{RemoteAddr: "10.0.0.1:80", Header: http.Header{"X-Forwarded-For": {sent}}}, trusted); !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Errorf("%q: %s", sent, got)
		}
	})
}

func TestIgnored(t *testing.T) {
	trusted := Trusted([]string{"10.0.0.0/8"})
	for name, tt := range map[string]struct {
		connection string
		forwarded  []string
		want       bool
	}{
		"a client":                     {"192.0.2.7:80", nil, false},
		"a client that makes it up":    {"192.0.2.7:80", []string{"192.0.2.1"}, true},
		"a proxy":                      {"10.0.0.1:80", []string{"192.0.2.1"}, false},
		"a proxy, IPv4 in IPv6":        {"[::ffff:10.0.0.1]:80", []string{"192.0.2.1"}, false},
		"a proxy that says nothing":    {"10.0.0.1:80", nil, false},
		"a connection without address": {"@", []string{"192.0.2.1"}, true},
	} {
		r := &http.Request{RemoteAddr: tt.connection, Header: http.Header{"X-Forwarded-For": tt.forwarded}}
		if got := Ignored(r, trusted); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
