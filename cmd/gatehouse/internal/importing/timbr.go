// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"regexp"
	"slices"
	"strings"
)

// timbr is the kind for the Timbr REST API Service (docs/migrating/timbr.md).
var timbr = Kind{
	Usage: "the JWT settings of the Timbr REST API Service",
	File:  "FILE.env",
	Long: `Turn the JWT variables of the Timbr REST API Service into a TenantJWTPolicy for JWT_DEFAULT_… and one for each tenant.

Tenants are those of JWT_<TENANT>_… variables and of --tenant. Names of variables are upper case, so only --tenant knows how
a tenant's ID is really written: --tenant tenant-5 goes with JWT_TENANT_5_….

Each tenant's policy stands alone: what it had from JWT_DEFAULT_… is copied into it. docs/migrating/timbr.md has every row.`,
	Example: `  gatehouse import timbr timbr.env --tenant tenant-5 --tenant acme > manifests.yaml
  gatehouse import timbr timbr.env --azure-tenant-id "$(az account show --query tenantId -o tsv)" > manifests.yaml`,
	Options: []Option{
		{Name: "tenant", Value: "ID", Usage: "a tenant's ID as x-jwt-tenant-id has it; may be repeated", Many: true},
		{Name: "azure-tenant-id", Value: "GUID", Usage: "for JWT_TYPE=azure: the directory whose tokens count; may be repeated", Many: true},
	},
	Import: importTimbr,
}

// timbrDefault is the tenant of JWT_DEFAULT_… variables, in their names.
const timbrDefault = "DEFAULT"

// timbrImport is one import.
type timbrImport struct {
	in          Input
	s           *Settings
	result      Result
	azure       bool
	directories []string
	issuer      string
	names       names
	defaults    timbrKeys // the Secrets of the default policy
}

// timbrTenant is whose policy is made.
type timbrTenant struct {
	id       string // tenantID
	variable string // as in JWT_<variable>_…
	guessed  string // the variable that it is known by alone, "" if --tenant named it
}

func importTimbr(in Input) (*Result, error) {
	s, err := ReadEnv(in)
	if err != nil {
		return nil, err
	}
	o := &timbrImport{in: in, s: s, names: names{}}
	tenants, err := o.tenants()
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(s.Keys(), func(key string) bool { return key == "ENABLE_TOKEN" || strings.HasPrefix(key, "JWT_") }) {
		return nil, Mistakes{{File: in.File, Text: "it has no variable of Timbr's: want ENABLE_TOKEN and JWT_…"}}
	}
	if !s.Bool("ENABLE_TOKEN", false) {
		s.Tell("ENABLE_TOKEN", "it is not true, so Timbr verified no tokens. There is no such switch here: a route that must stay open does not ask Gatehouse")
	}
	if err := o.common(); err != nil {
		return nil, err
	}
	for _, t := range tenants {
		o.policy(t)
	}
	o.result.Next = append(o.result.Next, "Let a gateway ask Gatehouse for each request, and the application read X-Auth-Request-User (docs/gateways).")
	return s.Finish(&o.result, "JWT_")
}

var (
	timbrVariable = regexp.MustCompile(`^JWT_(.+)_(ALGORITHM|AUDIENCE|KEY)$`)
	tenantID      = regexp.MustCompile(`^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$`)
	notInVariable = regexp.MustCompile(`[^A-Z0-9]`)
)

// tenants are the default and the others, those of --tenant first.
func (o *timbrImport) tenants() ([]timbrTenant, error) {
	all := []timbrTenant{{id: "default", variable: timbrDefault}}
	variables := map[string]bool{timbrDefault: true}
	for _, id := range o.in.Options["tenant"] {
		if !tenantID.MatchString(id) || len(id) > 128 {
			return nil, usage("--tenant is %q: want a tenant's ID of letters, digits and - . _", id)
		}
		if slices.ContainsFunc(all, func(t timbrTenant) bool { return t.id == id }) {
			if id == "default" {
				return nil, usage("--tenant default: that is the policy of JWT_DEFAULT_…, which is made anyway")
			}
			continue
		}
		variable := notInVariable.ReplaceAllString(strings.ToUpper(id), "_")
		variables[variable] = true
		all = append(all, timbrTenant{id: id, variable: variable})
	}
	for _, key := range o.s.Keys() {
		m := timbrVariable.FindStringSubmatch(key)
		if m == nil || variables[m[1]] {
			continue
		}
		variables[m[1]] = true
		id := strings.Trim(strings.ReplaceAll(strings.ToLower(m[1]), "_", "-"), "-.")
		if !tenantID.MatchString(id) || len(id) > 128 || slices.ContainsFunc(all, func(t timbrTenant) bool { return t.id == id }) {
			o.s.Mistake(key, "which tenant it is for is not clear: name it with --tenant")
			continue
		}
		all = append(all, timbrTenant{id: id, variable: m[1], guessed: key})
	}
	return all, nil
}

