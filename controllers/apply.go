// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// staleFor bounds how long the cache may go on showing an object as it was before our last write. After that the
// object counts as changed by somebody else: that is also what an API server restored from an older copy looks like.
const staleFor = 2 * time.Second

// objectID names a managed object of one server.
type objectID struct{ kind, name string }

// appliedRecord is what is known of a managed object after it was last applied or found to be as wanted.
type appliedRecord struct {
	// hash of the wanted object, as applied.
	hash string
	// uid and version are the API server's answer.
	uid     types.UID
	version string
	// before is the version that the cache showed when we wrote; "" for none.
	before string
	at     time.Time
}

// applier writes the managed objects of one server by server-side apply, and only those that differ from what is there.
type applier struct {
	r      *Reconciler
	st     *serverState
	server *v1alpha1.AuthServer
}

// apply makes the object as wanted. Its kind, owner and label are set here, in one place.
func (a *applier) apply(ctx context.Context, wanted client.Object) error {
	u, hash, err := a.prepare(wanted)
	if err != nil {
		return err
	}
	id := objectID{u.GetKind(), u.GetName()}
	have, err := a.current(ctx, id)
	if err != nil {
		return err
	}
	if have != nil {
		if err := a.own(have, id); err != nil {
			return err
		}
		if a.clean(id, hash, have, u) {
			return nil
		}
	}
	return a.write(ctx, id, hash, have, u)
}

// prepare turns a typed object into what is applied: named, labelled, owned, without what only the API server sets.
func (a *applier) prepare(wanted client.Object) (*unstructured.Unstructured, string, error) {
	gvk, err := apiutil.GVKForObject(wanted, a.r.client.Scheme())
	if err != nil {
		return nil, "", err
	}
	wanted.SetNamespace(a.server.Namespace)
	condition := wanted.GetResourceVersion() // only if it still is this one; no part of the content
	wanted.SetResourceVersion("")
	labels := map[string]string{}
	maps.Copy(labels, wanted.GetLabels())
	maps.Copy(labels, serverLabels(a.server.Name))
	wanted.SetLabels(labels)
	wanted.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindAuthServer, Name: a.server.Name, UID: a.server.UID,
		Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(true),
	}})
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(wanted)
	if err != nil {
		return nil, "", fmt.Errorf("encoding %s %s: %w", gvk.Kind, wanted.GetName(), err)
	}
	delete(content, "status")
	dropNulls(content)
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(gvk)
	encoded, err := json.Marshal(u.Object)
	if err != nil {
		return nil, "", fmt.Errorf("encoding %s %s: %w", gvk.Kind, wanted.GetName(), err)
	}
	if condition != "" {
		u.SetResourceVersion(condition)
	}
	sum := sha256.Sum256(encoded)
	return u, hex.EncodeToString(sum[:]), nil
}

// dropNulls removes null members, such as creationTimestamp: applied, they would be claims on fields.
func dropNulls(m map[string]any) {
	for k, v := range m {
		switch v := v.(type) {
		case nil:
			delete(m, k)
		case map[string]any:
			dropNulls(v)
		case []any:
			for _, item := range v {
				if item, ok := item.(map[string]any); ok {
					dropNulls(item)
				}
			}
		}
	}
}

// current returns the object as the cache has it: whole for most kinds, metadata for Secrets, nil when it is not there.
// The cache holds only labelled objects of most kinds, so what it does not show is asked for once more.
func (a *applier) current(ctx context.Context, id objectID) (client.Object, error) {
	o := managedObject(id.kind)
	name := types.NamespacedName{Namespace: a.server.Namespace, Name: id.name}
	err := a.r.client.Get(ctx, name, o)
	if err == nil {
		return o, nil
	}
	if !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("reading %s: %w", id.kind, err)
	}
	if rec, ok := a.st.applied[id]; ok && a.unheard(rec) { // we made it a moment ago
		o.SetNamespace(name.Namespace)
		o.SetName(name.Name)
		o.SetUID(rec.uid)
		o.SetOwnerReferences([]metav1.OwnerReference{{UID: a.server.UID}})
		o.SetResourceVersion(rec.before)
		return o, nil
	}
	err = a.r.live.Get(ctx, name, o)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", id.kind, err)
	}
	return o, nil
}

// clean tells whether nothing has to be written: we applied this very content, and either nobody has touched the object
// since, or what they did left our fields alone.
func (a *applier) clean(id objectID, hash string, have client.Object, wanted *unstructured.Unstructured) bool {
	rec, ok := a.st.applied[id]
	if !ok || rec.hash != hash || rec.uid != have.GetUID() || !have.GetDeletionTimestamp().IsZero() {
		return false
	}
	switch version := have.GetResourceVersion(); {
	case version == rec.version:
		return true
	case version == rec.before && a.unheard(rec):
		return true
	case !holds(have, wanted):
		return false
	default:
		rec.version, rec.before = version, version
		a.st.applied[id] = rec
		return true
	}
}

// unheard tells whether the cache may not have heard of our last write yet. If so, another pass makes sure later.
func (a *applier) unheard(rec appliedRecord) bool {
	if a.st.written.seen(rec.uid) || time.Since(rec.at) >= staleFor {
		return false
	}
	a.st.change.mark(time.Now().Add(staleFor))
	return true
}

// write applies the object. An existing object is named by its UID, so that one put in its place meanwhile is not
// touched; a new one is applied without force, so that one made at the same moment by somebody else is not overwritten.
func (a *applier) write(ctx context.Context, id objectID, hash string, have client.Object, u *unstructured.Unstructured) error {
	options := []client.ApplyOption{client.FieldOwner(v1alpha1.FieldManager)}
	before := ""
	if have != nil {
		u.SetUID(have.GetUID())
		before = have.GetResourceVersion()
		options = append(options, client.ForceOwnership)
	}
	if err := a.r.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), options...); err != nil {
		delete(a.st.applied, id)
		return fmt.Errorf("applying %s %s: %w", id.kind, id.name, err)
	}
	if old, ok := a.st.applied[id]; ok && old.uid != u.GetUID() {
		a.st.written.remove(old.uid)
	}
	a.st.written.add(u.GetUID(), u.GetResourceVersion())
	if u.GetResourceVersion() != before {
		a.r.log.V(1).Info("applied", "kind", id.kind, "namespace", a.server.Namespace, "name", id.name)
	}
	a.st.applied[id] = appliedRecord{
		hash: hash, uid: u.GetUID(), version: u.GetResourceVersion(), before: before, at: time.Now(),
	}
	return nil
}

// remove deletes a managed object, if it is there and ours.
func (a *applier) remove(ctx context.Context, id objectID) error {
	have, err := a.current(ctx, id)
	if err != nil || have == nil {
		delete(a.st.applied, id)
		return err
	}
	if !a.owns(have) || !have.GetDeletionTimestamp().IsZero() {
		return nil
	}
	err = a.r.client.Delete(ctx, have, client.Preconditions{UID: ptr.To(have.GetUID())})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("removing %s %s: %w", id.kind, id.name, err)
	}
	a.st.written.remove(have.GetUID())
	delete(a.st.applied, id)
	return nil
}
