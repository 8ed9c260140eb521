// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// What is known of Microsoft Entra ID (Azure AD).
const (
	// template stands for a directory's ID in issuers and URLs, as in the metadata that is common to all directories.
	template = "{tenantid}"
	// defaultAuthority is the global cloud's.
	defaultAuthority = "login.microsoftonline.com"
	// consumers is the directory of personal Microsoft accounts.
	consumers = "9188040d-6c67-4c5b-b112-36a304b66dad"
	// globalTokenService and chinaTokenService issue v1.0 tokens, whatever the authority is called.
	globalTokenService = "https://sts.windows.net/"
	chinaTokenService  = "https://sts.chinacloudapi.cn/"
	// emailVerified is the claim that is true when the domain of the claim email was shown to be the directory's. Without it the address is
	// whatever an administrator of the directory wrote.
	emailVerified = "xms_edov"
)

// chinaAuthorities are the hosts whose v1.0 tokens come from China's token service.
var chinaAuthorities = []string{"login.partner.microsoftonline.cn", "login.chinacloudapi.cn"}

var (
	directoryID   = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	authorityName = regexp.MustCompile(`^(https?://)?[a-z0-9]([-.a-z0-9]*[a-z0-9])?(:[0-9]{1,5})?$`)
)

func (o *policyPlan) azure() bool { return o.object.Spec.Profile == v1alpha1.ProfileAzure }

// planDirectories checks profile and azure and returns the directories' IDs in lower case, each once.
func (o *policyPlan) planDirectories() []string {
	spec := &o.object.Spec
	switch spec.Profile {
	case "", v1alpha1.ProfileCustom, v1alpha1.ProfileAzure:
	default:
		o.refuse(v1alpha1.ReasonInvalid, "spec.profile", "%s is not known: use Custom or Azure", quoted(string(spec.Profile)))
		return nil
	}
	switch {
	case o.azure() != (spec.Azure != nil):
		o.refuse(v1alpha1.ReasonInvalid, "spec.azure", "it goes with profile: Azure: set both or neither")
		return nil
	case spec.Azure == nil:
		return nil
	case len(spec.Azure.TenantIDs) == 0:
		o.refuse(v1alpha1.ReasonInvalid, "spec.azure.tenantIDs", "it is required: without it a token of every directory would pass")
	}
	var out []string
	for i, given := range spec.Azure.TenantIDs {
		id := strings.ToLower(given)
		if !directoryID.MatchString(id) {
			o.refuse(v1alpha1.ReasonInvalid, fmt.Sprintf("spec.azure.tenantIDs[%d]", i), "must be the directory's ID, a GUID such as "+
				"aaaabbbb-0000-cccc-1111-dddd2222eeee: not a domain name, common, organizations or consumers")
			continue
		}
		if id == consumers && len(spec.ClaimValidationRules) == 0 {
			o.warn(fmt.Sprintf("spec.azure.tenantIDs[%d]", i), "this is the directory of personal Microsoft accounts, and anybody can have one: say in spec.claimValidationRules whose tokens pass")
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// planKnownIssuers adds the v2.0 and v1.0 issuers of each directory. Both have metadata and keys at the authority, whose address may be
// another than the one in a v1.0 issuer's name.
func (o *policyPlan) planKnownIssuers(directories []string) {
	authority := o.authority()
	if authority == "" {
		return
	}
	for _, id := range directories {
		directory := authority + "/" + id
		o.issuers = append(o.issuers,
			issuerPlan{config.Issuer{Issuer: directory + "/v2.0", Discovery: directory + "/v2.0" + metadataPath, Directory: id}, -1},
			issuerPlan{config.Issuer{Issuer: tokenService(authority) + id + "/", Discovery: directory + metadataPath, Directory: id}, -1})
	}
}

// authority is where the directories are, as a URL without a path, in lower case as in the issuers' names; "" when it is not usable.
func (o *policyPlan) authority() string {
	if o.object.Spec.Azure == nil {
		return ""
	}
	given := o.object.Spec.Azure.AuthorityHost
	if given == "" {
		given = defaultAuthority
	}
	given = strings.ToLower(given)
	full := given
	if !strings.Contains(given, "://") {
		full = "https://" + given
	}
	if !authorityName.MatchString(given) || checkURL(full) != nil {
		o.refuse(v1alpha1.ReasonInvalid, "spec.azure.authorityHost", "must be a host name such as %s, or an https URL without a path", defaultAuthority)
		return ""
	}
	return full
}

// tokenService is what v1.0 issuers begin with.
func tokenService(authority string) string {
	u, err := url.Parse(authority)
	if err == nil && slices.Contains(chinaAuthorities, u.Hostname()) {
		return chinaTokenService
	}
	return globalTokenService
}

// planAzureEntry expands an entry of spec.issuers: once for each directory where the issuer has the template, else for the directory that is
// in it, or the only one there is.
func (o *policyPlan) planAzureEntry(i int, directories []string) {
	issuer := o.object.Spec.Issuers[i]
	if strings.Contains(issuer.Issuer, template) {
		for _, id := range directories {
			o.addIssuer(i, expand(issuer, id), id)
		}
		return
	}
	if strings.ContainsAny(issuer.Issuer, "{}") {
		o.refuse(v1alpha1.ReasonInvalid, issuerField(i)+".issuer", "must not hold braces: the only template is %s", template)
		return
	}
	if !o.planNamedDirectory(i, directories) {
		return
	}
	named := slices.DeleteFunc(slices.Clone(directories), func(id string) bool { return !strings.Contains(strings.ToLower(issuer.Issuer), id) })
	if len(named) == 0 && len(directories) == 1 {
		named = directories
	}
	switch {
	case len(named) == 1:
		o.addIssuer(i, expand(issuer, named[0]), named[0])
	case len(directories) > 0: // without any it is told already
		o.refuse(v1alpha1.ReasonInvalid, issuerField(i)+".issuer", "which of spec.azure.tenantIDs its tokens are of is not clear: write %s or one of the IDs into it, "+
			"or make a policy with a single tenantID", template)
	}
}

// expand puts the directory in the place of the template.
func expand(issuer v1alpha1.Issuer, id string) v1alpha1.Issuer {
	for _, s := range []*string{&issuer.Issuer, &issuer.JWKSURI, &issuer.DiscoveryURL} {
		*s = strings.ReplaceAll(*s, template, id)
	}
	return issuer
}

// azureClaims fills in what a policy of profile Azure leaves open.
func (o *policyPlan) azureClaims(m *v1alpha1.ClaimMappings) {
	out := &o.claims
	switch {
	case !out.Username.Zero():
	case o.directories > 1:
		// A name is unique within its directory only, and an oid is one user's there.
		out.Username.Joined = []string{"tid", "oid"}
	default:
		out.Username.Claims = []string{"upn", "preferred_username"}
	}
	if m.Email == nil {
		out.Email.Claims = []string{"email"}
	}
	if slices.Equal(out.Email.Claims, []string{"email"}) {
		out.EmailVerified = emailVerified
	}
	if m.Username.Claim == "email" {
		o.warn("spec.claimMappings.username.claim", "an administrator of a directory can set the claim email to any address: leave username out, or map upn or oid")
	}
}
