// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/jwe"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

func (o *policyPlan) resolveDecryptionKeys(f *findings, r *resolver, source *v1alpha1.DecryptionKeySource, field string) []*jwe.Key {
	data, where, ok := o.keyValue(f, r, &source.SecretRef, field, "keep only the keys in use (a private key takes less than 4 KiB)")
	if !ok {
		return nil
	}
	keys, warnings, err := o.readDecryptionKeys(source, data)
	for _, w := range warnings {
		f.warn(field, "%s: %s", where, w)
	}
	if err != nil {
		f.refuseRef(v1alpha1.ReasonRefInvalid, field, "%s: %v", where, err)
		return nil
	}
	return keys
}

// readDecryptionKeys parses a value, applies keyID and algorithm, and demands that the keys can decrypt something for this policy: each
// key of a PEM or secret, at least one of a JWKS.
func (o *policyPlan) readDecryptionKeys(source *v1alpha1.DecryptionKeySource, data []byte) ([]*jwe.Key, []string, error) {
	var keys []*jwe.Key
	var err error
	switch source.Format {
	case v1alpha1.KeyFormatJWKS:
		return o.readDecryptionSet(data)
	case v1alpha1.KeyFormatSymmetric:
		keys, err = readSymmetric(data)
	default:
		keys, err = jwe.ParsePEM(data)
	}
	if err != nil {
		return nil, nil, err
	}
	for n, k := range keys {
		if keys[n], err = k.With(source.KeyID, string(source.Algorithm)); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", describeDecryption(k), err)
		}
		if err := o.decrypts(keys[n]); err != nil {
			return nil, nil, err
		}
	}
	return keys, nil, nil
}

// readSymmetric takes a value as it is. Its length is exact, so a line break at its end is a mistake.
func readSymmetric(data []byte) ([]*jwe.Key, error) {
	if err := checkSecretValue(data, "symmetric key"); err != nil {
		return nil, err
	}
	key, err := jwe.Symmetric(data)
	if err != nil {
		if n := len(data); n > 0 && data[n-1] == '\n' {
			err = fmt.Errorf("%w; the value ends with a line break, which counts: make the Secret again from a file without one", err)
		}
		return nil, err
	}
	return []*jwe.Key{key}, nil
}

func (o *policyPlan) readDecryptionSet(data []byte) ([]*jwe.Key, []string, error) {
	keys, problems, err := jwe.ParseSet(data)
	if err != nil {
		return nil, nil, err
	}
	return usable(keys, problems, o.decrypts)
}

// usable keeps the keys of a JWKS that serve this policy and tells of the others. None at all is an error.
func usable[K any](keys []K, problems []jwk.Problem, serves func(K) error) ([]K, []string, error) {
	var warnings []string
	for _, p := range problems {
		warnings = append(warnings, p.String())
	}
	var out []K
	for _, k := range keys {
		if err := serves(k); err != nil {
			warnings = append(warnings, err.Error())
			continue
		}
		out = append(out, k)
	}
	switch {
	case len(out) > 0:
		return out, warnings, nil
	case len(warnings) == 0:
		return nil, nil, errors.New("the JWKS holds no keys")
	default:
		return nil, nil, fmt.Errorf("the JWKS holds no usable key: %s", strings.Join(firstOf(warnings), "; "))
	}
}

// decrypts demands that the key can open a token with at least one pair of the policy's algorithms.
func (o *policyPlan) decrypts(k *jwe.Key) error {
	uses := o.decryptionUses()
	if len(uses) == 0 { // every one of them is unknown, which is told already
		return nil
	}
	misfit := errors.New("")
	for _, a := range uses {
		err := k.Fits(a.algorithm, a.content)
		if err == nil {
			return nil
		}
		misfit = err
	}
	if len(uses) == 1 {
		return fmt.Errorf("%s: %w", describeDecryption(k), misfit)
	}
	return fmt.Errorf("%s fits none of spec.decryption.keyAlgorithms %v with contentAlgorithms %v: %s", describeDecryption(k),
		o.decryption.KeyAlgorithms, o.decryption.ContentAlgorithms, remedy(k))
}

// remedy names the algorithms that a key does fit.
func remedy(k *jwe.Key) string {
	var pairs []string
	for _, a := range jwe.KeyAlgorithms() {
		var with []string
		for _, c := range jwe.ContentAlgorithms() {
			if k.Fits(a, c) == nil {
				with = append(with, c)
			}
		}
		switch {
		case len(with) == len(jwe.ContentAlgorithms()):
			pairs = append(pairs, a)
		case len(with) > 0:
			pairs = append(pairs, a+" with "+strings.Join(with, " or "))
		}
	}
	return "give another key, or add what this one is for: " + strings.Join(pairs, ", ")
}

// describeDecryption names a key by type and ID, never by its bytes.
func describeDecryption(k *jwe.Key) string {
	what := map[string]string{"RSA": "RSA private key", "EC": "EC private key", "oct": "symmetric key"}[k.Type()]
	if k.ID() != "" {
		what += " with kid " + quoted(k.ID())
	}
	return what
}
