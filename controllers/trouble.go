// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// trouble tells people of passes that fail again and again, which only they can end: a quota, an admission webhook, a Secret
// that became immutable. Retries go on all the while.
type trouble struct {
	// since is when passes began to fail; zero while they succeed.
	since time.Time
	// message is what the conditions say; empty until the failures have lasted for Timing.Trouble. It can name objects of any
	// namespace that attaches to the server.
	message string
}

// elsewhere is told instead of the cause where it could name what belongs to others.
const elsewhere = "the auth server cannot be brought to its configuration, which is tried again: its AuthServer's conditions say why"

// told is what an object of a namespace may know of the cause: objects beside the AuthServer all of it, others that there is one.
func (t *trouble) told(namespace, home string) string {
	if t.message == "" || namespace == home {
		return t.message
	}
	return elsewhere
}

// maxTrouble bounds what is told of an error, in bytes.
const maxTrouble = 1 << 10

// lasts notes a failed pass and returns true when that has gone on for long enough to be told.
func (t *trouble) lasts(err error, now time.Time, patience time.Duration) bool {
	if t.since.IsZero() {
		t.since = now
	}
	if now.Sub(t.since) < patience {
		return false
	}
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	if len(text) > maxTrouble {
		text = strings.ToValidUTF8(text[:maxTrouble], "") + "…"
	}
	t.message = "the configuration cannot be brought into force, which is tried again: " + text
	return true
}

// waitingStatus is the status of an object that no pass has got through with: as it was, and, where this generation was neither
// confirmed nor refused, why it has to wait: the message that is told of it, empty for none.
func waitingStatus(old v1alpha1.ObjectStatus, message string, generation int64, now time.Time) v1alpha1.ObjectStatus {
	applied := meta.FindStatusCondition(old.Conditions, v1alpha1.ConditionConfigApplied)
	waits := old.ObservedGeneration != generation || (applied != nil && applied.Status == metav1.ConditionFalse)
	if message == "" || !waits {
		return old
	}
	old.Conditions, old.ObservedGeneration = troubled(old.Conditions, message, generation, now), generation
	return old
}

// serverStatus is the same for an AuthServer, which is always concerned.
func (t *trouble) serverStatus(old v1alpha1.AuthServerStatus, generation int64, now time.Time) v1alpha1.AuthServerStatus {
	if t.message == "" {
		return old
	}
	old.Conditions, old.ObservedGeneration = troubled(old.Conditions, t.message, generation, now), generation
	return old
}

// troubled leaves Accepted and ResolvedRefs as they are, each with the generation that it speaks of.
func troubled(old []metav1.Condition, message string, generation int64, now time.Time) []metav1.Condition {
	c := newConditions(old, generation, now)
	c.remove(v1alpha1.ConditionStalled)
	c.delivered(delivery{v1alpha1.ReasonPropagating, message}, "", "")
	return c.list
}
