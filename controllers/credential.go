// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// credentials keeps the Secrets that JWTBearer providers name with outputSecretName: one provider at a time, beside the pass of its auth server. Requests name
// IdentityProviders. The schedule is in the Secrets, so that a new process goes on where the last one ended.
type credentials struct {
	r       *Reconciler
	clients *outbound.Clients
	gate    *gate
	states  credentialStates
	metrics *credentialMetrics
	jitter  func() float64 // in [0, 1)
	queue   queue          // set when the controller starts
}

func newCredentials(r *Reconciler) *credentials {
	c := &credentials{
		r: r, clients: outbound.NewClients(outbound.Options{DeniedCIDRs: r.options.CredentialDeniedCIDRs}), jitter: rand.Float64,
		states: credentialStates{m: map[types.NamespacedName]*credentialState{}},
	}
	c.metrics = newCredentialMetrics(&c.states, r.options.Now)
	c.gate = newGate(func(provider types.NamespacedName) { c.queue.Add(reconcile.Request{NamespacedName: provider}) })
	return c
}

// credentialLook is one look at a provider that wants a Secret.
type credentialLook struct {
	provider *v1alpha1.IdentityProvider
	st       *credentialState
	demand   demand
	found    foundSecret
}

// Reconcile looks at one provider: reads what is in its Secret, obtains a token if one is due, and tells what became of it.
func (c *credentials) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	again, waits, err := c.keep(ctx, req.NamespacedName)
	if !waits {
		c.gate.leave(req.NamespacedName)
	}
	if errors.Is(err, errUnsettled) {
		c.r.log.Info("waiting: "+err.Error(), "object", "IdentityProvider/"+req.String())
		return reconcile.Result{RequeueAfter: c.r.options.Timing.Forbidden / 30}, nil
	}
	return reconcile.Result{RequeueAfter: again}, err
}

// keep returns when to look again, zero for when something happens; waits tells that the provider waits for its turn.
func (c *credentials) keep(ctx context.Context, name types.NamespacedName) (again time.Duration, waits bool, err error) {
	if c.r.audit.suspicious() { // which the audit looks into
		return suspicionTick, false, nil
	}
	var p v1alpha1.IdentityProvider
	err = c.r.client.Get(ctx, name, &p)
	if apierrors.IsNotFound(err) || (err == nil && !p.DeletionTimestamp.IsZero()) {
		c.states.drop(name) // the garbage collector removes the Secret
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("reading provider: %w", err)
	}
	if outputOf(&p) == "" {
		c.states.drop(name)
		again, err = c.withdraw(ctx, &p)
		return again, false, err
	}
	l := &credentialLook{provider: &p, st: c.states.of(&p, c.r.options.Now())}
	if l.found, err = c.find(ctx, &p); err != nil {
		return 0, false, err
	}
	if l.found.foreign != "" {
		again, err = c.foreign(ctx, l)
		return again, false, err
	}
	c.states.note(l.st, l.found.held)
	return c.renewIfDue(ctx, l)
}

// renewIfDue obtains a token when one is due and it is the provider's turn, and tells what is in the Secret then.
func (c *credentials) renewIfDue(ctx context.Context, l *credentialLook) (again time.Duration, waits bool, err error) {
	if l.demand, err = c.demandOf(ctx, l.provider); err != nil {
		return 0, false, err
	}
	now, jitter := c.r.options.Now(), c.jitter()
	due := l.st.due(l.found.held, l.demand, now, jitter)
	if !now.Before(due) {
		if !c.gate.enter(c.ticket(l)) {
			return 0, true, nil
		}
		wait, err := c.renew(ctx, l)
		if err != nil || wait > 0 {
			return wait, false, err
		}
		now = c.r.options.Now()
		due = l.st.due(l.found.held, l.demand, now, jitter)
	}
	if again, err = c.tidy(ctx, l); err != nil || again > 0 {
		return again, false, err
	}
	if again, err = c.report(ctx, l); err != nil || again > 0 {
		return again, false, err
	}
	// At least a moment, so that a clock that jumps back does not make this spin.
	return max(10*time.Millisecond, min(l.st.next(l.found.held, due, now).Sub(now), c.r.options.Timing.Credentials)), false, nil
}

// ticket is the provider's wish to ask its token endpoint.
func (c *credentials) ticket(l *credentialLook) ticket {
	return ticket{
		provider: client.ObjectKeyFromObject(l.provider), host: endpointHost(l.provider),
		doubtful: l.st.failure != nil && l.st.failure.timeout,
	}
}

// foreign tells that somebody else's Secret has the name. Its deletion brings us back.
func (c *credentials) foreign(ctx context.Context, l *credentialLook) (time.Duration, error) {
	c.states.note(l.st, nil)
	return c.write(ctx, l.provider, &metav1.Condition{
		Type: v1alpha1.ConditionCredentialReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonSecretNotControlled, Message: l.found.foreign,
	})
}

// tidy removes Secrets of an earlier outputSecretName, once the one of now holds a token: workloads may still mount them.
func (c *credentials) tidy(ctx context.Context, l *credentialLook) (time.Duration, error) {
	if l.st.failure != nil || !l.found.held.valid(c.r.options.Now()) {
		return 0, nil
	}
	return c.remove(ctx, l.provider, outputOf(l.provider))
}

// withdraw removes the Secrets of a provider that wants none any more, and says nothing more of them.
func (c *credentials) withdraw(ctx context.Context, p *v1alpha1.IdentityProvider) (time.Duration, error) {
	if again, err := c.remove(ctx, p, ""); err != nil || again > 0 {
		return again, err
	}
	return c.write(ctx, p, nil)
}

// report writes the condition for what is in the Secret.
func (c *credentials) report(ctx context.Context, l *credentialLook) (time.Duration, error) {
	c.states.note(l.st, l.found.held)
	condition, ok := l.st.condition(outputOf(l.provider), l.found.held, c.r.options.Now())
	if !ok {
		return 0, nil
	}
	condition.Type = v1alpha1.ConditionCredentialReady
	return c.write(ctx, l.provider, &condition)
}

// write sets CredentialReady, or removes it for nil, and leaves all other conditions as they are. The fan-in reconciler does the same with its own, and both write
// only to the object as they read it (see writeStatus): who comes second is told so, and reads again.
func (c *credentials) write(ctx context.Context, p *v1alpha1.IdentityProvider, condition *metav1.Condition) (time.Duration, error) {
	conditions := newConditions(p.Status.Conditions, p.Generation, c.r.options.Now())
	if condition == nil {
		conditions.remove(v1alpha1.ConditionCredentialReady)
	} else {
		conditions.setStatus(condition.Type, condition.Status, condition.Reason, condition.Message)
	}
	status := *p.Status.DeepCopy()
	if status.Conditions = conditions.list; slices.Equal(status.Conditions, p.Status.Conditions) {
		return 0, nil
	}
	return c.r.writeObject(ctx, p, status)
}
