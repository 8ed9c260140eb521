// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// adopt looks at an AuthServer that was not there before. What the pods of an earlier one of this name confirmed counts no more;
// nor does, when this process sees the AuthServer for the first time, what was confirmed before it was made. It returns when to
// try again, zero when that is done.
func (r *Reconciler) adopt(ctx context.Context, st *serverState, g *gathered) (time.Duration, error) {
	if st.server == g.server.UID {
		return 0, nil
	}
	replaced, made := st.server != "", g.server.CreationTimestamp.Time
	again, err := r.withdraw(ctx, g, func(confirmed *metav1.Condition) bool {
		return replaced || !confirmed.LastTransitionTime.After(made)
	})
	if err != nil || again > 0 {
		return again, err
	}
	if replaced {
		st.forget()
	}
	st.server = g.server.UID
	return 0, nil
}

// withdraw makes objects wait for a new confirmation whose present one is stale. It returns when to try again, zero when all
// is written.
func (r *Reconciler) withdraw(ctx context.Context, g *gathered, stale func(*metav1.Condition) bool) (time.Duration, error) {
	out := newStatusWrites()
	for o, status := range g.objects() {
		c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionConfigApplied)
		if c == nil || c.Status != metav1.ConditionTrue || c.ObservedGeneration != o.GetGeneration() || !stale(c) {
			continue
		}
		wanted := withdrawn(*status, o, r.options.Now())
		out.add(func() (time.Duration, error) { return r.writeObject(ctx, o, wanted) })
	}
	return out.wait()
}

func withdrawn(old v1alpha1.ObjectStatus, o client.Object, now time.Time) v1alpha1.ObjectStatus {
	c := newConditions(old.Conditions, o.GetGeneration(), now)
	c.delivered(delivery{v1alpha1.ReasonNoReadyReplicas, "the AuthServer that served it is gone; one of the same name takes its place"}, "", "")
	old.Conditions = c.list
	return old
}
