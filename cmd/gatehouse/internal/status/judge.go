// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// unseen is how long an operator that runs may take to look at a new object. After it, somebody should look at the operator.
const unseen = 30 * time.Second

// advisory are the conditions that do not count for Ready and need somebody's attention when they are False.
var advisory = []string{v1alpha1.ConditionUpstreamReady, v1alpha1.ConditionExamplesPassed, v1alpha1.ConditionCredentialReady}

// judge tells how an object is and what is wrong with it. It trusts conditions only of the generation that the object has.
func judge(m *metav1.ObjectMeta, observed int64, conditions []metav1.Condition, now time.Time) Object {
	o := Object{Namespace: m.Namespace, Name: m.Name, Conditions: conditions}
	if !m.CreationTimestamp.IsZero() {
		o.Created = &m.CreationTimestamp
	}
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if ready != nil {
		o.Reason, o.Since = ready.Reason, &ready.LastTransitionTime
	}
	o.State = stateOf(m, observed, conditions, ready)
	if p := whyNotReady(&o, m, observed, conditions, ready, now); p != nil {
		o.Problems = append(o.Problems, *p)
	}
	o.Problems = append(o.Problems, advice(conditions)...)
	return o
}

func stateOf(m *metav1.ObjectMeta, observed int64, conditions []metav1.Condition, ready *metav1.Condition) State {
	switch {
	case m.DeletionTimestamp != nil:
		return StateTerminating
	case ready == nil || observed != m.Generation || ready.ObservedGeneration != m.Generation:
		return StateProgressing
	case ready.Status == metav1.ConditionTrue && ready.Reason == v1alpha1.ReasonDisabled:
		return StateDisabled
	case ready.Status == metav1.ConditionTrue:
		return StateReady
	case meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled):
		return StateStalled
	case ready.Reason == v1alpha1.ReasonPropagating:
		return StateProgressing
	}
	return StateNotReady
}

// ready tells whether a state counts as ready.
func (s State) ready() bool { return s == StateReady || s == StateDisabled }

// whyNotReady is the error of an object that is not ready, nil for one that is.
func whyNotReady(o *Object, m *metav1.ObjectMeta, observed int64, conditions []metav1.Condition, ready *metav1.Condition, now time.Time) *Problem {
	switch {
	case o.State.ready():
		return nil
	case o.State == StateTerminating:
		p := Problem{Severity: SeverityError, Reason: string(StateTerminating), Message: "it is being deleted", Since: m.DeletionTimestamp}
		if len(m.Finalizers) > 0 {
			p.Message += ", and waits for its finalizers: " + strings.Join(m.Finalizers, ", ")
		}
		return &p
	case ready == nil || observed != m.Generation || ready.ObservedGeneration != m.Generation:
		return &Problem{Severity: SeverityError, Reason: "NotObserved", Message: notObserved(m, observed, ready, now)}
	}
	for _, kind := range []string{v1alpha1.ConditionAccepted, v1alpha1.ConditionResolvedRefs, v1alpha1.ConditionConfigApplied} {
		if c := meta.FindStatusCondition(conditions, kind); c != nil && c.Status != metav1.ConditionTrue {
			return problemOf(SeverityError, c)
		}
	}
	return problemOf(SeverityError, ready)
}

// notObserved says that the operator has yet to look at what is there, and when that should make somebody wonder.
func notObserved(m *metav1.ObjectMeta, observed int64, ready *metav1.Condition, now time.Time) string {
	if ready != nil && observed > 0 {
		return fmt.Sprintf("generation %d is on its way: what is told here is of generation %d", m.Generation, observed)
	}
	if now.Sub(m.CreationTimestamp.Time) > unseen {
		return "no operator has looked at it: is it running, and does it watch this namespace? (kubectl -n gatehouse-system get pods)"
	}
	return "it is new: the operator has yet to look at it"
}

// advice are the warnings of an object. A credential that is still valid, but could not be renewed, is one too.
func advice(conditions []metav1.Condition) []Problem {
	var out []Problem
	for _, kind := range advisory {
		c := meta.FindStatusCondition(conditions, kind)
		if c == nil {
			continue
		}
		stale := kind == v1alpha1.ConditionCredentialReady && c.Status == metav1.ConditionTrue && c.Reason != v1alpha1.ReasonIssued
		if c.Status == metav1.ConditionFalse || stale {
			out = append(out, *problemOf(SeverityWarning, c))
		}
	}
	return out
}

func problemOf(s Severity, c *metav1.Condition) *Problem {
	p := &Problem{Severity: s, Condition: c.Type, Reason: c.Reason, Message: c.Message}
	if !c.LastTransitionTime.IsZero() {
		p.Since = &c.LastTransitionTime
	}
	return p
}

// replicaAdvice are the warnings of an AuthServer's replicas. applied is how many of the ready ones serve the configuration, of how many; it is what
// people see as 1/2.
func replicaAdvice(s *v1alpha1.AuthServer) []Problem {
	var applied, ready int32
	if n, err := fmt.Sscanf(s.Status.Applied, "%d/%d", &applied, &ready); n != 2 || err != nil || ready == 0 {
		return nil // the condition ConfigApplied says more
	}
	var out []Problem
	if applied < ready {
		out = append(out, Problem{Severity: SeverityWarning, Reason: v1alpha1.ReasonPropagating,
			Message: fmt.Sprintf("%d of %d ready replicas serve the configuration; the others are behind", applied, ready)})
	}
	wanted := s.Spec.Replicas
	if wanted == nil {
		wanted = &s.Status.Replicas
	}
	if ready < *wanted {
		out = append(out, Problem{Severity: SeverityWarning, Reason: "ReplicasNotReady",
			Message: fmt.Sprintf("%d of %d replicas are ready", ready, *wanted)})
	}
	return out
}
