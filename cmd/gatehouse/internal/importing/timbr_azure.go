// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"net/url"
	"regexp"
	"strings"
)

// nobodysDirectory stands where the directory's ID is not known: no directory has it, so no token passes.
const nobodysDirectory = "00000000-0000-0000-0000-000000000000"

var directory = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// nationalClouds are the authorities that issuers name, other than the global one.
var nationalClouds = map[string]string{
	"login.microsoftonline.us": "login.microsoftonline.us", "login.partner.microsoftonline.cn": "login.partner.microsoftonline.cn",
	"login.chinacloudapi.cn": "login.partner.microsoftonline.cn", "sts.chinacloudapi.cn": "login.partner.microsoftonline.cn",
}

// directoriesOf finds whose tokens count: those of --azure-tenant-id, else the one in JWT_ISSUER.
func (o *timbrImport) directoriesOf() error {
	given := o.in.Options["azure-tenant-id"]
	if len(given) > 0 && !o.azure {
		return usage("--azure-tenant-id goes with JWT_TYPE=azure, which the file does not say")
	}
	for _, id := range given {
		if !directory.MatchString(id) {
			return usage("--azure-tenant-id is %q: want the directory's ID, a GUID such as aaaabbbb-0000-cccc-1111-dddd2222eeee (az account show --query tenantId)", id)
		}
	}
	if o.directories = given; len(given) > 1 && o.issuer != "" {
		return usage("JWT_ISSUER is one directory's: give --azure-tenant-id once, or take JWT_ISSUER out of the file")
	}
	if len(given) == 0 {
		if id := directoryIn(o.issuer); id != "" {
			o.directories = []string{id}
		}
	}
	return nil
}

// directoryIn is the directory that an issuer names, such as https://login.microsoftonline.com/<ID>/v2.0.
func directoryIn(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil {
		return ""
	}
	segment, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if !directory.MatchString(segment) {
		return ""
	}
	return segment
}

// azureSpec says whose tokens count with JWT_TYPE=azure.
func (o *timbrImport) azureSpec(object *Object) {
	object.Spec.SetFrom("profile", "Azure", "JWT_TYPE")
	var azure Fields
	switch {
	case len(o.in.Options["azure-tenant-id"]) > 0:
		azure.SetFrom("tenantIDs", o.directories, "--azure-tenant-id")
	case len(o.directories) > 0:
		azure.SetFrom("tenantIDs", o.directories, "JWT_ISSUER")
	default:
		azure.SetFrom("tenantIDs", []string{nobodysDirectory}, "WRITE YOURS: az account show --query tenantId")
		object.Notes = append(object.Notes, o.s.Note("JWT_TYPE", "azure: which directory's tokens count is not in the file, and no token passes until azure.tenantIDs has "+
			"it (or import with --azure-tenant-id): all directories sign with the same keys"))
	}
	u, err := url.Parse(o.issuer)
	if err == nil && nationalClouds[u.Hostname()] != "" {
		azure.SetFrom("authorityHost", nationalClouds[u.Hostname()], "JWT_ISSUER")
	}
	object.Spec.Set("azure", azure)
	if o.issuer == "" {
		return
	}
	if len(o.directories) == 0 || err != nil || u.Scheme != "https" {
		object.Notes = append(object.Notes, o.s.Note("JWT_ISSUER", "not carried over: it is no issuer of one directory, such as https://login.microsoftonline.com/<directory ID>/v2.0. The issuers of azure.tenantIDs count"))
		return
	}
	object.Spec.Set("issuers", []Fields{{{Name: "issuer", Value: o.issuer, From: "JWT_ISSUER: without it v1.0 and v2.0 tokens of the directory count"}}})
}
