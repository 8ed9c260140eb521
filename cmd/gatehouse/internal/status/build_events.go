// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// maxObjectEvents bounds the events that are told of one object.
const maxObjectEvents = 5

type eventKey struct{ kind, namespace, name string }

// eventsByObject are the latest events of each object, newest first.
func eventsByObject(events []corev1.Event) map[eventKey][]Event {
	out := map[eventKey][]Event{}
	for i := range events {
		e := &events[i]
		key := eventKey{e.InvolvedObject.Kind, e.InvolvedObject.Namespace, e.InvolvedObject.Name}
		out[key] = append(out[key], Event{Reason: e.Reason, Message: e.Message, Last: lastOf(e), Count: countOf(e)})
	}
	for key, list := range out {
		slices.SortFunc(list, func(a, b Event) int {
			return cmp.Or(b.Last.Compare(a.Last.Time), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Message, b.Message))
		})
		out[key] = list[:min(len(list), maxObjectEvents)]
	}
	return out
}

// lastOf is when an event happened last: events of either API are listed here.
func lastOf(e *corev1.Event) metav1.Time {
	switch {
	case e.Series != nil && !e.Series.LastObservedTime.IsZero():
		return metav1.Time{Time: e.Series.LastObservedTime.Time}
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp
	case !e.EventTime.IsZero():
		return metav1.Time{Time: e.EventTime.Time}
	}
	return e.CreationTimestamp
}

func countOf(e *corev1.Event) int32 {
	if e.Series != nil {
		return e.Series.Count
	}
	return max(e.Count, 1)
}
