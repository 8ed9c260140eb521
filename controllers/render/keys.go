// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// maxSource bounds what one key source may hold before it is parsed, in bytes.
const maxSource = 512 << 10

// planKeySource checks a source and parses it if it is inline. Mistakes are the spec's own: Accepted=False.
func (o *policyPlan) planKeySource(i, j int) {
	source, field := &o.object.Spec.Issuers[i].Keys[j], keyField(i, j)
	given := 0
	for _, is := range []bool{source.JWKS != "", source.PEM != "", source.SecretRef != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		o.refuse(v1alpha1.ReasonInvalid, field, "set exactly one of jwks, pem and secretRef")
		return
	}
	var data, name string
	var format v1alpha1.KeyFormat
	switch {
	case source.SecretRef != nil:
		o.planSecretSource(source, field)
		return
	case source.JWKS != "":
		data, name, format = source.JWKS, ".jwks", v1alpha1.KeyFormatJWKS
		if holdsSymmetric([]byte(data)) {
			o.refuse(v1alpha1.ReasonInvalid, field+name, "a symmetric key (kty oct) is a secret, and whoever can read this object can read it: "+
				"replace it, put the new one into a Secret and name that in secretRef")
			return
		}
	default:
		data, name, format = source.PEM, ".pem", v1alpha1.KeyFormatPEM
	}
	keys, warnings, err := o.readKeys(source, format, []byte(data))
	for _, w := range warnings {
		o.warn(field+name, "%s", w)
	}
	if err != nil {
		o.refuse(v1alpha1.ReasonInvalid, field+name, "%v", err)
		return
	}
	o.inline[[2]int{i, j}] = keys
}

func (o *policyPlan) planSecretSource(source *v1alpha1.KeySource, field string) {
	switch source.Format {
	case v1alpha1.KeyFormatJWKS, v1alpha1.KeyFormatPEM, v1alpha1.KeyFormatSymmetric:
	default:
		o.refuse(v1alpha1.ReasonInvalid, field+".format", "format goes with secretRef: set it to JWKS, PEM or Symmetric")
	}
}

// renderKeys returns the keys of one entry of spec.issuers, one JWK each.
func (o *policyPlan) renderKeys(f *findings, r *resolver, i int) []json.RawMessage {
	u := union[*jwk.Key]{findings: f, describe: describe, fits: func(k *jwk.Key, a use) bool { return k.Fits(a.algorithm) == nil }}
	for _, a := range o.algorithms {
		u.uses = append(u.uses, use{algorithm: a})
	}
	for j := range o.object.Spec.Issuers[i].Keys {
		source, field := &o.object.Spec.Issuers[i].Keys[j], keyField(i, j)
		keys := o.inline[[2]int{i, j}]
		if source.SecretRef != nil {
			keys = o.resolveKeys(f, r, source, field+".secretRef")
		}
		for _, k := range keys {
			u.add(k, field, source.JWKS != "" || source.Format == v1alpha1.KeyFormatJWKS)
		}
	}
	return u.jwks(fmt.Sprintf("spec.issuers[%d].keys", i))
}

// resolveKeys reads a source's Secret. Mistakes are the Secret's: ResolvedRefs=False.
func (o *policyPlan) resolveKeys(f *findings, r *resolver, source *v1alpha1.KeySource, field string) []*jwk.Key {
	data, where, ok := o.keyValue(f, r, source.SecretRef, field, "keep only the keys in use (a public key takes less than 1 KiB), or publish the set at a URL and set jwksURI")
	if !ok {
		return nil
	}
	keys, warnings, err := o.readKeys(source, source.Format, data)
	for _, w := range warnings {
		f.warn(field, "%s: %s", where, w)
	}
	if err != nil {
		f.refuseRef(v1alpha1.ReasonRefInvalid, field, "%s: %v", where, err)
		return nil
	}
	return keys
}

// keyValue reads the Secret of a key source and says where in words; advice is for a value that is too long.
func (o *policyPlan) keyValue(f *findings, r *resolver, given *v1alpha1.SecretKeyReference, field, advice string) (data []byte, where string, ok bool) {
	ref := secretRef(given, o.key.Namespace)
	if data, ok = r.value(f, field, ref, given.Key); !ok {
		return nil, "", false
	}
	where = fmt.Sprintf("key %q of %s", given.Key, ref)
	if len(data) > maxSource {
		f.refuseRef(v1alpha1.ReasonRefInvalid, field, "%s has %d bytes, at most %d are read: %s", where, len(data), maxSource, advice)
		return nil, "", false
	}
	return data, where, true
}