// common reads what is for all tenants.
func (o *timbrImport) common() error {
	switch strings.ToLower(o.s.Text("JWT_TYPE")) {
	case "", "custom":
	case "azure":
		o.azure = true
	default:
		o.s.Mistake("JWT_TYPE", "want custom or azure")
	}
	o.issuer = o.s.Text("JWT_ISSUER")
	if len(o.issuer) > 2048 {
		o.s.Mistake("JWT_ISSUER", "it has more than 2048 bytes")
	}
	if strings.Contains(o.issuer, "://") {
		o.s.URL("JWT_ISSUER") // may hold no password
	}
	o.s.Text("JWT_USE_EMAIL_OR_USER")
	o.s.Bool("JWT_USE_TENANT_USER", false)
	return o.directoriesOf()
}

// policy makes one tenant's.
func (o *timbrImport) policy(t timbrTenant) {
	name := o.names.take(o.in.Named(labelOf(t.id, "tenant")))
	object := Object{Kind: "TenantJWTPolicy", Name: name}
	object.Spec.Set("tenantID", t.id)
	if t.guessed != "" {
		object.Notes = append(object.Notes, o.s.Note(t.guessed, "the tenant's ID is a guess, as variables are upper case: write tenantID as x-jwt-tenant-id has it, or import with --tenant. It cannot be changed later"))
	}
	if t.guessed == "" && t.variable != timbrDefault && !o.hasOwn(t) {
		object.Notes = append(object.Notes, Note{Text: "--tenant " + t.id + ": no JWT_" + t.variable + "_… is in the file, so all of this policy is from JWT_DEFAULT_…. Leave the tenant out, or write its ID as x-jwt-tenant-id has it, if that is not meant"})
	}
	if t.variable == timbrDefault {
		object.Spec.SetFrom("default", true, "requests without x-jwt-tenant-id")
	}
	if o.azure {
		o.azureSpec(&object)
	}
	a := o.algorithms(t, &object)
	secrets := o.secretsFor(t, name, a)
	if len(a.signed) > 0 && !o.azure {
		object.Spec.SetFrom("algorithms", a.signed, a.from)
	}
	o.audience(t, &object)
	if len(a.signed) > 0 && !o.azure {
		object.Spec.Set("issuers", []Fields{o.issuerEntry(a, secrets)})
	}
	if a.encrypted() {
		object.Spec.SetFrom("decryption", a.decryption(secrets), a.from)
	}
	o.username(t, &object)
	if len(a.signed) == 0 && !o.azure && o.issuer != "" {
		object.Spec.SetFrom("claimValidationRules", []Inline{{{Name: "claim", Value: "iss"}, {Name: "requiredValue", Value: o.issuer}}}, "JWT_ISSUER")
	}
	o.result.Objects = append(o.result.Objects, object)
}

// hasOwn tells whether the file has a variable of a tenant's own.
func (o *timbrImport) hasOwn(t timbrTenant) bool {
	return slices.ContainsFunc([]string{"ALGORITHM", "AUDIENCE", "KEY"}, func(what string) bool { return o.s.Has("JWT_" + t.variable + "_" + what) })
}

// key is a tenant's variable if it is set, else the default's.
func (o *timbrImport) key(t timbrTenant, what string) string {
	if own := "JWT_" + t.variable + "_" + what; o.s.Has(own) {
		return own
	}
	return "JWT_" + timbrDefault + "_" + what
}

func (o *timbrImport) audience(t timbrTenant, object *Object) {
	key := o.key(t, "AUDIENCE")
	audience := o.s.Text(key)
	switch {
	case audience == "":
		object.Notes = append(object.Notes, Note{Key: "JWT_" + t.variable + "_AUDIENCE", Text: "not set: `aud` is not checked, so a token that was made for another application passes. Name audiences if you can"})
	case len(audience) > 512:
		o.s.Mistake(key, "it has more than 512 bytes")
	default:
		object.Spec.SetFrom("audiences", []string{audience}, key)
	}
}

// issuerEntry is where the keys are.
func (o *timbrImport) issuerEntry(a timbrAlgorithms, secrets timbrKeys) Fields {
	var entry Fields
	if o.issuer != "" {
		entry.SetFrom("issuer", o.issuer, "JWT_ISSUER")
	}
	entry.Set("keys", a.keys(secrets))
	return entry
}

func (o *timbrImport) username(t timbrTenant, object *Object) {
	var username Inline
	claim := o.s.Text("JWT_USE_EMAIL_OR_USER")
	from := "JWT_USE_EMAIL_OR_USER"
	switch {
	case len(claim) > 256:
		o.s.Mistake("JWT_USE_EMAIL_OR_USER", "it has more than 256 bytes")
	case claim != "":
		username = append(username, Field{Name: "claim", Value: claim})
	case !o.azure:
		object.Notes = append(object.Notes, Note{Key: from, Text: "not set: the user is the claim upn. Where Timbr's own documentation on custom tokens counts, it is email: set claimMappings.username.claim"})
	}
	if o.s.Bool("JWT_USE_TENANT_USER", false) {
		if t.variable == timbrDefault {
			object.Notes = append(object.Notes, o.s.Note("JWT_USE_TENANT_USER", "no prefix here: a request that names no tenant has none"))
		} else {
			username = append(username, Field{Name: "prefixWithTenant", Value: true})
			if from = "JWT_USE_TENANT_USER"; claim != "" {
				from = "JWT_USE_EMAIL_OR_USER, JWT_USE_TENANT_USER"
			}
		}
	}
	if len(username) > 0 {
		object.Spec.Set("claimMappings", Fields{{Name: "username", Value: username, From: from}})
	}
}
