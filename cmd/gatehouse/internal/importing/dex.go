// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"net/url"
	"regexp"
	"strings"
)

// dex is the kind for Dex (docs/migrating/dex.md).
var dex = Kind{
	Usage: "the configuration of Dex, with its connectors",
	File:  "FILE.yaml",
	Long: `Turn the configuration of Dex into an AuthServer with store, lifetimes and redirect URIs, an IdentityProvider for each
connector that Gatehouse can ask itself, and one of type Password for staticPasswords.

Dex is an OpenID provider for other applications, and Gatehouse is none: comments say what becomes of staticClients.
$VARIABLES, secretEnv and hashFromEnv are told as values to put into Secrets. docs/migrating/dex.md has every row.`,
	Example: `  gatehouse import dex config.yaml --external-url https://auth.example.com --secrets-out secrets.yaml > manifests.yaml`,
	Options: []Option{externalURLOption},
	Import:  importDex,
}

// dexImport is one import.
type dexImport struct {
	in       Input
	s        *Settings
	external string
	result   Result
	server   Object
}

func importDex(in Input) (*Result, error) {
	v, err := ReadYAML(in)
	if err != nil {
		return nil, err
	}
	o := &dexImport{in: in}
	if o.s, err = SettingsOf(in, v); err != nil {
		return nil, err
	}
	if o.s.byKey["issuer"] == nil && o.s.byKey["connectors"] == nil {
		return nil, Mistakes{{File: in.File, Text: "it has neither issuer nor connectors: want a configuration of Dex"}}
	}
	if o.external, err = externalURL(in); err != nil {
		return nil, err
	}
	from := o.issuer()
	o.server = serverObject(o.external)
	if from != "" {
		o.server.Spec[0].From = from
	}
	o.expiry()
	o.result.Objects = append(o.result.Objects, Object{}) // the server's place
	taken := names{}
	o.connectors(taken)
	o.passwords(taken)
	o.storage()
	o.login()
	o.others()
	o.result.Objects[0] = o.server
	return o.s.Finish(&o.result)
}

// issuer is where Dex was; its host can be Gatehouse's, once Dex has left it.
func (o *dexImport) issuer() (from string) {
	issuer := o.s.URL("issuer")
	if issuer == "" {
		return ""
	}
	o.s.Tell("issuer", "tokens have the issuer externalURL, without a path, and only Gatehouse's own endpoints: there is no authorization_endpoint, no ID token and no device flow for other applications")
	u, err := url.Parse(issuer)
	if err != nil || o.in.Option("external-url") != "" || u.Scheme != "https" && !loopback(u.Hostname()) {
		return ""
	}
	o.external = u.Scheme + "://" + u.Host
	return "the host of issuer"
}

func (o *dexImport) serverNote(s *Settings, key, format string, args ...any) {
	o.server.Notes = append(o.server.Notes, s.Note(key, format, args...))
}

var dexVariable = regexp.MustCompile(`^\$(?:([A-Z_][A-Z0-9_]*)|\{([A-Z_][A-Z0-9_]*)\})$`)

// variableOf is the variable whose value Dex puts in the place of a text; "" for any other text. Variables in small letters are not
// told by name: they may be a secret that begins with $.
func variableOf(text string) string {
	m := dexVariable.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return ""
	}
	return m[1] + m[2]
}

// given is a text that a variable of Dex's may have; then it is an example, and told.
func (u *upstream) given(key, example string) string {
	text := u.s.Text(key)
	name := variableOf(text)
	if name == "" {
		if refersTo(text) {
			u.note(key, "it names a variable with $, and is read as it stands: write the value itself")
		}
		return text
	}
	u.note(key, "Dex reads it from the variable %s, which is not in the file: write its value in the place of %s", name, example)
	return example
}

// dexSecret is the client secret of a connector, or of whom a variable has it.
func (u *upstream) dexSecret(key string) {
	one := u.s.Get(key)
	if one == nil {
		u.set("clientAuthenticationMethod", "None", "")
		return
	}
	if name := variableOf(one.Value.Text); name != "" {
		u.secretRef(Entry{Key: "clientSecret", From: name, Hint: "the value of the variable " + name + " of Dex, which is not in the file"})
		return
	}
	if secret := clientSecret(u.s, key); secret != "" {
		u.secretRef(Entry{Key: "clientSecret", Value: secret, From: key, Line: one.Line})
	}
}

// tellEach tells of settings by name, where they are there.
func tellEach(s *Settings, tell func(key, format string, args ...any), all [][2]string) {
	for _, one := range all {
		setting := s.byKey[one[0]]
		if setting == nil || s.read[one[0]] {
			continue
		}
		if LooksSecret(one[0]) {
			s.Secret(one[0])
		}
		setting.Value.secrets(LooksSecret(one[0]), func(text string) { s.secrets[one[0]+": "+text] = text })
		if s.Get(one[0]) != nil {
			tell(one[0], "%s", one[1])
		}
	}
}
