// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// reportServer writes the AuthServer's status. While a change is on its way it is not touched: a change that reaches
// every pod costs one write.
func (r *Reconciler) reportServer(ctx context.Context, st *serverState, g *gathered, seen observation) (time.Duration, error) {
	key := keyOf(g.server)
	v, ok := st.last.verdicts[key]
	after := g.server.DeepCopy()
	var wait time.Duration
	if !ok || st.last.versions[key] != versionOf(g.server) {
		after.Status = st.trouble.serverStatus(after.Status, g.server.Generation, r.options.Now())
	} else {
		st.last.workloadProblems(&v)
		var d delivery
		d, wait = r.serverDelivery(st, g, seen)
		if wait > 0 && v.Accepted.Status && v.ResolvedRefs.Status {
			return wait, nil
		}
		after.Status = r.serverStatus(g, st.last, &v, d, seen)
		after.Status.SigningKeys = st.keys.tell(g.server)
	}
	again, err := r.writeStatus(ctx, g.server, after, g.server.Status.Conditions, after.Status.Conditions, equality.Semantic.DeepEqual(g.server.Status, after.Status))
	return soonest(wait, again), err
}

// workloadProblems makes what stands in the way of the workload part of the verdict.
func (p *pass) workloadProblems(v *render.Verdict) {
	var told []string
	if !v.Accepted.Status {
		told = append(told, v.Accepted.Message)
	}
	for _, t := range p.taken {
		told = append(told, t.Error())
	}
	told = append(told, p.refused...)
	if len(p.taken)+len(p.refused) > 0 {
		v.Accepted = render.Condition{Reason: v1alpha1.ReasonInvalid, Message: strings.Join(told, "; ")}
	}
}

// serverDelivery is how far the whole configuration has come.
func (r *Reconciler) serverDelivery(st *serverState, g *gathered, seen observation) (delivery, time.Duration) {
	switch {
	case st.trouble.message != "":
		return delivery{v1alpha1.ReasonPropagating, st.trouble.message}, 0
	case st.last.hash == "" && len(seen.ready) > 0:
		return delivery{v1alpha1.ReasonPropagating, "the configuration could not be written"}, 0
	case len(seen.ready) == 0 && g.server.Spec.Replicas != nil && *g.server.Spec.Replicas == 0:
		return delivery{v1alpha1.ReasonNoReadyReplicas, "spec.replicas is 0"}, 0
	case len(seen.ready) == 0:
		return delivery{v1alpha1.ReasonNoReadyReplicas, "no pod of the auth server is ready"}, 0
	case len(seen.lagging) == 0:
		return delivery{v1alpha1.ReasonApplied, "every ready pod has confirmed it"}, 0
	}
	d := delivery{v1alpha1.ReasonPropagating, lagging(seen.lagging, len(seen.ready))}
	return d, max(0, r.options.Timing.Patience-time.Since(st.ledger.changedAt))
}

func (r *Reconciler) serverStatus(g *gathered, p *pass, v *render.Verdict, d delivery, seen observation) v1alpha1.AuthServerStatus {
	server := g.server
	c := newConditions(server.Status.Conditions, server.Generation, r.options.Now())
	if c.verdict(v) {
		c.remove(v1alpha1.ConditionConfigApplied) // what the pods serve is not this generation
	} else {
		c.delivered(d, v1alpha1.ReasonReady, "every ready replica serves the whole configuration")
		c.store(&server.Spec.Store)
	}
	status := v1alpha1.AuthServerStatus{
		ObservedGeneration: server.Generation,
		Conditions:         c.list,
		URL:                p.url,
		ConfigHash:         p.hash,
		Replicas:           running(g.pods),
		AppliedReplicas:    int32(len(seen.ready) - len(seen.lagging)),
		Selector:           labels.SelectorFromSet(selectorLabels(server.Name)).String(),
		References:         v.References,
	}
	if p.hash == "" {
		status.AppliedReplicas = 0
	}
	status.Applied = fmt.Sprintf("%d/%d", status.AppliedReplicas, len(seen.ready))
	if p.hash == "" {
		return status // what was found good was not written
	}
	for key, o := range p.verdicts {
		switch {
		case !o.Served:
		case key.Kind == v1alpha1.KindIdentityProvider:
			status.IdentityProviders++
		case key.Kind == v1alpha1.KindTenantJWTPolicy:
			status.TenantJWTPolicies++
		}
	}
	return status
}

// store sets StorePersistent. Of an AuthServer that is refused it stays as it was said: its last good settings stay in force.
func (c *conditions) store(spec *v1alpha1.Store) {
	switch {
	case spec.Type == v1alpha1.StoreNone:
		c.remove(v1alpha1.ConditionStorePersistent)
	case spec.Type == v1alpha1.StorePostgreSQL:
		c.set(v1alpha1.ConditionStorePersistent, true, v1alpha1.ReasonPersistent, "users and logins are in PostgreSQL")
	case spec.Embedded != nil && spec.Embedded.PersistentVolumeClaim != "":
		c.set(v1alpha1.ConditionStorePersistent, true, v1alpha1.ReasonPersistent, "the embedded store is on PersistentVolumeClaim "+spec.Embedded.PersistentVolumeClaim)
	default:
		c.set(v1alpha1.ConditionStorePersistent, false, v1alpha1.ReasonEmptyWithEachPod, "the embedded store is on no volume: whoever logged in has to log in again when the pod is replaced")
	}
}

// running is how many pods there are, ready or not: what the scale subresource's readers, autoscalers among them, take for the number of
// replicas. Those that ended or are on their way out are replaced by others.
func running(pods []corev1.Pod) int32 {
	n := int32(0)
	for i := range pods {
		p := &pods[i]
		if p.DeletionTimestamp.IsZero() && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
			n++
		}
	}
	return n
}
