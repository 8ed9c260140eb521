// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"slices"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwe"
)

// defaultContentAlgorithm is the schema's.
const defaultContentAlgorithm = "A256GCM"

// planDecryption checks the block without its Secrets.
func (o *policyPlan) planDecryption() {
	spec := o.object.Spec.Decryption
	if spec == nil {
		return
	}
	const at = "spec.decryption."
	content := spec.ContentAlgorithms
	if len(content) == 0 {
		content = []v1alpha1.ContentAlgorithm{defaultContentAlgorithm}
	}
	out := &config.Decryption{
		Required: spec.Required, Direct: spec.NestedSignature == v1alpha1.NestedSignatureOptional,
		KeyAlgorithms:     known(o, at+"keyAlgorithms", spec.KeyAlgorithms, jwe.KeyAlgorithms()),
		ContentAlgorithms: known(o, at+"contentAlgorithms", content, jwe.ContentAlgorithms()),
	}
	switch spec.NestedSignature {
	case "", v1alpha1.NestedSignatureRequired, v1alpha1.NestedSignatureOptional:
	default:
		o.refuse(v1alpha1.ReasonInvalid, at+"nestedSignature", "%s is not known: use Required or Optional", quoted(string(spec.NestedSignature)))
	}
	if out.Direct && slices.ContainsFunc(out.KeyAlgorithms, func(a string) bool { return !jwe.IsSymmetric(a) }) {
		o.refuse(v1alpha1.ReasonInvalid, at+"nestedSignature", "Optional is for symmetric keys only: with RSA or ECDH anybody can encrypt, so set keyAlgorithms to A128KW, A192KW, A256KW or dir, or nestedSignature to Required")
	}
	if len(spec.KeyAlgorithms) == 0 || len(spec.Keys) == 0 {
		o.refuse(v1alpha1.ReasonInvalid, "spec.decryption", "keyAlgorithms and keys are required")
	}
	for i := range spec.Keys {
		o.planDecryptionKey(decryptionField(i), &spec.Keys[i], out.KeyAlgorithms)
	}
	o.decryption = out
}

func (o *policyPlan) planDecryptionKey(field string, source *v1alpha1.DecryptionKeySource, algorithms []string) {
	switch source.Format {
	case v1alpha1.KeyFormatPEM, v1alpha1.KeyFormatSymmetric:
		if a := string(source.Algorithm); a != "" && !slices.Contains(algorithms, a) {
			o.refuse(v1alpha1.ReasonInvalid, field+".algorithm", "%s is not one of spec.decryption.keyAlgorithms %v: add it there, or correct it", quoted(a), algorithms)
		}
	case v1alpha1.KeyFormatJWKS:
		if source.KeyID != "" || source.Algorithm != "" {
			o.refuse(v1alpha1.ReasonInvalid, field, "a JWKS names its own kid and alg: leave keyID and algorithm out")
		}
	default:
		o.refuse(v1alpha1.ReasonInvalid, field+".format", "set it to JWKS, PEM or Symmetric")
	}
}

// known returns the names of a list, each once, and refuses those that are none of all.
func known[S ~string](o *policyPlan, field string, given []S, all []string) []string {
	var out []string
	for i, a := range given {
		switch name := string(a); {
		case !slices.Contains(all, name):
			o.refuse(v1alpha1.ReasonInvalid, fmt.Sprintf("%s[%d]", field, i), "%s is not known: use some of %v", quoted(name), all)
		case !slices.Contains(out, name):
			out = append(out, name)
		}
	}
	return out
}

// direct tells whether claims may stand inside the encryption without a signature: then a policy needs no issuers.
func (o *policyPlan) direct() bool { return o.decryption != nil && o.decryption.Direct }

func (o *policyPlan) decryptionReferences() []Ref {
	var refs []Ref
	if d := o.object.Spec.Decryption; d != nil {
		for i := range d.Keys {
			refs = append(refs, secretRef(&d.Keys[i].SecretRef, o.key.Namespace))
		}
	}
	return refs
}

// renderDecryption reads the keys. Mistakes are the Secrets': ResolvedRefs=False.
func (o *policyPlan) renderDecryption(f *findings, r *resolver) *config.Decryption {
	if o.decryption == nil {
		return nil
	}
	out := *o.decryption // the plan stays as it is
	u := union[*jwe.Key]{findings: f, uses: o.decryptionUses(), describe: describeDecryption,
		fits: func(k *jwe.Key, a use) bool { return k.Fits(a.algorithm, a.content) == nil }}
	for i := range o.object.Spec.Decryption.Keys {
		source, field := &o.object.Spec.Decryption.Keys[i], decryptionField(i)
		for _, k := range o.resolveDecryptionKeys(f, r, source, field+".secretRef") {
			u.add(k, field, source.Format == v1alpha1.KeyFormatJWKS)
		}
	}
	out.Keys = u.jwks("spec.decryption.keys")
	return &out
}

func (o *policyPlan) decryptionUses() []use {
	var out []use
	for _, a := range o.decryption.KeyAlgorithms {
		for _, c := range o.decryption.ContentAlgorithms {
			out = append(out, use{a, c})
		}
	}
	return out
}

func decryptionField(i int) string { return fmt.Sprintf("spec.decryption.keys[%d]", i) }
