// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// foundSecret is what there is under the name of an output Secret.
type foundSecret struct {
	// uid and version are empty where there is none.
	uid     types.UID
	version string
	// held is what it says of its token; nil where there is none, or somebody has edited it.
	held *held
	// foreign tells, where it belongs to somebody else, what to do.
	foreign string
}

// find reads the metadata of a provider's Secret from the API server: who owns which of its fields is in no cache, and the token need not be read.
func (c *credentials) find(ctx context.Context, p *v1alpha1.IdentityProvider) (foundSecret, error) {
	m := metadataOf(kindSecret)
	err := c.r.live.Get(ctx, types.NamespacedName{Namespace: p.Namespace, Name: outputOf(p)}, m)
	owner := controllerOf(m)
	switch {
	case apierrors.IsNotFound(err):
		return foundSecret{}, nil
	case err != nil:
		return foundSecret{}, fmt.Errorf("reading the metadata of Secret %s/%s: %w", p.Namespace, outputOf(p), err)
	case controls(p, m) && m.DeletionTimestamp.IsZero():
		return foundSecret{uid: m.UID, version: m.ResourceVersion, held: heldBy(m)}, nil
	case controls(p, m):
		return foundSecret{foreign: fmt.Sprintf("Secret %s is being deleted, and a finalizer keeps it: it is made anew when it is gone", m.Name)}, nil
	case owner != nil && owner.Name == p.Name:
		return foundSecret{foreign: fmt.Sprintf("Secret %s still belongs to a deleted IdentityProvider of this name and is being removed", m.Name)}, nil
	}
	return foundSecret{foreign: fmt.Sprintf("Secret %s exists and was not made for this object, so it is left alone: delete it, or choose another spec.jwtBearer.outputSecretName",
		m.Name)}, nil
}

// errGone tells that a Secret is not what was found: another look is due.
var errGone = errors.New("the Secret has changed meanwhile")

// store writes a Secret in the place of what was found, and only there: a new one must not exist, and one that exists must be the very object and version that
// was found to be ours.
func (c *credentials) store(ctx context.Context, found foundSecret, secret *corev1.Secret) error {
	if found.uid == "" {
		return c.written(c.r.client.Create(ctx, secret, client.FieldOwner(v1alpha1.FieldManager)), secret)
	}
	applied := secret.DeepCopy()
	applied.UID, applied.ResourceVersion = found.uid, found.version
	u, err := unstructuredOf(applied)
	if err != nil {
		return err
	}
	err = c.r.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(v1alpha1.FieldManager), client.ForceOwnership)
	if !apierrors.IsInvalid(err) {
		return c.written(err, secret)
	}
	// Somebody made it immutable, or otherwise such that it takes no new token.
	c.r.log.Info("replacing an output Secret that takes no change", "namespace", secret.Namespace, "name", secret.Name)
	gone := metadataOf(kindSecret)
	gone.SetNamespace(secret.Namespace)
	gone.SetName(secret.Name)
	err = c.r.client.Delete(ctx, gone, client.Preconditions{UID: ptr.To(found.uid), ResourceVersion: ptr.To(found.version)})
	if err != nil && !apierrors.IsNotFound(err) {
		return c.written(err, secret)
	}
	return c.written(c.r.client.Create(ctx, secret, client.FieldOwner(v1alpha1.FieldManager)), secret)
}

// refusedSecret is a refusal of the API server that no other read will change.
type refusedSecret struct{ reason metav1.StatusReason }

func (e *refusedSecret) Error() string {
	return fmt.Sprintf("the API server refused to write the Secret (%s): a quota, or an admission webhook or policy, may be why", e.reason)
}

// written puts the error of a write into words: never the API server's own, which webhooks write too, and which may hold what they were sent.
func (c *credentials) written(err error, secret *corev1.Secret) error {
	var status apierrors.APIStatus
	switch {
	case err == nil:
		return nil
	case apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err):
		return errGone
	case apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsRequestEntityTooLargeError(err):
		return &refusedSecret{reason: apierrors.ReasonForError(err)}
	case errors.As(err, &status):
		return fmt.Errorf("writing Secret %s/%s: the API server answered %d %s", secret.Namespace, secret.Name, status.Status().Code, status.Status().Reason)
	}
	return fmt.Errorf("writing Secret %s/%s: %w", secret.Namespace, secret.Name, err)
}

// remove deletes the Secrets that were made for the provider, but the one to keep. It returns when to look again, where one has changed since the cache saw it.
func (c *credentials) remove(ctx context.Context, p *v1alpha1.IdentityProvider, keep string) (again time.Duration, err error) {
	list := &metav1.PartialObjectMetadataList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "SecretList"}}
	if err := c.r.client.List(ctx, list, client.InNamespace(p.Namespace), client.MatchingFields{indexController: string(p.UID)}); err != nil {
		return 0, fmt.Errorf("listing Secrets of %s: %w", keyOf(p), err)
	}
	for i := range list.Items {
		m := &list.Items[i]
		if m.Name == keep || !m.DeletionTimestamp.IsZero() {
			continue
		}
		err := c.r.client.Delete(ctx, m, client.Preconditions{UID: ptr.To(m.UID), ResourceVersion: ptr.To(m.ResourceVersion)})
		switch {
		case apierrors.IsConflict(err):
			again = c.r.options.Timing.Poll
		case err != nil && !apierrors.IsNotFound(err):
			return 0, fmt.Errorf("removing Secret %s/%s: %w", m.Namespace, m.Name, err)
		case err == nil:
			c.r.log.Info("removed an output Secret that is not asked for any more", "object", keyOf(p).String(), "secret", m.Name)
		}
	}
	return again, nil
}
