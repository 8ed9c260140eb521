// SPDX-License-Identifier: Apache-2.0

package render

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// Render makes the files and all verdicts. refs must hold every entry of References, also those that were not found; a missing one
// is an error, as nothing definite is known then. An error means that nothing may be written.
func (p *Plan) Render(refs map[Ref]Resolved) (*Output, error) {
	r := &resolver{refs: refs, requireLabel: p.in.RequireSecretLabel, bundles: map[bundleKey]normalized{}}
	out := &Output{ShardCount: max(p.in.ShardCount, 1), Verdicts: maps.Clone(p.rejected)}
	if p.server == nil {
		return out, nil
	}
	verdict, base, held := p.server.render(r)
	out.Verdicts[Key{v1alpha1.KindAuthServer, p.in.Name.Namespace, p.in.Name.Name}] = verdict
	out.Held = held
	providers := p.renderProviders(r, out)
	tenants, err := p.renderTenants(r, out)
	switch {
	case r.err != nil:
		return nil, r.err
	case err != nil:
		return nil, err
	case base == nil:
		withdraw(out.Verdicts)
		return out, nil
	}
	final := *base // the plan stays as it is
	final.Providers, final.Bundles = fitProviders(providers, base, out)
	out.URL = final.ExternalURL
	encoded, err := final.Encode()
	if err != nil {
		return nil, fmt.Errorf("rendering %s: %w", config.FileBase, err)
	}
	out.Files = tenants
	out.Files[config.FileBase] = encoded
	out.Hash = hashOf(out.Files)
	if err := check(out.Files); err != nil {
		return nil, err
	}
	return out, nil
}

// renderProviders returns the good ones in the order of claimants.
func (p *Plan) renderProviders(r *resolver, out *Output) []*renderedProvider {
	var served []*renderedProvider
	for _, o := range p.providers {
		if o.isCredential() {
			continue
		}
		v, provider := o.render(p, r)
		if provider != nil {
			v.Served = true
			served = append(served, provider)
		}
		out.Verdicts[o.key] = v
	}
	return served
}

// renderTenants makes the files of policies and credentials, which share them and the room of the server.
func (p *Plan) renderTenants(r *resolver, out *Output) (map[string][]byte, error) {
	served, beyond := fit(p.merged(p.renderPolicies(r, out), p.renderCredentials(r, out)))
	for _, claimant := range beyond {
		out.Verdicts[claimant.key] = beyondTotal()
	}
	files, count, leftOut, err := shard(served, out.ShardCount)
	if err != nil {
		return nil, err
	}
	for _, claimant := range leftOut {
		out.Verdicts[claimant.key] = crowdedOut(claimant, count)
	}
	out.ShardCount = count
	file := func(key Key, shardKey string) {
		v := out.Verdicts[key]
		v.File = config.TenantsFile(count, config.ShardOf(shardKey, count))
		out.Verdicts[key] = v
	}
	for _, o := range p.policies {
		file(o.key, o.object.Spec.TenantID)
	}
	for _, o := range p.providers {
		if o.isCredential() {
			file(o.key, p.providerName(o.key))
		}
	}
	p.tellUpstreamCredentials(out.Verdicts)
	return files, nil
}

// renderPolicies returns the good ones in the order of claimants.
func (p *Plan) renderPolicies(r *resolver, out *Output) []*rendered {
	served := make([]*rendered, 0, len(p.policies))
	for _, o := range p.policies {
		v, policy := o.render(p, r)
		if policy != nil {
			v.Served = true
			served = append(served, policy)
		}
		out.Verdicts[o.key] = v
	}
	return served
}

// renderCredentials returns the good ones in the order of claimants.
func (p *Plan) renderCredentials(r *resolver, out *Output) []*rendered {
	var served []*rendered
	for _, o := range p.providers {
		if !o.isCredential() {
			continue
		}
		v, credential := o.renderCredential(p, r)
		if credential != nil {
			v.Served = true
			served = append(served, credential)
		}
		out.Verdicts[o.key] = v
	}
	return served
}

// merged joins two lists in the order of claimants.
func (p *Plan) merged(a, b []*rendered) []*rendered {
	if len(b) == 0 {
		return a
	}
	out := make([]*rendered, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		from := &a
		if p.compare(b[0].object, a[0].object) < 0 {
			from = &b
		}
		out = append(out, (*from)[0])
		*from = (*from)[1:]
	}
	return append(append(out, a...), b...)
}

// beyondTotal is the verdict of a policy or credential for which the server has no room left.
func beyondTotal() Verdict {
	var f findings
	f.refuse(v1alpha1.ReasonTooLarge, "", "the AuthServer is full: its policies and credentials may take %d MiB of its memory together, with their URLs, keys and CA bundles, and "+
		"older ones fill that: make older ones smaller, let them share CA bundles, or move some to another AuthServer", maxTotal>>20)
	return f.verdict()
}

// crowdedOut is the verdict of a policy or credential whose shard is full although there are as many shards as there may be.
func crowdedOut(claimant *rendered, count int) Verdict {
	var f findings
	n := config.ShardOf(claimant.shardKey(), count)
	if claimant.credential != nil {
		f.refuse(v1alpha1.ReasonTooLarge, "", "the file that would hold it is full (%d of %d): make older policies in it smaller, choose another name, or another AuthServer", n, count)
		return f.verdict()
	}
	f.refuse(v1alpha1.ReasonTooLarge, "", "the file that would hold tenant %q is full (%d of %d): make older policies in it smaller, "+
		"choose another tenantID, or move tenants to another AuthServer", claimant.policy.TenantID, n, count)
	return f.verdict()
}

// withdraw marks everything as not served: there are no files.
func withdraw(verdicts map[Key]Verdict) {
	for k, v := range verdicts {
		v.Served, v.Fingerprint = false, ""
		verdicts[k] = v
	}
}

// measure returns a hash of what was rendered of an object and its size in bytes, or notes that it is too large.
func (f *findings) measure(rendered any, advice string) (hash string, size int) {
	text, err := json.Marshal(rendered)
	if err != nil {
		f.refuse(v1alpha1.ReasonInvalid, "", "it cannot be written as JSON")
		return "", 0
	}
	if len(text) > config.MaxObject {
		f.refuse(v1alpha1.ReasonTooLarge, "", "it renders to %d bytes, at most %d are allowed: %s", len(text), config.MaxObject, advice)
		return "", 0
	}
	return config.Hash(text), len(text)
}

// hashOf is a hash over the files' names and bytes.
func hashOf(files map[string][]byte) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		_, _ = io.WriteString(h, name+" "+config.Hash(files[name])+"\n") // a hash never fails
	}
	return hex.EncodeToString(h.Sum(nil))
}

// check runs the server's own parser over every file, so that nothing is written that a server would refuse.
func check(files map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		data := files[name]
		var err error
		if name == config.FileBase {
			_, err = config.ParseBase(data)
		} else {
			_, err = config.ParseTenants(name, data)
		}
		if err == nil && len(data) > config.MaxFile {
			err = fmt.Errorf("%d bytes, the limit is %d", len(data), config.MaxFile)
		}
		if err != nil {
			return fmt.Errorf("checking what was rendered: %s: %w", name, err)
		}
	}
	return nil
}
