// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// maxCABundle bounds a CA bundle in bytes, before and after it is normalised.
const maxCABundle = 64 << 10

// maxKeysTold bounds the list of a Secret's keys in a message.
const maxKeysTold = 10

// resolver answers references from what the caller gathered.
type resolver struct {
	refs         map[Ref]Resolved
	requireLabel bool
	// bundles holds what was made of each CA bundle: thousands of policies may name one.
	bundles map[bundleKey]normalized
	// err is set when a reference was not gathered, which is the caller's fault.
	err error
}

func secretRef(r *v1alpha1.SecretKeyReference, namespace string) Ref {
	return Ref{v1alpha1.BundleSecret, namespace, r.Name}
}

func bundleRef(r *v1alpha1.CABundleReference, namespace string) Ref {
	return Ref{r.Kind, namespace, r.Name}
}

// value returns the bytes under a reference, or notes what stands in the way.
func (r *resolver) value(f *findings, field string, ref Ref, key string) ([]byte, bool) {
	found, gathered := r.refs[ref]
	if !gathered && r.err == nil {
		r.err = fmt.Errorf("rendering: %s was not gathered", ref)
	}
	if !r.exists(f, field, ref, found) || !r.permitted(f, field, ref, found) {
		return nil, false
	}
	noteReference(f, ref, found)
	data, ok := found.Data[key]
	if !ok {
		f.refuseRef(v1alpha1.ReasonRefNotFound, field, "%s has no key %q%s", ref, key, keysOf(found.Data))
		return nil, false
	}
	return data, true
}

func (r *resolver) exists(f *findings, field string, ref Ref, found Resolved) bool {
	switch {
	case found.Forbidden:
		f.refuseRef(v1alpha1.ReasonRefNotPermitted, field, "the operator's own rights do not let it read %s: "+
			"its namespace needs the Role that the installation describes", ref)
		return false
	case !found.Found:
		f.refuseRef(v1alpha1.ReasonRefNotFound, field, "%s does not exist: create it, or correct the name", ref)
		f.problems[len(f.problems)-1].Missing = &ref
		return false
	}
	return true
}

// permitted keeps service account tokens, registry logins and Gatehouse's own Secrets out of reach of whoever may create
// an object here.
func (r *resolver) permitted(f *findings, field string, ref Ref, found Resolved) bool {
	if ref.Kind != v1alpha1.BundleSecret {
		return true
	}
	_, labelled := found.Labels[v1alpha1.LabelServer]
	switch {
	case found.OwnedByGatehouse || labelled:
		f.refuseRef(v1alpha1.ReasonRefNotPermitted, field, "%s belongs to Gatehouse itself: name a Secret of your own", ref)
	case !permittedType(found.Type):
		f.refuseRef(v1alpha1.ReasonRefNotPermitted, field,
			"%s is of type %s, which may not be used: the types %s, %s, %s and %s* may", ref, found.Type,
			corev1.SecretTypeOpaque, corev1.SecretTypeTLS, corev1.SecretTypeBasicAuth, v1alpha1.SecretTypePrefix)
	case r.requireLabel && found.Labels[v1alpha1.LabelAllow] != "true":
		f.refuseRef(v1alpha1.ReasonRefNotPermitted, field, "%s lacks the label %s: \"true\", which this installation demands",
			ref, v1alpha1.LabelAllow)
	default:
		return true
	}
	return false
}

func permittedType(t corev1.SecretType) bool {
	switch t {
	case "", corev1.SecretTypeOpaque, corev1.SecretTypeTLS, corev1.SecretTypeBasicAuth:
		return true
	}
	return strings.HasPrefix(string(t), v1alpha1.SecretTypePrefix)
}

// noteReference lists each Secret or ConfigMap once, in the order of the spec.
func noteReference(f *findings, ref Ref, found Resolved) {
	n := v1alpha1.ResolvedReference{Kind: string(ref.Kind), Name: ref.Name, ResourceVersion: found.ResourceVersion}
	if !slices.Contains(f.references, n) {
		f.references = append(f.references, n)
	}
}

// keysOf lists the names, never the values, of what is there.
func keysOf(data map[string][]byte) string {
	if len(data) == 0 {
		return ": it is empty"
	}
	keys := slices.Sorted(maps.Keys(data))
	more := ""
	if len(keys) > maxKeysTold {
		more = fmt.Sprintf(" and %d more", len(keys)-maxKeysTold)
		keys = keys[:maxKeysTold]
	}
	return ": it has " + strings.Join(keys, ", ") + more
}

// bundleKey is one key of a Secret or ConfigMap.
type bundleKey struct {
	ref Ref
	key string
}

// normalized is a CA bundle as the server reads it, or what is wrong with it.
type normalized struct {
	pem string
	err error
}

// caBundle returns the certificates under a reference in PEM, without what stood between them, after the server's own
// reader has seen them.
func (r *resolver) caBundle(f *findings, field string, ref *v1alpha1.CABundleReference, namespace string) (string, bool) {
	key := ref.Key
	if key == "" {
		key = "ca.crt"
	}
	name := bundleRef(ref, namespace)
	data, ok := r.value(f, field, name, key)
	if !ok {
		return "", false
	}
	at := bundleKey{name, key}
	bundle, known := r.bundles[at]
	if !known {
		bundle.pem, bundle.err = normalize(data)
		r.bundles[at] = bundle
	}
	if bundle.err != nil {
		f.refuseRef(v1alpha1.ReasonRefInvalid, field, "key %q of %s%v", key, name, bundle.err)
		return "", false
	}
	return bundle.pem, true
}

// normalize returns an error that continues "key K of Secret N".
func normalize(data []byte) (string, error) {
	tooLong := func(n int) error {
		return fmt.Errorf(" has %d bytes, at most %d are allowed: keep only the CAs that sign these servers' certificates", n, maxCABundle)
	}
	if len(data) > maxCABundle {
		return "", tooLong(len(data))
	}
	pem, err := outbound.NormalizeCABundle(data)
	switch {
	case err != nil:
		return "", fmt.Errorf(": %w", err)
	case len(pem) > maxCABundle:
		return "", tooLong(len(pem))
	}
	return pem, nil
}
