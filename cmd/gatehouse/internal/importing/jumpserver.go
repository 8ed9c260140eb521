// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// jumpserver is the kind for JumpServer's OAuth2 settings (docs/migrating/jumpserver.md).
var jumpserver = Kind{
	Usage: "JumpServer's OAuth2 settings",
	File:  "FILE.(json|yaml|env)",
	Long: `Turn JumpServer's OAuth2 settings into an IdentityProvider of type OAuth2 and the AuthServer that people log in at.

FILE is the answer of /api/v1/settings/setting/?category=oauth2, the settings of config.yml, a .env file with AUTH_OAUTH2_…
variables, or the form's fields by their labels ("Client ID"). Mapped attributes have JumpServer's attribute on the left.

JumpServer has no subject: users are known by name there. --subject-attribute says which member of the userinfo answer stays
the same for ever; without it, it is sub where the scope openid is asked for, else id. docs/migrating/jumpserver.md has every row.`,
	Example: `  gatehouse import jumpserver oauth2.json --external-url https://auth.example.com --secrets-out secrets.yaml > manifests.yaml`,
	Options: []Option{
		externalURLOption,
		{Name: "subject-attribute", Value: "NAME", Usage: "member of the userinfo answer that identifies a user for ever"},
	},
	Import: importJumpServer,
}

// JumpServer's names of settings.
const (
	jsEnable         = "AUTH_OAUTH2"
	jsProvider       = "AUTH_OAUTH2_PROVIDER"
	jsLogo           = "AUTH_OAUTH2_LOGO_PATH"
	jsClientID       = "AUTH_OAUTH2_CLIENT_ID"
	jsClientSecret   = "AUTH_OAUTH2_CLIENT_SECRET"
	jsMethod         = "AUTH_OAUTH2_ACCESS_TOKEN_METHOD"
	jsScope          = "AUTH_OAUTH2_SCOPE"
	jsAuthorization  = "AUTH_OAUTH2_PROVIDER_AUTHORIZATION_ENDPOINT"
	jsToken          = "AUTH_OAUTH2_ACCESS_TOKEN_ENDPOINT"
	jsUserInfo       = "AUTH_OAUTH2_PROVIDER_USERINFO_ENDPOINT"
	jsLogout         = "AUTH_OAUTH2_PROVIDER_END_SESSION_ENDPOINT"
	jsAttributes     = "AUTH_OAUTH2_USER_ATTR_MAP"
	jsOrganization   = "OAUTH2_ORG_IDS"
	jsAlwaysUpdate   = "AUTH_OAUTH2_ALWAYS_UPDATE_USER"
	jsSyncLogout     = "AUTH_OAUTH2_LOGOUT_COMPLETELY"
	jsDefaultOrg     = "00000000-0000-0000-0000-000000000002"
	jsDefaultOrgName = "default"
)

// jumpserverLabels are the form's, in small letters and without blanks.
var jumpserverLabels = map[string]string{
	"oauth2": jsEnable, "serviceprovider": jsProvider, "icon": jsLogo, "clientid": jsClientID, "clientsecret": jsClientSecret,
	"clientauthenticationmethod": jsMethod, "scope": jsScope, "authorizationendpoint": jsAuthorization, "authorizationendpointaddress": jsAuthorization,
	"tokenendpoint": jsToken, "tokenendpointaddress": jsToken, "userinfoendpoint": jsUserInfo, "userinfoendpointaddress": jsUserInfo,
	"logoutendpoint": jsLogout, "logoutendpointaddress": jsLogout, "mappedattributes": jsAttributes, "organization": jsOrganization,
	"alwaysupdateuserinfo": jsAlwaysUpdate, "alwaysupdateuser": jsAlwaysUpdate, "synclogout": jsSyncLogout,
}

// jumpserverImport is one import. key finds the name that the file has for a setting.
type jumpserverImport struct {
	in       Input
	s        *Settings
	external string
	names    map[string]string
	name     string
	object   Object
	result   Result
}

func importJumpServer(in Input) (*Result, error) {
	s, err := readAny(in)
	if err != nil {
		return nil, err
	}
	o := &jumpserverImport{in: in, s: s, names: map[string]string{}}
	if o.external, err = externalURL(in); err != nil {
		return nil, err
	}
	if a := in.Option("subject-attribute"); len(a) > 256 || strings.ContainsFunc(a, unicode.IsControl) {
		return nil, usage("--subject-attribute: want the name of a member, at most 256 bytes")
	}
	if err := o.findNames(); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc([]string{jsEnable, jsClientID, jsAuthorization}, func(k string) bool { return o.names[k] != "" }) {
		return nil, Mistakes{{File: in.File, Text: "it has no OAuth2 setting of JumpServer's: want AUTH_OAUTH2_CLIENT_ID and others, or the form's fields by their labels"}}
	}
	for _, needed := range []string{jsClientID, jsAuthorization, jsToken, jsUserInfo} {
		if !s.Has(o.key(needed)) {
			s.mistakes = append(s.mistakes, Mistake{File: in.File, Text: needed + " is missing or empty"})
		}
	}
	o.provider()
	o.result.Objects = []Object{serverObject(o.external), o.object}
	o.result.Next = append(o.result.Next, "Register the redirect URI "+o.external+"/auth/"+o.name+"/login/callback/ at the service.")
	return s.Finish(&o.result, "AUTH_OAUTH2", "OAUTH2_")
}

