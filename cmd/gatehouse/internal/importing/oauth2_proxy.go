// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"net/url"
	"slices"
	"strings"
)

// oauth2Proxy is the kind for OAuth2 Proxy (docs/migrating/oauth2-proxy.md).
var oauth2Proxy = Kind{
	Usage: "the settings of OAuth2 Proxy",
	File:  "FILE.(cfg|env|yaml)",
	Long: `Turn the settings of OAuth2 Proxy into an AuthServer with lifetimes, cookie domain and redirect hosts, an IdentityProvider for
the provider, one of type Password for an htpasswd file, and a TenantJWTPolicy for bearer tokens.

FILE is the .cfg (TOML), a .env file with OAUTH2_PROXY_… variables, a list of --flags, one a line, as a Deployment's args
have them, or the alpha configuration (YAML with providers). Where both a .cfg and an alpha configuration are in use, import the
.cfg and name the other with --alpha-config: who may log in stands in the first.

Files that the settings name (client secret, e-mail addresses, htpasswd, CAs) are read if they lie beside FILE, and nowhere else.
docs/migrating/oauth2-proxy.md has every row.`,
	Example: `  gatehouse import oauth2-proxy oauth2-proxy.cfg --external-url https://auth.example.com --secrets-out secrets.yaml > manifests.yaml`,
	Options: []Option{
		externalURLOption,
		{Name: "alpha-config", Value: "NAME", Usage: "file with the alpha configuration, in the folder of FILE"},
	},
	Import: importOAuth2Proxy,
}

// proxyImport is one import. s are the settings outside of providers.
type proxyImport struct {
	in       Input
	s        *Settings
	external string
	result   Result
	server   Object
	// alone: the file is an alpha configuration without the .cfg that says who may log in.
	alone bool
	// fromRedirect: the external URL is that of redirect_url.
	fromRedirect bool
}

func importOAuth2Proxy(in Input) (*Result, error) {
	o := &proxyImport{in: in}
	var err error
	if o.s, err = readProxy(in); err != nil {
		return nil, err
	}
	if err := o.findExternal(); err != nil {
		return nil, err
	}
	providers, err := o.providers()
	if err != nil {
		return nil, err
	}
	o.server = serverObject(o.external)
	if o.fromRedirect {
		o.server.Spec[0].From = "the host of " + shown(o.s.Name("redirect_url"))
	}
	o.lifetimes()
	o.login()
	o.result.Objects = append(o.result.Objects, Object{}) // the server's place
	taken := names{}
	var bearers []bearer
	for _, s := range providers {
		bearers = append(bearers, o.provider(s, taken)...)
	}
	o.htpasswd(taken)
	o.bearers(bearers)
	o.result.Objects[0] = o.server
	o.untold()
	return o.s.Finish(&o.result)
}

// findExternal is --external-url, else the origin of redirect_url.
func (o *proxyImport) findExternal() error {
	var err error
	if o.external, err = externalURL(o.in); err != nil {
		return err
	}
	redirect := o.s.URL("redirect_url")
	if redirect == "" {
		return nil
	}
	u, err := url.Parse(redirect)
	if err != nil { // URL has parsed it
		return err
	}
	o.s.Tell("redirect_url", "/oauth2/callback is no more: each provider has a redirect URI of its own, <externalURL>/auth/<name>/login/callback/")
	if origin := u.Scheme + "://" + u.Host; o.in.Option("external-url") == "" && (u.Scheme == "https" || loopback(u.Hostname())) {
		o.external, o.fromRedirect = origin, true
	}
	return nil
}

// providers are the settings of each provider: those of the alpha configuration, else the file's own.
func (o *proxyImport) providers() ([]*Settings, error) {
	if o.s.byKey["providers"] != nil {
		o.alone = true
		return o.alpha(o.s)
	}
	name := o.in.Option("alpha-config")
	if name == "" {
		return []*Settings{o.s}, nil
	}
	if o.in.Beside == nil {
		return nil, usage("--alpha-config: there is no folder to look in, as the settings come from standard input")
	}
	data, err := o.in.Beside(name)
	if err != nil {
		return nil, usage("--alpha-config: there is no such file beside the settings that can be read")
	}
	in := Input{File: name, Data: data}
	if in.Data, err = readable(name, data); err != nil {
		return nil, err
	}
	v, err := ReadYAML(in)
	if err != nil {
		return nil, err
	}
	s := o.s.Child(v)
	s.file = name
	return o.alpha(s)
}

// alpha are the providers of an alpha configuration, by the names that the .cfg has for the same.
func (o *proxyImport) alpha(s *Settings) ([]*Settings, error) {
	list := s.Get("providers")
	if list == nil || list.Value.Kind != List || len(list.Value.Items) == 0 {
		return nil, Mistakes{{File: s.file, Line: s.Line("providers"), Text: "providers: want a list of at least one provider"}}
	}
	var out []*Settings
	for _, item := range list.Value.Items {
		child := o.s.Child(Value{Kind: Null})
		child.file = s.file
		if item.Kind != Mapping {
			return nil, Mistakes{{File: s.file, Line: item.Line, Text: "providers: want mappings"}}
		}
		flatten(child, "", item)
		out = append(out, child)
	}
	if len(out) > 1 {
		s.Tell("providers", "people choose among them on the login page, each under its own name")
	}
	o.tellAlpha(s)
	return out, nil
}

// flatten adds the members of a provider of the alpha configuration.
func flatten(s *Settings, prefix string, v Value) {
	for _, m := range v.Members {
		name := prefix + m.Name
		if key := alphaNames[name]; key != "" {
			s.add(&Setting{Key: key, given: name, Line: m.Line, Value: m.Value})
		} else if m.Value.Kind == Mapping && prefix == "" {
			flatten(s, name+".", m.Value)
		} else {
			s.add(&Setting{Key: name, Line: m.Line, Value: m.Value})
		}
	}
}

// tellAlpha tells of what else an alpha configuration has.
func (o *proxyImport) tellAlpha(s *Settings) {
	for _, one := range []struct{ key, text string }{
		{"upstreamConfig", "not carried over: " + proxyWork},
		{"injectRequestHeaders", "not carried over: " + headerWork},
		{"injectResponseHeaders", "not carried over: " + headerWork},
		{"server", "not carried over: " + listenWork},
		{"metricsServer", "not carried over: " + listenWork},
	} {
		if s.Get(one.key) != nil {
			s.Tell(one.key, "%s", one.text)
			s.byKey[one.key].Value.secrets(false, func(text string) { s.secrets[one.key+": "+text] = text })
		}
	}
}

// list is a setting's values: a list, or a text with commas.
func list(s *Settings, key string) []string {
	all := s.Words(key, ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return slices.DeleteFunc(all, func(one string) bool { return one == "" })
}
