// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"net/url"

	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// Source says where a key set is published and how it is reached. It is comparable: policies whose sources are equal
// share one key set, one fetch and one backoff.
type Source struct {
	// URL of the JWKS document, or with Discovery of the issuer's metadata; http:// works only inside AllowedCIDRs.
	URL string
	// Discovery says that URL is that of metadata (OpenID Connect Discovery 1.0 §4, RFC 8414 §3), whose jwks_uri is the
	// JWKS document's.
	Discovery bool
	// Issuer is what the metadata must name, character by character. It counts with Discovery only.
	Issuer string
	// Directory is the Entra ID directory that the issuer is of, a GUID; empty for every other source. The metadata may write
	// {tenantid} in its place. Whether a key's own issuer (jwk.Key.Issuer) is this directory is the asker's to check.
	Directory string
	// AllowedCIDRs of the auth server, as written by [outbound.FormatCIDRs]; empty for none.
	AllowedCIDRs string
	// CABundle is trusted instead of the system's roots; the zero value stands for the system's. It is a handle, so
	// that looking a source up costs the same with and without one.
	CABundle outbound.Bundle
}

func (s Source) profile() outbound.Profile {
	return outbound.Profile{AllowedCIDRs: s.AllowedCIDRs, CABundle: s.CABundle}
}

// String names the source for a person: by its issuer where that is known, else by its host. It leaves out what a URL's
// path and query may hold.
func (s Source) String() string {
	if s.Issuer != "" {
		return "issuer " + quote(s.Issuer)
	}
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" {
		return "a source that is no URL"
	}
	return clean(host(u))
}