// readAny reads a file by the end of its name, else by how it begins.
func readAny(in Input) (*Settings, error) {
	read := func(parse func(Input) (Value, error)) (*Settings, error) {
		v, err := parse(in)
		if err != nil {
			return nil, err
		}
		return SettingsOf(in, v)
	}
	begin := strings.TrimLeft(string(in.Data[:min(len(in.Data), 4096)]), " \t\r\n")
	switch ending := strings.ToLower(filepath.Ext(in.File)); {
	case ending == ".json", ending != ".yaml" && ending != ".yml" && ending != ".env" && strings.HasPrefix(begin, "{"):
		return read(ReadJSON)
	case ending == ".yaml", ending == ".yml":
		return read(ReadYAML)
	case ending == ".env", envBegin.MatchString(begin):
		return ReadEnv(in)
	default:
		return read(ReadYAML)
	}
}

var envBegin = regexp.MustCompile(`(?m)\A(\s*(#.*)?\n)*\s*(export\s+)?[A-Za-z_][A-Za-z0-9_.]*\s*=`)

// findNames maps JumpServer's names of settings to those that the file has.
func (o *jumpserverImport) findNames() error {
	for _, given := range o.s.Keys() {
		name := strings.ToUpper(given)
		if label := jumpserverLabels[strings.Map(letters, strings.ToLower(given))]; label != "" {
			name = label
		}
		if first := o.names[name]; first != "" {
			o.s.Mistake(given, "it is there twice: line %d has the same setting under another name", o.s.Line(first))
			_, err := o.s.Finish(&o.result)
			return err
		}
		o.names[name] = given
	}
	return nil
}

func letters(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return -1
}

// key is the file's name for a setting; the setting's own where the file has none.
func (o *jumpserverImport) key(setting string) string {
	if given := o.names[setting]; given != "" {
		return given
	}
	return setting
}

func (o *jumpserverImport) note(setting, format string, args ...any) {
	o.object.Notes = append(o.object.Notes, o.s.Note(o.key(setting), format, args...))
}

// provider makes the IdentityProvider.
func (o *jumpserverImport) provider() {
	title := o.s.Text(o.key(jsProvider))
	if o.name = o.in.Name; o.name == "" {
		o.name = labelOf(title, "oauth2")
	}
	o.object = Object{Kind: "IdentityProvider", Name: o.name}
	spec := &o.object.Spec
	spec.Set("type", "OAuth2")
	if !o.s.Bool(o.key(jsEnable), false) {
		spec.SetFrom("enabled", false, o.key(jsEnable))
		if !o.s.Has(o.key(jsEnable)) {
			o.note(jsEnable, "not set, which is off in JumpServer: enabled: true switches the login on")
		}
	}
	if len([]rune(title)) > 128 {
		o.s.Mistake(o.key(jsProvider), "it has more than 128 characters")
	} else if title != "" {
		spec.SetFrom("displayName", title, o.key(jsProvider))
	}
	o.organization()
	o.icon()
	o.userSync()
	o.attributes()
	endpoints := o.endpoints()
	admitNobody(&o.object, endpoints, "")
	spec.Set("oauth2", o.client(endpoints))
}

func (o *jumpserverImport) userSync() {
	if !o.s.Has(o.key(jsAlwaysUpdate)) {
		return // Always, in both
	}
	value := "FirstLogin"
	if o.s.Bool(o.key(jsAlwaysUpdate), true) {
		value = "Always"
	}
	o.object.Spec.SetFrom("userSync", value, o.key(jsAlwaysUpdate))
}

// organization is at most one here.
func (o *jumpserverImport) organization() {
	key := o.key(jsOrganization)
	all := slices.DeleteFunc(o.s.Words(key, ","), func(s string) bool { return s == jsDefaultOrg || strings.EqualFold(s, jsDefaultOrgName) })
	switch {
	case len(all) == 0: // default, in both
	case len(all) > 1:
		o.s.Mistake(key, "users of a provider belong to one organization here: leave one, and make a provider for each of the others")
	case !tenantID.MatchString(all[0]) || len(all[0]) > 128:
		o.s.Mistake(key, "want an organization of letters, digits and - . _, beginning and ending with a letter or digit, at most 128")
	default:
		o.object.Spec.SetFrom("organization", all[0], key)
		if directory.MatchString(all[0]) {
			o.note(jsOrganization, "it is JumpServer's ID of an organization, not its name: write the name that your tenants' policies have as tenantID")
		}
	}
}

var iconURL = regexp.MustCompile(`^https://[-A-Za-z0-9.:]+(/[-A-Za-z0-9._~:/?@!$&()*+=%]*)?$`)

func (o *jumpserverImport) icon() {
	key := o.key(jsLogo)
	text := o.s.Text(key)
	u, err := url.Parse(text)
	switch {
	case text == "":
	case err == nil && len(text) <= 2048 && iconURL.MatchString(text) && u.User == nil && !secretQuery(u):
		o.object.Spec.Set("icon", Fields{{Name: "url", Value: text, From: key}})
	default:
		o.note(jsLogo, "not carried over: it is a file of JumpServer's. With that file (PNG, JPEG or WebP, at most 64 KiB): kubectl create configmap %s-icon --namespace %s "+
			"--from-file=icon.png, and icon: {configMapRef: {name: %s-icon, key: icon.png}}", o.name, o.in.Namespace, o.name)
	}
}

// endpoints are the service's, by the names of Gatehouse's fields.
func (o *jumpserverImport) endpoints() Fields {
	var f Fields
	for _, e := range []struct{ field, setting string }{
		{"authorizationEndpoint", jsAuthorization}, {"tokenEndpoint", jsToken}, {"userInfoEndpoint", jsUserInfo}, {"logoutEndpoint", jsLogout},
	} {
		key := o.key(e.setting)
		if value := o.s.URL(key); value != "" {
			f.SetFrom(e.field, value, key)
			tellPlain(o.s, &o.object, key, value)
		}
	}
	return f
}
