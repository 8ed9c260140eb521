// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"slices"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

const upstreamCredentialField = "spec.upstreamCredential"

// credentialToGateways is told of each policy with an upstreamCredential: the server cannot tell a gateway from anybody else.
const credentialToGateways = "whoever reaches the auth server's /verify, /envoy or port 9191 with a token or session that this policy accepts reads the provider's token: " +
	"let only gateways reach them, and no public host pass them on"

// planUpstreamCredentials demands that each name is that of a credential, and warns of who can read its token. It runs when all providers are planned.
func (p *Plan) planUpstreamCredentials() {
	var types map[string]v1alpha1.ProviderType // by namespace/name; made when the first policy asks
	for _, o := range p.policies {
		name := o.object.Spec.UpstreamCredential
		if name == "" {
			continue
		}
		if types == nil {
			types = make(map[string]v1alpha1.ProviderType, len(p.providers))
			for _, provider := range p.providers {
				types[provider.key.Namespace+"/"+provider.key.Name] = provider.object.Spec.Type
			}
		}
		found, there := types[o.key.Namespace+"/"+name]
		switch {
		case !there:
			o.refuseRef(v1alpha1.ReasonRefNotFound, upstreamCredentialField, "no IdentityProvider %s of namespace %s names AuthServer %s: create one of type JWTBearer, or correct the name",
				quoted(name), o.key.Namespace, p.in.Name)
		case found != v1alpha1.ProviderJWTBearer:
			o.refuseRef(v1alpha1.ReasonRefInvalid, upstreamCredentialField, "IdentityProvider %s is of type %s: name one of type JWTBearer", name, found)
		default:
			o.warn(upstreamCredentialField, "%s", credentialToGateways)
		}
	}
}

// upstreamCredential is the credential's name as the server knows it.
func (o *policyPlan) upstreamCredential(p *Plan) string {
	if o.object.Spec.UpstreamCredential == "" {
		return ""
	}
	return p.providerName(Key{v1alpha1.KindIdentityProvider, o.key.Namespace, o.object.Spec.UpstreamCredential})
}

// tellUpstreamCredentials warns of served policies whose credential is not served at present. It comes back without a change to them.
func (p *Plan) tellUpstreamCredentials(verdicts map[Key]Verdict) {
	for _, o := range p.policies {
		name := o.object.Spec.UpstreamCredential
		v := verdicts[o.key]
		if name == "" || !v.Served || verdicts[Key{v1alpha1.KindIdentityProvider, o.key.Namespace, name}].Served {
			continue
		}
		f := findings{warnings: slices.Clip(v.Warnings)}
		f.warn(upstreamCredentialField, "IdentityProvider %s is not served at present, so every request that passes is answered with 503: its conditions say why", name)
		v.Warnings, v.Accepted.Message = f.warnings, acceptedMessage(f.warnings)
		verdicts[o.key] = v
	}
}

// planTokenExchange checks what assertions need.
func (p *Plan) planTokenExchange(o *policyPlan) {
	exchange := o.object.Spec.TokenExchange
	if exchange == nil {
		return
	}
	if base := p.server.base; exchange.Enabled && base != nil && base.Store.Type == config.StoreNone {
		o.refuse(v1alpha1.ReasonStoreRequired, "spec.tokenExchange.enabled",
			"an AuthServer with spec.store.type None issues no tokens and cannot remember which assertions were used: set it to Embedded or PostgreSQL, or name another AuthServer")
	}
	for i, s := range exchange.Scopes {
		if !isScope(string(s)) {
			o.refuse(v1alpha1.ReasonInvalid, fmt.Sprintf("spec.tokenExchange.scopes[%d]", i), "must be one scope, without spaces, quotes and backslashes: write each as an item of the list")
		}
	}
}

func (o *policyPlan) tokenExchange() *config.TokenExchange {
	exchange := o.object.Spec.TokenExchange
	if exchange == nil || !exchange.Enabled {
		return nil
	}
	out := &config.TokenExchange{}
	for _, s := range exchange.Scopes {
		if !slices.Contains(out.Scopes, string(s)) {
			out.Scopes = append(out.Scopes, string(s))
		}
	}
	return out
}
