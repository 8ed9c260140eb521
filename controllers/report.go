// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// writers is how many statuses are written at once.
const writers = 8

// report writes the status of every object that differs from what is known of it, the AuthServer's last: one that cannot be
// written keeps no other from being written. It returns when to look again, zero if nothing is waited for.
func (r *Reconciler) report(ctx context.Context, st *serverState, g *gathered, seen observation) (time.Duration, error) {
	if st.last == nil {
		return 0, nil
	}
	out := newStatusWrites()
	var wait time.Duration
	for o, status := range g.objects() {
		wanted, after := r.wanted(st, seen, o, status, st.trouble.told(o.GetNamespace(), g.name.Namespace))
		wait = soonest(wait, after)
		out.add(func() (time.Duration, error) { return r.writeObject(ctx, o, wanted) })
	}
	if g.server != nil { // after the others, beside which it says that all is done
		out.last(func() (time.Duration, error) { return r.reportServer(ctx, st, g, seen) })
	}
	again, err := out.wait()
	return soonest(wait, again), err
}

// wanted is the status that an object should have, which is the one it has while there is nothing new to say, and when to
// look again. trouble is what it may know of passes that fail.
func (r *Reconciler) wanted(st *serverState, seen observation, o client.Object, status *v1alpha1.ObjectStatus, trouble string) (v1alpha1.ObjectStatus, time.Duration) {
	key := keyOf(o)
	v, ok := st.last.verdicts[key]
	if !ok || st.last.versions[key] != versionOf(o) { // a pass that has seen this version is on its way
		return waitingStatus(*status, trouble, o.GetGeneration(), r.options.Now()), 0
	}
	d, after := r.deliveryOf(st, seen, key, &v, trouble)
	return objectStatus(*status, o.GetGeneration(), &v, d, worst(seen.ready, key), r.options.Now()), after
}

// statusWrites writes several statuses at once and gathers what comes of it.
type statusWrites struct {
	group errgroup.Group
	mu    sync.Mutex
	again time.Duration
	errs  []error
}

func newStatusWrites() *statusWrites {
	w := &statusWrites{}
	w.group.SetLimit(writers)
	return w
}

func (w *statusWrites) add(write func() (time.Duration, error)) {
	w.group.Go(func() error { w.note(write()); return nil })
}

// last writes when all others are written.
func (w *statusWrites) last(write func() (time.Duration, error)) {
	_ = w.group.Wait() // its functions return nil
	w.note(write())
}

func (w *statusWrites) note(again time.Duration, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.again = soonest(w.again, again)
	w.errs = append(w.errs, err)
}

// wait returns when the first has to be tried again, zero for never, and what failed.
func (w *statusWrites) wait() (time.Duration, error) {
	_ = w.group.Wait() // its functions return nil
	return w.again, errors.Join(w.errs...)
}

// deliveryOf tells how far an object's present version has come, and when silence about it has to end.
func (r *Reconciler) deliveryOf(st *serverState, seen observation, key render.Key, v *render.Verdict, trouble string) (delivery, time.Duration) {
	if !v.Served && !v.Disabled {
		return delivery{v1alpha1.ReasonNoReadyReplicas, "nothing is served: see the AuthServer's conditions"}, 0
	}
	if trouble != "" && (st.last.hash == "" || len(seen.ready) == 0) {
		return delivery{v1alpha1.ReasonPropagating, trouble}, 0
	}
	if st.last.hash == "" {
		return delivery{v1alpha1.ReasonPropagating, "the configuration could not be written: see the AuthServer's conditions"}, 0
	}
	if len(seen.ready) == 0 {
		return delivery{v1alpha1.ReasonNoReadyReplicas, "no pod of the auth server is ready"}, 0
	}
	var missing []*podView
	for _, p := range seen.ready {
		if !st.ledger.confirms(p.serving, key) {
			missing = append(missing, p)
		}
	}
	if len(missing) == 0 {
		return delivery{v1alpha1.ReasonApplied, "every ready pod has confirmed it"}, 0
	}
	if p := st.ledger.objects[key]; p != nil {
		if left := r.options.Timing.Patience - time.Since(p.at); left > 0 {
			return delivery{}, left
		}
	}
	return delivery{v1alpha1.ReasonPropagating, lagging(missing, len(seen.ready))}, 0
}

