// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// withoutServer is the pass for an AuthServer that does not exist: it is created if it is the default of a namespace whose
// objects name it; all others are told that there is none.
func (r *Reconciler) withoutServer(ctx context.Context, st *serverState, g *gathered) (reconcile.Result, error) {
	if !g.referred() {
		r.states.drop(g.name)
		return reconcile.Result{}, nil
	}
	if r.mayCreate(g) {
		// First take back what the pods of one that was deleted have confirmed: afterwards nobody would know.
		again, err := r.withdraw(ctx, g, func(*metav1.Condition) bool { return true })
		if err != nil || again > 0 {
			return reconcile.Result{RequeueAfter: again}, err
		}
		created, err := r.create(ctx, g)
		if err != nil {
			return r.cannotCreate(ctx, st, g, err)
		}
		if created {
			st.forget()
			return reconcile.Result{}, nil // its event brings us back
		}
	}
	out, err := render.NewPlan(r.input(ctx, g)).Render(nil)
	if err != nil {
		return reconcile.Result{}, err
	}
	st.forget()
	st.last = &pass{verdicts: out.Verdicts, versions: versions(g)}
	again, err := r.report(ctx, st, g, observation{})
	return reconcile.Result{RequeueAfter: again}, err
}

// cannotCreate is soon tried again, and told to the objects that wait when it lasts.
func (r *Reconciler) cannotCreate(ctx context.Context, st *serverState, g *gathered, err error) (reconcile.Result, error) {
	if !st.trouble.lasts(err, r.options.Now(), r.options.Timing.Trouble) {
		return reconcile.Result{}, err
	}
	r.log.Error(err, "an AuthServer that objects refer to cannot be created; trying again", "namespace", g.name.Namespace, "name", g.name.Name)
	st.last = &pass{}
	again, err := r.report(ctx, st, g, observation{})
	return reconcile.Result{RequeueAfter: soonest(again, r.options.retry())}, err
}

// forget drops what was known of a server that is gone.
func (st *serverState) forget() {
	st.applied, st.refused = map[objectID]appliedRecord{}, refusals{}
	st.ledger, st.pods, st.keys, st.unreferencedSince = ledger{}, nil, keyState{}, time.Time{}
	st.last, st.trouble, st.server = nil, trouble{}, ""
	st.change.mark(longAgo)
}

// mayCreate tells whether an object of the server's own namespace names it as default.
func (r *Reconciler) mayCreate(g *gathered) bool {
	if g.leaving || g.name.Name != v1alpha1.DefaultServerName || !r.options.watches(g.name.Namespace) {
		return false
	}
	for _, o := range g.providers {
		if o.Namespace == g.name.Namespace {
			return true
		}
	}
	for _, o := range g.policies {
		if o.Namespace == g.name.Namespace {
			return true
		}
	}
	return false
}

// create makes the default AuthServer. It is a create, never an apply: one that a user makes at the same moment stays as
// it is.
func (r *Reconciler) create(ctx context.Context, g *gathered) (bool, error) {
	terminating, err := r.namespaceTerminating(ctx, g.name.Namespace)
	if err != nil || terminating {
		return false, err
	}
	server := &v1alpha1.AuthServer{ObjectMeta: metav1.ObjectMeta{
		Namespace: g.name.Namespace, Name: g.name.Name,
		Annotations: map[string]string{v1alpha1.AnnotationAutoCreated: "true"},
	}}
	err = r.client.Create(ctx, server, client.FieldOwner(v1alpha1.FieldManager))
	switch {
	case apierrors.IsAlreadyExists(err):
		return true, nil
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("creating AuthServer: %w", err)
	}
	r.log.Info("created an AuthServer that objects refer to", "namespace", server.Namespace, "name", server.Name)
	r.recorder.Eventf(server, nil, corev1.EventTypeNormal, "Created", "Create",
		"created because objects refer to it; set any field to keep it when nothing does")
	return true, nil
}