// readKeys parses a value, applies keyID and algorithm, and demands that the keys can verify something for this policy: each
// key of a PEM or secret, at least one of a JWKS, which its publisher may fill with keys for other ends.
func (o *policyPlan) readKeys(source *v1alpha1.KeySource, format v1alpha1.KeyFormat, data []byte) ([]*jwk.Key, []string, error) {
	if format == v1alpha1.KeyFormatJWKS {
		return o.readSet(data)
	}
	var keys []*jwk.Key
	var warnings []string
	var err error
	if format == v1alpha1.KeyFormatSymmetric {
		keys, warnings, err = readSecret(data)
	} else {
		keys, err = jwk.ParsePEM(data)
	}
	if err != nil {
		return nil, nil, err
	}
	for n, k := range keys {
		if keys[n], err = k.With(source.KeyID, string(source.Algorithm)); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", describe(k), err)
		}
		if err := o.fits(keys[n]); err != nil {
			return nil, nil, err
		}
	}
	return keys, warnings, nil
}

// readSet parses a JWKS. A private key refuses the whole set: its owner must learn that it has leaked.
func (o *policyPlan) readSet(data []byte) ([]*jwk.Key, []string, error) {
	set, problems, err := jwk.ParseSet(data)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range problems {
		if p.Reason == jwk.ErrPrivate.Error() {
			return nil, nil, errors.New(p.String())
		}
	}
	return usable(set.Keys(), problems, o.fits)
}

func firstOf(texts []string) []string {
	if len(texts) <= maxTold {
		return texts
	}
	return append(texts[:maxTold:maxTold], fmt.Sprintf("and %d more", len(texts)-maxTold))
}

// readSecret takes a value as it is.
func readSecret(data []byte) ([]*jwk.Key, []string, error) {
	if err := checkSecretValue(data, "HMAC secret"); err != nil {
		return nil, nil, err
	}
	key, err := jwk.Symmetric(data)
	if err != nil {
		return nil, nil, err
	}
	if bytes.HasSuffix(data, []byte("\n")) {
		return []*jwk.Key{key}, []string{"the value ends with a line break, which counts as part of the secret: if signatures do not match, make the Secret again from a file without one"}, nil
	}
	return []*jwk.Key{key}, nil, nil
}

// checkSecretValue refuses what is no secret: with a public key in its place, whoever knows the public key could sign or encrypt. what says what the
// value should be.
func checkSecretValue(data []byte, what string) error {
	trimmed := bytes.TrimSpace(data)
	switch {
	case bytes.Contains(data, []byte("-----BEGIN ")):
		return fmt.Errorf("it holds PEM, which is no %s: set format to PEM", what)
	case bytes.HasPrefix(trimmed, []byte("{")) && json.Valid(trimmed):
		return fmt.Errorf(`it holds JSON, which is no %s: set format to JWKS, and wrap a single JWK as {"keys":[...]}`, what)
	case isPublic(data):
		return fmt.Errorf("it holds a public key or certificate in DER, which is no %s: write it as PEM, and set format to PEM", what)
	}
	return nil
}

// isPublic tells whether the value is a public key or a certificate in DER.
func isPublic(data []byte) bool {
	if _, err := x509.ParsePKIXPublicKey(data); err == nil {
		return true
	}
	if _, err := x509.ParsePKCS1PublicKey(data); err == nil {
		return true
	}
	_, err := x509.ParseCertificate(data)
	return err == nil
}

// holdsSymmetric looks for kty oct in a JWKS that may be malformed otherwise.
func holdsSymmetric(data []byte) bool {
	var set struct {
		Keys []struct {
			Kty string `json:"kty"`
		} `json:"keys"`
	}
	_ = json.Unmarshal(data, &set) // what could be read decides; jwk tells the rest
	for _, k := range set.Keys {
		if k.Kty == "oct" {
			return true
		}
	}
	return false
}

func keyField(i, j int) string { return fmt.Sprintf("spec.issuers[%d].keys[%d]", i, j) }