// lagging says which pods have not confirmed. The message does not count attempts or time: it would be rewritten all along.
func lagging(missing []*podView, ready int) string {
	first := missing[0]
	message := fmt.Sprintf("%d of %d ready pods have not confirmed it yet, among them %s", len(missing), ready, first.name)
	if first.problem != "" {
		message += ": " + first.problem
	}
	return message
}

// writeObject writes the status of a provider or policy. See writeStatus.
func (r *Reconciler) writeObject(ctx context.Context, o client.Object, status v1alpha1.ObjectStatus) (time.Duration, error) {
	switch o := o.(type) {
	case *v1alpha1.IdentityProvider:
		after := o.DeepCopy()
		after.Status = status
		return r.writeStatus(ctx, o, after, o.Status.Conditions, status.Conditions, equality.Semantic.DeepEqual(o.Status, status))
	case *v1alpha1.TenantJWTPolicy:
		after := o.DeepCopy()
		after.Status = status
		return r.writeStatus(ctx, o, after, o.Status.Conditions, status.Conditions, equality.Semantic.DeepEqual(o.Status, status))
	}
	return 0, fmt.Errorf("writing the status of a %T: not a kind that has one", o)
}

// writeStatus is the one place where status is written: only if it changed, and only to the object as it was read, so that
// no verdict lands on a later generation or on another object of the same name. It returns when to try again where the
// object is not what was read any more: what changed may be our own last write, whose event starts nothing. A status that the
// API server refuses is told in the log: a retry cannot help, and must not slow the others down.
func (r *Reconciler) writeStatus(ctx context.Context, before, after client.Object, was, is []metav1.Condition, same bool) (time.Duration, error) {
	if same {
		return 0, nil
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	err := r.client.Status().Patch(ctx, after, patch, client.FieldOwner(v1alpha1.FieldManager))
	switch {
	case err == nil:
		r.announce(ctx, after, was, is)
		return 0, nil
	case apierrors.IsNotFound(err):
		return 0, nil // its event is on its way
	case apierrors.IsConflict(err):
		return r.options.Timing.Poll, nil
	case apierrors.IsInvalid(err) || apierrors.IsBadRequest(err):
		r.log.Error(err, "writing a status that the API server refuses", "object", keyOf(before).String())
		return 0, nil
	}
	return 0, fmt.Errorf("writing status of %s: %w", keyOf(before), err)
}

// announced are the conditions whose transitions are events.
var announced = []string{v1alpha1.ConditionReady, v1alpha1.ConditionUpstreamReady, v1alpha1.ConditionExamplesPassed, v1alpha1.ConditionCredentialReady}

// announce makes events of what became of an object: only of changes, and never with more than the condition says.
// A namespace on its way out takes no events.
func (r *Reconciler) announce(ctx context.Context, o client.Object, was, is []metav1.Condition) {
	if going, err := r.namespaceTerminating(ctx, o.GetNamespace()); err == nil && going {
		return
	}
	for _, kind := range announced {
		before, now := meta.FindStatusCondition(was, kind), meta.FindStatusCondition(is, kind)
		if now == nil || (before != nil && before.Status == now.Status && before.Reason == now.Reason) {
			continue
		}
		r.recorder.Eventf(o, nil, classOf(now), now.Reason, "Reconcile", "%s", note(kind, now.Message))
	}
}

// classOf tells whether somebody should look at what a condition says. A credential whose status is still True, but for another reason than that it was issued, is about to
// become False.
func classOf(c *metav1.Condition) string {
	waits := c.Reason == v1alpha1.ReasonPropagating || c.Reason == v1alpha1.ReasonNoReadyReplicas
	ends := c.Type == v1alpha1.ConditionCredentialReady && c.Reason != v1alpha1.ReasonIssued
	if ends || (c.Status == metav1.ConditionFalse && !waits) {
		return corev1.EventTypeWarning
	}
	return corev1.EventTypeNormal
}

// maxNote bounds an event's note: the API takes 1024 bytes.
const maxNote = 1000

func note(kind, message string) string {
	s := kind + ": " + message
	if len(s) <= maxNote {
		return s
	}
	cut := maxNote
	for cut > 0 && s[cut]&0xC0 == 0x80 { // not inside a character
		cut--
	}
	return s[:cut]
}