// tend looks after an auto-created AuthServer: it becomes the user's with the first field that anybody else sets, and goes
// when nothing has referred to it for long enough. It returns when to look again.
func (r *Reconciler) tend(ctx context.Context, st *serverState, g *gathered) (wait time.Duration, removed bool, err error) {
	now := r.options.Now()
	switch {
	case g.server.Annotations[v1alpha1.AnnotationAutoCreated] != "true":
		st.unreferencedSince = time.Time{}
		return 0, false, nil
	case ownedByOthers(g.server.ManagedFields):
		st.unreferencedSince = time.Time{}
		return 0, false, r.dropAnnotation(ctx, g.server)
	case g.referred():
		st.unreferencedSince = time.Time{}
		return 0, false, nil
	case st.unreferencedSince.IsZero():
		st.unreferencedSince = now
	}
	if left := r.options.Timing.Unreferenced - now.Sub(st.unreferencedSince); left > 0 {
		return left, false, nil
	}
	removed, err = r.removeUnreferenced(ctx, g)
	return r.options.Timing.Watch, removed, err
}

// removeUnreferenced asks the API server itself once more, in this order: the AuthServer, then who refers to it. The
// delete holds only for the AuthServer as it was read. An object created after the list finds none and gets a new one.
func (r *Reconciler) removeUnreferenced(ctx context.Context, g *gathered) (bool, error) {
	var server v1alpha1.AuthServer
	if err := r.live.Get(ctx, g.name, &server); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	if server.UID != g.server.UID || server.Annotations[v1alpha1.AnnotationAutoCreated] != "true" || ownedByOthers(server.ManagedFields) {
		return false, nil
	}
	referred, err := r.referredLive(ctx, g)
	if err != nil || referred {
		return false, err
	}
	err = r.client.Delete(ctx, &server, client.Preconditions{UID: ptr.To(server.UID), ResourceVersion: ptr.To(server.ResourceVersion)})
	if err != nil {
		if ignorable(err) {
			return false, nil
		}
		return false, fmt.Errorf("removing an unreferenced AuthServer: %w", err)
	}
	r.log.Info("removed an auto-created AuthServer that nothing refers to", "namespace", server.Namespace, "name", server.Name)
	return true, nil
}

func (r *Reconciler) referredLive(ctx context.Context, g *gathered) (bool, error) {
	namespaces := r.options.Namespaces
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	for _, namespace := range namespaces {
		var providers v1alpha1.IdentityProviderList
		var policies v1alpha1.TenantJWTPolicyList
		for _, list := range []client.ObjectList{&providers, &policies} {
			if err := r.live.List(ctx, list, client.InNamespace(namespace)); err != nil {
				return false, fmt.Errorf("listing who refers to an AuthServer: %w", err)
			}
		}
		for i := range providers.Items {
			if server, _ := serverOf(&providers.Items[i]); server == g.name {
				return true, nil
			}
		}
		for i := range policies.Items {
			if server, _ := serverOf(&policies.Items[i]); server == g.name {
				return true, nil
			}
		}
	}
	return false, nil
}

// dropAnnotation makes the AuthServer the user's.
func (r *Reconciler) dropAnnotation(ctx context.Context, server *v1alpha1.AuthServer) error {
	after := server.DeepCopy()
	delete(after.Annotations, v1alpha1.AnnotationAutoCreated)
	patch := client.MergeFromWithOptions(server, client.MergeFromWithOptimisticLock{})
	if err := r.client.Patch(ctx, after, patch, client.FieldOwner(v1alpha1.FieldManager)); err != nil && !ignorable(err) {
		return fmt.Errorf("dropping the annotation %s: %w", v1alpha1.AnnotationAutoCreated, err)
	}
	return nil
}

// ownedByOthers tells whether any field manager but ours owns a field of spec, a label or an annotation. What cannot be read
// counts as owned.
func ownedByOthers(entries []metav1.ManagedFieldsEntry) bool {
	for _, e := range entries {
		if e.Manager == v1alpha1.FieldManager || e.FieldsV1 == nil {
			continue
		}
		var fields struct {
			Spec     json.RawMessage            `json:"f:spec"`
			Metadata map[string]json.RawMessage `json:"f:metadata"`
		}
		if err := json.Unmarshal(e.FieldsV1.GetRawBytes(), &fields); err != nil {
			return true
		}
		if fields.Spec != nil || fields.Metadata["f:labels"] != nil || fields.Metadata["f:annotations"] != nil {
			return true
		}
	}
	return false
}
