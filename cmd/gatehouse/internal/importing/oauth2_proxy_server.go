// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

func (o *proxyImport) serverNote(key, format string, args ...any) {
	o.server.Notes = append(o.server.Notes, o.s.Note(key, format, args...))
}

// lifetimes are of cookie_expire, after which a session ended, and cookie_refresh, after which the provider was asked again.
func (o *proxyImport) lifetimes() {
	refresh := o.s.lifetime(&o.server, "cookie_expire", refreshLeast*time.Minute, refreshMost*time.Minute)
	access := o.s.lifetime(&o.server, "cookie_refresh", accessLeast*time.Minute, accessMost*time.Minute)
	if o.s.Has("cookie_expire") {
		if refresh == 0 {
			o.serverNote("cookie_expire", "not carried over: a session ends when nobody has used it for refreshTokenLifetime, 720h by default, and no browser is asked to forget it earlier")
		} else {
			o.serverNote("cookie_expire", "a session ends when nobody has used it for this long; there it ended this long after it was last written, used or not")
		}
	}
	if o.s.Has("cookie_refresh") && access > 0 {
		o.serverNote("cookie_refresh", "accessTokenLifetime is how often the provider is asked whether it still knows somebody, where it gave a refresh token (scope offline_access), and how long access tokens live")
	}
	o.server.tokens(access, o.s.Name("cookie_refresh"), refresh, o.s.Name("cookie_expire"))
	o.store()
}

// store tells of Redis, for which there is no place.
func (o *proxyImport) store() {
	kind := o.s.Text("session_store_type")
	also := ""
	for _, key := range o.s.Keys() {
		if strings.HasPrefix(key, "redis_") {
			kind = "redis"
			also += ", " + shown(o.s.Name(key))
			o.hide(key)
		}
	}
	if kind == "redis" {
		o.serverNote("session_store_type", "Redis is not carried over%s: sessions live in the store. For several replicas, store: {type: PostgreSQL, postgreSQL: {dsnSecretRef: "+
			"{name: login-database, key: dsn}}}; Embedded, the default, is SQLite for one", also)
	} else if kind != "" {
		o.serverNote("session_store_type", "sessions live in the store of the AuthServer, and the cookie holds no token")
	}
}

// hide reads a setting that is not carried over, so that its value is printed nowhere if it looks like a secret.
func (o *proxyImport) hide(key string) {
	one := o.s.Get(key)
	if one == nil {
		return
	}
	secret := LooksSecret(key) || strings.HasPrefix(key, "redis_") && strings.Contains(key, "url")
	one.Value.secrets(secret, func(text string) { o.s.secrets[key+": "+text] = text })
}

var hostName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*(:[0-9]{1,5})?$`)

// login is the AuthServer's block of that name.
func (o *proxyImport) login() {
	var f Fields
	var hosts []string
	for _, host := range list(o.s, "whitelist_domains") {
		host = strings.ToLower(host)
		switch {
		case hostName.MatchString(host) && len(host) <= 255:
			if !slices.Contains(hosts, host) {
				hosts = append(hosts, host)
			}
		case strings.HasPrefix(host, ".") || strings.HasPrefix(host, "*."):
			o.serverNote("whitelist_domains", "one that stands for all hosts below a domain is not carried over: write each host that people return to, since whoever gets hold of another one below it could send them anywhere")
		default:
			o.serverNote("whitelist_domains", "one is not carried over: want the name of a host, with a port if need be")
		}
	}
	if len(hosts) > 64 {
		o.serverNote("whitelist_domains", "the first 64 are carried over")
		hosts = hosts[:64]
	}
	if len(hosts) > 0 {
		f.SetFrom("allowedRedirectHosts", hosts, o.s.Name("whitelist_domains"))
	}
	o.cookieDomain(&f)
	o.trustedProxies(&f)
	if len(f) > 0 {
		o.server.Spec.Set("login", f)
	}
}

// cookieDomain is the shortest one above the server's host.
func (o *proxyImport) cookieDomain(f *Fields) {
	domains := list(o.s, "cookie_domains")
	if len(domains) == 0 {
		return
	}
	u, err := url.Parse(o.external)
	if err != nil { // it was parsed before
		return
	}
	var best string
	for _, domain := range domains {
		domain = strings.ToLower(strings.TrimPrefix(domain, "."))
		above := domain == u.Hostname() || strings.HasSuffix(u.Hostname(), "."+domain)
		suffix, _ := publicsuffix.PublicSuffix(domain)
		if above && suffix != domain && u.Scheme == "https" && hostName.MatchString(domain) && (best == "" || len(domain) < len(best)) {
			best = domain
		}
	}
	if best != "" {
		f.SetFrom("cookieDomain", best, o.s.Name("cookie_domains"))
	}
	if best == "" || len(domains) > 1 {
		o.serverNote("cookie_domains", "there is one, and externalURL lies in it: set login.cookieDomain to the domain that externalURL and your applications share. Every host below it gets the cookie")
	}
}

func (o *proxyImport) trustedProxies(f *Fields) {
	behind := o.s.Bool("reverse_proxy", false)
	var networks []string
	for _, text := range list(o.s, "trusted_proxy_ips") {
		prefix, err := netip.ParsePrefix(text)
		if address, e := netip.ParseAddr(text); e == nil {
			prefix, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			o.s.Mistake("trusted_proxy_ips", "want addresses and networks such as 10.244.0.0/16")
			return
		}
		if network := prefix.Masked().String(); !slices.Contains(networks, network) && len(networks) < 32 {
			networks = append(networks, network)
		}
	}
	switch {
	case len(networks) > 0:
		f.SetFrom("trustedProxies", networks, o.s.Name("trusted_proxy_ips"))
	case behind:
		o.serverNote("reverse_proxy", "set login.trustedProxies to the networks that your gateway connects from: without it X-Forwarded-For of nobody counts, there it was anybody's")
	}
}

// untold tells of the settings that there is nothing for, reason by reason.
func (o *proxyImport) untold() {
	for _, group := range proxyUntold {
		var told []string
		line := 0
		for _, key := range group.keys {
			if o.s.byKey[key] == nil {
				continue
			}
			o.hide(key)
			o.s.read[key] = true
			if line == 0 || o.s.Line(key) < line {
				line = o.s.Line(key)
			}
			told = append(told, fmt.Sprintf("%s (line %d)", shown(o.s.Name(key)), o.s.Line(key)))
		}
		if len(told) > 0 {
			o.s.notes = append(o.s.notes, Note{Text: strings.Join(told, ", ") + ": " + group.reason, Line: line})
		}
	}
}
