// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

const (
	// objectsShare bounds what asking for objects costs a pod: at most one part in so many of the time.
	objectsShare = 20
	// objectsPatience is how many times Timing.Ask one such question may take: the answer can have megabytes.
	objectsPatience = 5
	// maxPodMessage bounds what is kept of one message of a pod, in bytes.
	maxPodMessage = 1 << 10
)

// podCondition is the condition UpstreamReady of an object as one pod sees it. Status and Reason are what the API takes.
type podCondition struct {
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// podObjects is what a pod says of the upstreams of its objects; nil when it is not known.
type podObjects map[render.Key]podCondition

// askObjects asks a pod what it says of its objects' upstreams, when that is due: what it says changes slowly, nothing
// waits for it, and of 20,000 policies it has megabytes to say. An answer that fails leaves what the statuses say as it is.
func (r *Reconciler) askObjects(ctx context.Context, v *podView, p *corev1.Pod, known map[render.Key]render.Verdict) {
	watch := r.options.Timing.Watch
	if v.serving == nil || v.untilObjects(watch) > 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, objectsPatience*r.options.Timing.Ask)
	defer cancel()
	start := time.Now()
	objects, err := askObjects(ctx, r.options.HTTP, p, known)
	v.objectsAt = time.Now()
	v.objects, v.objectsPause = objects, min(watch, objectsShare*v.objectsAt.Sub(start))
	if err != nil {
		v.objects, v.objectsPause = nil, watch
		r.log.Info("a pod does not tell of its upstreams: "+err.Error(), "namespace", p.Namespace, "pod", v.name)
	}
}

// untilObjects is how long to wait before the pod is asked for objects again: watch after an answer that still holds; less
// where it serves other files by now.
func (v *podView) untilObjects(watch time.Duration) time.Duration {
	pause := watch
	if v.objects == nil {
		pause = v.objectsPause
	}
	return pause - time.Since(v.objectsAt)
}

// nextObjects is when the first of the ready pods is to be asked for objects; at least least, at most watch.
func (o *observation) nextObjects(least, watch time.Duration) time.Duration {
	next := watch
	for _, v := range o.ready {
		if v.serving != nil {
			next = min(next, v.untilObjects(watch))
		}
	}
	return max(least, next)
}

// askObjects reads the answer as a stream and keeps of it the one condition of known objects that statuses take over.
func askObjects(ctx context.Context, client *http.Client, pod *corev1.Pod, known map[render.Key]render.Verdict) (podObjects, error) {
	out := podObjects{}
	err := askPod(ctx, client, pod, "objects", maxObjectsAnswer, func(d *json.Decoder) error {
		if err := expect(d, json.Delim('{')); err != nil {
			return err
		}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return err
			}
			var conditions map[string]podCondition
			if err := d.Decode(&conditions); err != nil {
				return err
			}
			key := parseKey(name)
			c, told := conditions[v1alpha1.ConditionUpstreamReady]
			if _, ok := known[key]; ok && told && c.valid() {
				out[key] = c.cut()
			}
		}
		return expect(d, json.Delim('}'))
	})
	return out, err
}

// parseKey reads "Kind/namespace/name"; of anything else it makes a key that no object has.
func parseKey(token json.Token) render.Key {
	name, _ := token.(string)
	kind, rest, _ := strings.Cut(name, "/")
	namespace, name, _ := strings.Cut(rest, "/")
	return render.Key{Kind: kind, Namespace: namespace, Name: name}
}

// conditionReason is what the API takes as a condition's reason, of at most maxReason bytes.
var conditionReason = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$`)

const maxReason = 1024

// valid tells whether the API would take the condition: one that it refuses would keep a status from being written.
func (c *podCondition) valid() bool {
	switch metav1.ConditionStatus(c.Status) {
	case metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown:
		return len(c.Reason) <= maxReason && conditionReason.MatchString(c.Reason)
	}
	return false
}

// cut bounds the message, of which the operator holds one for each object and pod.
func (c *podCondition) cut() podCondition {
	out := *c
	if len(out.Message) > maxPodMessage {
		out.Message = strings.ToValidUTF8(out.Message[:maxPodMessage-3], "") + "…"
	}
	return out
}
