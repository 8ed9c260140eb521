// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// delivery is how far a configuration has come.
type delivery struct {
	// reason is Applied, Propagating or NoReadyReplicas; empty while it is on its way and nothing needs saying.
	reason, message string
}

// conditions builds the conditions of one object: each with the generation that it speaks of.
type conditions struct {
	list       []metav1.Condition
	generation int64
	now        metav1.Time
}

func newConditions(old []metav1.Condition, generation int64, now time.Time) *conditions {
	return &conditions{list: slices.Clone(old), generation: generation, now: metav1.NewTime(now)}
}

func (c *conditions) set(kind string, ok bool, reason, message string) {
	status := metav1.ConditionFalse
	if ok {
		status = metav1.ConditionTrue
	}
	c.setStatus(kind, status, reason, message)
}

func (c *conditions) setStatus(kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&c.list, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: bounded(message), ObservedGeneration: c.generation, LastTransitionTime: c.now,
	})
}

func (c *conditions) remove(kind string) { meta.RemoveStatusCondition(&c.list, kind) }

// maxMessage bounds a condition's message, which may have 32 KiB; nobody reads that much.
const maxMessage = 8 << 10

func bounded(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	return string([]rune(message[:maxMessage-8])) + "…"
}

// verdict sets Accepted and ResolvedRefs. If one is False, it sets Ready and Stalled from it and returns true: the object is
// refused, and what the pods serve of it is nothing.
func (c *conditions) verdict(v *render.Verdict) (refused bool) {
	c.set(v1alpha1.ConditionAccepted, v.Accepted.Status, v.Accepted.Reason, v.Accepted.Message)
	bad := v.Accepted
	if v.ResolvedRefs.Reason == "" {
		c.remove(v1alpha1.ConditionResolvedRefs)
	} else {
		c.set(v1alpha1.ConditionResolvedRefs, v.ResolvedRefs.Status, v.ResolvedRefs.Reason, v.ResolvedRefs.Message)
		if v.Accepted.Status {
			bad = v.ResolvedRefs
		}
	}
	if bad.Status {
		c.remove(v1alpha1.ConditionStalled)
		return false
	}
	c.set(v1alpha1.ConditionReady, false, bad.Reason, bad.Message)
	c.set(v1alpha1.ConditionStalled, true, bad.Reason, bad.Message)
	return true
}

// delivered sets ConfigApplied and Ready. readyReason is Ready's positive reason.
func (c *conditions) delivered(d delivery, readyReason, readyMessage string) {
	ok := d.reason == v1alpha1.ReasonApplied
	c.set(v1alpha1.ConditionConfigApplied, ok, d.reason, d.message)
	if ok {
		c.set(v1alpha1.ConditionReady, true, readyReason, readyMessage)
	} else {
		c.set(v1alpha1.ConditionReady, false, d.reason, d.message)
	}
}

// objectStatus is the status of an IdentityProvider or TenantJWTPolicy, given the one it has, the verdict on this generation,
// how far it has come and what the pods say of its upstreams. It returns the old one while the change is
// on its way: that the old conditions speak of an older generation tells enough.
func objectStatus(old v1alpha1.ObjectStatus, generation int64, v *render.Verdict, d delivery, upstream upstreams, now time.Time) v1alpha1.ObjectStatus {
	c := newConditions(old.Conditions, generation, now)
	status := v1alpha1.ObjectStatus{ObservedGeneration: generation, References: v.References}
	if c.verdict(v) {
		c.remove(v1alpha1.ConditionConfigApplied)
		c.remove(v1alpha1.ConditionUpstreamReady)
		c.remove(v1alpha1.ConditionExamplesPassed)
		status.Conditions = c.list
		return status
	}
	if confirmed(&old, generation, v.References) {
		// What every ready pod once confirmed stays said: later changes of pods show on the AuthServer.
		d = delivery{v1alpha1.ReasonApplied, meta.FindStatusCondition(old.Conditions, v1alpha1.ConditionConfigApplied).Message}
	}
	if d.reason == "" {
		return old
	}
	if v.Disabled {
		c.delivered(d, v1alpha1.ReasonDisabled, "enabled is false: every ready replica has stopped serving it")
	} else {
		c.delivered(d, v1alpha1.ReasonReady, "every ready replica serves it")
	}
	c.upstream(upstream, d)
	c.examples(v.ExamplesPassed)
	status.Conditions = c.list
	return status
}

// confirmed tells whether ConfigApplied is already True for this generation and these references.
func confirmed(old *v1alpha1.ObjectStatus, generation int64, references []v1alpha1.ResolvedReference) bool {
	c := meta.FindStatusCondition(old.Conditions, v1alpha1.ConditionConfigApplied)
	return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == generation && slices.Equal(old.References, references)
}

// upstream sets UpstreamReady as the pods tell it. What is not known now stays as it was said.
func (c *conditions) upstream(u upstreams, d delivery) {
	switch {
	case !u.known || d.reason != v1alpha1.ReasonApplied:
	case u.condition == nil:
		c.remove(v1alpha1.ConditionUpstreamReady)
	default:
		c.setStatus(v1alpha1.ConditionUpstreamReady, metav1.ConditionStatus(u.condition.Status), u.condition.Reason, u.condition.Message)
	}
}

// examples sets ExamplesPassed, or removes it where the object has no examples.
func (c *conditions) examples(e render.Condition) {
	if e.Reason == "" {
		c.remove(v1alpha1.ConditionExamplesPassed)
		return
	}
	c.set(v1alpha1.ConditionExamplesPassed, e.Status, e.Reason, e.Message)
}

// upstreams is what the pods say of one object's upstreams.
type upstreams struct {
	// known is false while a ready pod has not answered, or none is ready.
	known bool
	// condition is nil when the object names no upstream.
	condition *podCondition
}

// worst returns the worst of what the pods say: False, then Unknown, then True.
func worst(ready []*podView, key render.Key) upstreams {
	rank := map[string]int{string(metav1.ConditionTrue): 1, string(metav1.ConditionUnknown): 2, string(metav1.ConditionFalse): 3}
	var out *podCondition
	for _, v := range ready {
		if v.objects == nil {
			return upstreams{}
		}
		c, ok := v.objects[key]
		if !ok {
			continue
		}
		if out == nil || rank[c.Status] > rank[out.Status] {
			out = &c
		}
	}
	return upstreams{known: len(ready) > 0, condition: out}
}
