// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

const (
	// maxIssuers bounds the issuers of a policy after templates are expanded.
	maxIssuers = 64
	// metadataPath is where an issuer's metadata is (OpenID Connect Discovery 1.0 §4), below the issuer without its trailing slash.
	metadataPath = "/.well-known/openid-configuration"
	// ownKeysPath is where an auth server publishes its own keys.
	ownKeysPath = "/.well-known/jwks.json"
)

// issuerPlan is one issuer to render. Several may come from one entry of spec.issuers.
type issuerPlan struct {
	config.Issuer
	// entry is the index in spec.issuers whose keys count, -1 for none.
	entry int
}

// planIssuers checks spec.issuers and expands them.
func (p *Plan) planIssuers(o *policyPlan) {
	directories := o.planDirectories()
	o.directories = len(directories)
	for i := range o.object.Spec.Issuers {
		o.planEntry(i)
		for j := range o.object.Spec.Issuers[i].Keys {
			o.planKeySource(i, j)
		}
		if o.azure() {
			o.planAzureEntry(i, directories)
		} else {
			o.planCustomEntry(i)
		}
	}
	if o.azure() && len(o.object.Spec.Issuers) == 0 {
		o.planKnownIssuers(directories)
	}
	if n := len(o.issuers); n > maxIssuers {
		o.refuse(v1alpha1.ReasonInvalid, "spec.issuers", "with {tenantid} expanded there are %d issuers, at most %d are allowed: "+
			"name fewer spec.azure.tenantIDs, or spread them over several policies", n, maxIssuers)
		o.issuers = nil
	}
	p.planReserved(o)
	o.planTwins()
	p.warnNever(o)
}

// planEntry checks what an entry has, before it is expanded.
func (o *policyPlan) planEntry(i int) {
	issuers := o.object.Spec.Issuers
	issuer, field := &issuers[i], issuerField(i)
	given := 0
	for _, is := range []bool{issuer.JWKSURI != "", issuer.DiscoveryURL != "", len(issuer.Keys) > 0} {
		if is {
			given++
		}
	}
	switch {
	case given > 1:
		o.refuse(v1alpha1.ReasonInvalid, field, "set at most one of jwksURI, discoveryURL and keys; with none, keys come from <issuer>%s", metadataPath)
	case issuer.Issuer == "" && (len(issuer.Keys) == 0 || len(issuers) > 1):
		o.refuse(v1alpha1.ReasonInvalid, field+".issuer", "it is required: only a single entry with keys may leave it out")
	}
}

// planCustomEntry takes an entry as it is.
func (o *policyPlan) planCustomEntry(i int) {
	issuer := &o.object.Spec.Issuers[i]
	for _, given := range []struct{ name, value string }{{"issuer", issuer.Issuer}, {"jwksURI", issuer.JWKSURI}, {"discoveryURL", issuer.DiscoveryURL}} {
		if strings.Contains(strings.ToLower(given.value), template) {
			o.refuse(v1alpha1.ReasonInvalid, issuerField(i)+"."+given.name, "%s stands for the directories of profile Azure only: set spec.profile to Azure, or write the issuer out", template)
			return
		}
	}
	o.addIssuer(i, *issuer, "")
}

// addIssuer adds an expanded entry, with its keys, its URL or the one that follows from the issuer.
func (o *policyPlan) addIssuer(i int, issuer v1alpha1.Issuer, directory string) {
	out := issuerPlan{config.Issuer{Issuer: issuer.Issuer, JWKSURI: issuer.JWKSURI, Discovery: issuer.DiscoveryURL, Directory: directory}, i}
	field, text := issuerField(i), ""
	switch {
	case len(issuer.Keys) > 0:
	case issuer.JWKSURI != "":
		field, text = field+".jwksURI", issuer.JWKSURI
	case issuer.DiscoveryURL != "":
		field, text = field+".discoveryURL", issuer.DiscoveryURL
	case issuer.Issuer != "":
		field += ".issuer"
		if strings.ContainsAny(issuer.Issuer, "?#") || checkURL(issuer.Issuer) != nil {
			o.refuse(v1alpha1.ReasonInvalid, field, "set jwksURI, discoveryURL or keys: %s is no https URL at which its keys could be discovered", quoted(issuer.Issuer))
			return
		}
		out.Discovery = strings.TrimSuffix(issuer.Issuer, "/") + metadataPath
		text = out.Discovery
	default:
		return // told already
	}
	if text != "" {
		if err := checkURL(text); err != nil {
			o.refuse(v1alpha1.ReasonInvalid, field, "%v", err)
			return
		}
	}
	o.issuers = append(o.issuers, out)
}

func checkURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "":
		return errors.New("must be an https URL such as https://idp.example/keys")
	case !validPort(u.Port()):
		return errors.New("must have a port from 1 to 65535, or none")
	case u.User != nil || strings.Contains(s, "#"):
		return errors.New("must not hold a fragment, user or password")
	case strings.ContainsAny(s, "{}"):
		return fmt.Errorf("must not hold braces: the only template is %s, with profile Azure", template)
	}
	return nil
}

func validPort(port string) bool {
	if port == "" {
		return true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// planReserved refuses the server's own issuer, under its name or through its own keys: its tokens are checked with own keys alone.
func (p *Plan) planReserved(o *policyPlan) {
	base := p.server.base
	if base == nil {
		return
	}
	for i := range o.object.Spec.Issuers {
		if issuer := &o.object.Spec.Issuers[i]; issuer.Issuer == base.ExternalURL {
			o.refuse(v1alpha1.ReasonIssuerReserved, issuerField(i)+".issuer",
				"%q is the AuthServer's own URL: its tokens pass with spec.acceptIssuedTokens, without an entry here", issuer.Issuer)
			return
		}
	}
	for _, issuer := range o.issuers {
		if issuer.Discovery == base.ExternalURL+metadataPath || issuer.JWKSURI == base.ExternalURL+ownKeysPath {
			o.refuse(v1alpha1.ReasonIssuerReserved, issuerField(issuer.entry),
				"its keys are the AuthServer's own: its tokens pass with spec.acceptIssuedTokens, without an entry here")
			return
		}
	}
}

// planTwins refuses two issuers of one name.
func (o *policyPlan) planTwins() {
	for n := range o.issuers {
		issuer := &o.issuers[n]
		twin := slices.IndexFunc(o.issuers[:n], func(other issuerPlan) bool { return other.Issuer.Issuer == issuer.Issuer.Issuer })
		if twin < 0 {
			continue
		}
		o.refuse(v1alpha1.ReasonInvalid, issuerField(issuer.entry)+".issuer", "another entry has the same issuer: merge their keys into one entry")
		return
	}
}

func issuerField(i int) string {
	if i < 0 {
		return "spec.azure"
	}
	return fmt.Sprintf("spec.issuers[%d]", i)
}
