// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Reconciler brings one auth server at a time to what its objects say. Requests name AuthServers; whether anything but a look
// at the pods is due is in the server's state, where event handlers put it.
type Reconciler struct {
	client   client.Client // reads from caches
	live     client.Reader // reads from the API server
	recorder events.EventRecorder
	options  Options
	states   *states
	audit    *audit
	log      logr.Logger
}

// Reconcile runs one pass: gather, and if something changed render and apply; then look at the pods, and report.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	if !r.audit.trusts(ctx) {
		return reconcile.Result{RequeueAfter: suspicionTick}, nil
	}
	st := r.states.of(req.NamespacedName)
	g, err := r.gather(ctx, req.NamespacedName)
	if err != nil {
		return reconcile.Result{}, err
	}
	if g.server == nil {
		return r.withoutServer(ctx, st, g)
	}
	if again, err := r.adopt(ctx, st, g); err != nil || again > 0 {
		return reconcile.Result{RequeueAfter: again}, err
	}
	tended, removed, err := r.tend(ctx, st, g)
	if err != nil || removed {
		return reconcile.Result{}, err
	}
	wait, err := r.passIfDue(ctx, st, g)
	if errors.Is(err, errUnsettled) {
		r.log.Info("waiting: "+err.Error(), "namespace", g.name.Namespace, "name", g.name.Name)
		return reconcile.Result{RequeueAfter: r.options.Timing.Forbidden / 30}, nil
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	seen := r.observe(ctx, st, g)
	again, err := r.report(ctx, st, g, seen)
	if err != nil {
		if st.trouble.message != "" {
			st.change.mark(longAgo) // trouble is told only right after a pass that failed
		}
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: soonest(tended, wait, again, r.nextLook(st, seen))}, nil
}

// longAgo makes a change due at once.
var longAgo = time.Unix(0, 0)

// passIfDue renders and applies when something changed, and returns how long to wait when it is too early for that. A
// pass that fails stays due.
func (r *Reconciler) passIfDue(ctx context.Context, st *serverState, g *gathered) (time.Duration, error) {
	if st.keys.due(r.options.Now()) || st.unmounted(g) {
		st.change.mark(longAgo)
	}
	due, wait := st.change.take(time.Now(), r.options.Timing.Batch)
	if !due {
		return wait, nil
	}
	p, err := r.pass(ctx, st, g)
	if err != nil {
		return r.failed(st, g, p, err)
	}
	st.last, st.trouble = p, trouble{}
	if len(p.taken) > 0 { // whether somebody frees the name is not watched
		st.change.mark(time.Now().Add(r.options.Timing.Watch))
	}
	return st.change.left(time.Now(), r.options.Timing.Batch), nil
}

// failed decides what comes of a failed pass: it is soon tried again, and nothing is reported; or, when passes have failed for
// long, it is tried again later, and people are told.
func (r *Reconciler) failed(st *serverState, g *gathered, p *pass, err error) (time.Duration, error) {
	if p != nil && p.hash != "" {
		st.last = p // the files are written, and pods may serve them; only the workload is not as it should be
	}
	if errors.Is(err, errUnsettled) || !st.trouble.lasts(err, r.options.Now(), r.options.Timing.Trouble) {
		st.change.mark(longAgo) // long ago: the retry need not wait for a batch
		return 0, err
	}
	if st.last == nil {
		st.last = &pass{}
	}
	r.log.Error(err, "an auth server cannot be brought to its configuration; trying again", "namespace", g.name.Namespace, "name", g.name.Name)
	st.change.mark(time.Now().Add(r.options.retry()))
	return st.change.left(time.Now(), r.options.Timing.Batch), nil
}

// nextLook is when the pods are to be asked again.
func (r *Reconciler) nextLook(st *serverState, seen observation) time.Duration {
	timing := r.options.Timing
	if len(seen.lagging) == 0 {
		return seen.nextObjects(timing.Poll, timing.Watch)
	}
	switch lasting := time.Since(st.ledger.changedAt); {
	case lasting < 5*time.Second:
		return timing.Poll
	case lasting < time.Minute:
		return max(timing.Poll, min(timing.Watch, 500*time.Millisecond))
	default:
		return max(timing.Poll, min(timing.Watch, 2*time.Second))
	}
}

// soonest returns the smallest of those that are not zero.
func soonest(waits ...time.Duration) time.Duration {
	var out time.Duration
	for _, w := range waits {
		if w > 0 && (out == 0 || w < out) {
			out = w
		}
	}
	return out
}

// ignorable tells whether a write failed because the object changed or went meanwhile: the event of that is on its way.
func ignorable(err error) bool { return apierrors.IsConflict(err) || apierrors.IsNotFound(err) }
