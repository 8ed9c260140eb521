// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
)

// Keys of an output Secret.
const (
	outputToken         = "token"
	outputType          = "token_type"
	outputExpiresAt     = "expires_at"
	outputAuthorization = "authorization"
)

// outputOf is the name of the Secret that a provider wants kept, "" for none.
func outputOf(p *v1alpha1.IdentityProvider) string {
	if p.Spec.Enabled != nil && !*p.Spec.Enabled {
		return ""
	}
	return claimedOutput(p)
}

// claimedOutput is the same, for a disabled provider too: its claim on the name stays.
func claimedOutput(p *v1alpha1.IdentityProvider) string {
	if p.Spec.Type != v1alpha1.ProviderJWTBearer || p.Spec.JWTBearer == nil {
		return ""
	}
	return p.Spec.JWTBearer.OutputSecretName
}

// credentialLabels are on every output Secret. They do not name the AuthServer: what is labelled so belongs to it.
func credentialLabels() map[string]string {
	return map[string]string{"app.kubernetes.io/managed-by": "gatehouse", "app.kubernetes.io/component": "credential"}
}

// held is what an output Secret says of the token in it, without the token.
type held struct {
	// source is the hash of what the token was made of.
	source                       string
	issuedAt, renewAt, expiresAt time.Time
}

// valid tells whether the token may still be used.
func (h *held) valid(now time.Time) bool { return h != nil && now.Before(h.expiresAt) }

// heldBy reads what a Secret's metadata say. It is nil when they cannot be read, or when somebody else has set a field that is ours: then nobody knows what
// is in it.
func heldBy(o metav1.Object) *held {
	a := o.GetAnnotations()
	h := &held{source: a[v1alpha1.AnnotationSourceHash]}
	for _, t := range []struct {
		name string
		at   *time.Time
	}{{v1alpha1.AnnotationIssuedAt, &h.issuedAt}, {v1alpha1.AnnotationRenewAt, &h.renewAt}, {v1alpha1.AnnotationExpiresAt, &h.expiresAt}} {
		at, err := time.Parse(time.RFC3339, a[t.name])
		if err != nil {
			return nil
		}
		*t.at = at
	}
	if h.source == "" || !ownsFields(o.GetManagedFields()) {
		return nil
	}
	return h
}

// outputFields are the fields of an output Secret, as managedFields name them.
func outputFields() map[string][]string {
	return map[string][]string{
		"data": {outputToken, outputType, outputExpiresAt, outputAuthorization},
		"annotations": {
			v1alpha1.AnnotationIssuedAt, v1alpha1.AnnotationRenewAt, v1alpha1.AnnotationExpiresAt, v1alpha1.AnnotationSourceHash,
		},
		"labels": slices.Collect(maps.Keys(credentialLabels())),
	}
}

// ownsFields tells whether every field of an output Secret has the value that the operator gave it: the API server notes who set a field last, so that the
// operator need not read a token, or keep its hash, to see that it was replaced.
func ownsFields(entries []metav1.ManagedFieldsEntry) bool {
	type fields map[string]json.RawMessage
	owned := map[string]fields{"data": {}, "annotations": {}, "labels": {}}
	for i := range entries {
		e := &entries[i]
		if e.Manager != v1alpha1.FieldManager || e.Subresource != "" || e.FieldsV1 == nil {
			continue
		}
		var set struct {
			Data     fields `json:"f:data"`
			Metadata struct {
				Annotations fields `json:"f:annotations"`
				Labels      fields `json:"f:labels"`
			} `json:"f:metadata"`
		}
		if json.Unmarshal(e.FieldsV1.GetRawBytes(), &set) != nil {
			continue
		}
		maps.Copy(owned["data"], set.Data)
		maps.Copy(owned["annotations"], set.Metadata.Annotations)
		maps.Copy(owned["labels"], set.Metadata.Labels)
	}
	for section, names := range outputFields() {
		for _, name := range names {
			if _, ok := owned[section]["f:"+name]; !ok {
				return false
			}
		}
	}
	return true
}

// outputSecret is the Secret for a token. What is told of it in whole seconds is never later than it is.
func outputSecret(p *v1alpha1.IdentityProvider, t assertion.Token, h *held) *corev1.Secret {
	stamp := func(at time.Time) string { return at.UTC().Format(time.RFC3339) }
	return &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: kindSecret},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: p.Namespace, Name: outputOf(p), Labels: credentialLabels(),
			Annotations: map[string]string{
				v1alpha1.AnnotationSourceHash: h.source, v1alpha1.AnnotationIssuedAt: stamp(h.issuedAt),
				v1alpha1.AnnotationRenewAt: stamp(h.renewAt), v1alpha1.AnnotationExpiresAt: stamp(h.expiresAt),
			},
			// Without blockOwnerDeletion: nothing waits for this Secret, and the operator needs no right to the provider's finalizers.
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindIdentityProvider, Name: p.Name, UID: p.UID, Controller: ptr.To(true),
			}},
		},
		Type: corev1.SecretTypeOpaque,
		Data: map[string][]byte{
			outputToken: []byte(t.Value), outputType: []byte(t.Type), outputExpiresAt: []byte(stamp(t.ExpiresAt)), outputAuthorization: []byte(t.Authorization()),
		},
	}
}

// controls tells whether the Secret was made for this very provider.
func controls(p *v1alpha1.IdentityProvider, secret metav1.Object) bool {
	owner := controllerOf(secret)
	return owner != nil && owner.UID == p.UID
}

// controllerOf is the IdentityProvider that controls a Secret, nil if none does.
func controllerOf(secret metav1.Object) *metav1.OwnerReference {
	owner := metav1.GetControllerOfNoCopy(secret)
	if owner == nil || owner.Kind != v1alpha1.KindIdentityProvider || !ownedByGatehouse([]metav1.OwnerReference{*owner}) {
		return nil
	}
	return owner
}
