// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// askers is how many pods are asked at once.
const askers = 16

// maxNudgePause bounds the pause between two nudges of a pod that goes on lagging.
const maxNudgePause = time.Minute

// podView is what one pod said when it was last asked.
type podView struct {
	name string
	// serving is, by file, the write that the pod was found to serve (see ledger.locate); nil before its first answer.
	serving map[string]int64
	// objects is nil from the moment that serving changes until the pod is asked for them again.
	objects      podObjects
	objectsAt    time.Time
	objectsPause time.Duration
	// problem says why nothing newer is known; empty when the last question was answered.
	problem string
	askedAt time.Time

	// nudge is the annotation value last written to the pod, for which hash, how often and when.
	nudgedFor string
	nudges    int
	nudgedAt  time.Time
}

type podViews map[types.UID]*podView

// observation is the ready pods' state at one moment.
type observation struct {
	ready []*podView
	// lagging are those of ready that do not serve everything that was written.
	lagging []*podView
}

// observe nudges and asks the ready pods. What it costs follows from what is pending: a pod that is up to date is asked
// only now and then.
func (r *Reconciler) observe(ctx context.Context, st *serverState, g *gathered) observation {
	ready := st.view(g.pods)
	nothing := st.last == nil || st.last.hash == "" // to confirm
	if !nothing {
		r.nudge(ctx, st, ready, true)
		r.ask(ctx, st, ready)
		r.nudge(ctx, st, ready, false)
	}
	var seen observation
	for _, p := range ready {
		v := st.pods[p.UID]
		seen.ready = append(seen.ready, v)
		if !nothing && !st.ledger.current(v.serving) {
			seen.lagging = append(seen.lagging, v)
		}
	}
	return seen
}

// view returns the ready pods and forgets what is known of pods that are not.
func (st *serverState) view(pods []corev1.Pod) []*corev1.Pod {
	var ready []*corev1.Pod
	views := podViews{}
	for i := range pods {
		p := &pods[i]
		if !isReady(p) {
			continue
		}
		ready = append(ready, p)
		if views[p.UID] = st.pods[p.UID]; views[p.UID] == nil {
			views[p.UID] = &podView{name: p.Name}
		}
	}
	st.pods = views
	return ready
}

// isReady tells whether Services send requests to the pod.
func isReady(p *corev1.Pod) bool {
	if !p.DeletionTimestamp.IsZero() || p.Status.PodIP == "" {
		return false
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// ask asks pods that lag, that have not answered, or that were asked long ago.
func (r *Reconciler) ask(ctx context.Context, st *serverState, ready []*corev1.Pod) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, askers)
	for _, p := range ready {
		v := st.pods[p.UID]
		if v.problem == "" && st.ledger.current(v.serving) && time.Since(v.askedAt) < r.options.Timing.Watch && v.untilObjects(r.options.Timing.Watch) > 0 {
			continue
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			r.askOne(ctx, &st.ledger, v, p)
			r.askObjects(ctx, v, p, st.last.verdicts)
		})
	}
	wg.Wait()
}

// askOne asks one pod. The ledger is only read: several pods are asked at once, and nothing is written meanwhile.
func (r *Reconciler) askOne(ctx context.Context, l *ledger, v *podView, p *corev1.Pod) {
	ctx, cancel := context.WithTimeout(ctx, r.options.Timing.Ask)
	defer cancel()
	asked := time.Now()
	files, err := askFiles(ctx, r.options.HTTP, p)
	v.askedAt = time.Now()
	if err != nil {
		v.problem = fmt.Sprintf("pod %s: reading /configz: %v", v.name, err)
		return
	}
	v.problem = ""
	hashes := make(map[string]string, len(files))
	for name, f := range files {
		hashes[name] = f.Serving
		if f.Error != "" {
			v.problem = fmt.Sprintf("pod %s: file %s: %.200s", v.name, name, f.Error)
		}
	}
	serving := l.locate(v.serving, hashes, asked, r.options.Timing.Nudge)
	if !maps.Equal(serving, v.serving) {
		v.objects = nil // what it said of them was said of other files
	}
	v.serving = serving
}

// nudge annotates pods that lag, which makes the kubelet refresh their volume at once; again, with another value, when
// they go on lagging. With answered, only pods that have said what they serve. A failed nudge leaves the pod to the
// kubelet's own period.
func (r *Reconciler) nudge(ctx context.Context, st *serverState, ready []*corev1.Pod, answered bool) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, askers)
	for _, p := range ready {
		v := st.pods[p.UID]
		if st.ledger.current(v.serving) || (answered && v.serving == nil) || !v.nudgeDue(st.last.hash, r.options.Timing.Nudge) {
			continue
		}
		if v.nudgedFor != st.last.hash {
			v.nudges = 0
		}
		value := nudgeValue(st.last.hash, p.Annotations[v1alpha1.AnnotationConfigHash], v.nudges)
		v.nudgedFor, v.nudgedAt = st.last.hash, time.Now()
		v.nudges++
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if err := r.annotate(ctx, p, value); err != nil && !ignorable(err) {
				r.log.Error(err, "annotating a pod; its files are refreshed at the kubelet's own pace", "namespace", p.Namespace, "pod", p.Name)
			}
		})
	}
	wg.Wait()
}

// nudgeDue is true once for each hash, then after pauses that double.
func (v *podView) nudgeDue(hash string, pause time.Duration) bool {
	if v.nudgedFor != hash {
		return true
	}
	for i := 1; i < v.nudges && pause < maxNudgePause; i++ {
		pause *= 2
	}
	return time.Since(v.nudgedAt) >= pause
}

// nudgeValue is a value that the annotation does not have yet: the hash, or the hash and a number.
func nudgeValue(hash, present string, attempt int) string {
	if rest, ok := strings.CutPrefix(present, hash); ok {
		n, _ := strconv.Atoi(strings.TrimPrefix(rest, "-")) // what is no number counts as 0
		attempt = max(attempt, n+1)
	}
	if attempt == 0 {
		return hash
	}
	return hash + "-" + strconv.Itoa(attempt)
}

// annotate patches metadata alone: the admission policy lets nothing else pass.
func (r *Reconciler) annotate(ctx context.Context, p *corev1.Pod, value string) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": p.UID, "annotations": map[string]string{v1alpha1.AnnotationConfigHash: value},
	}})
	if err != nil {
		return err
	}
	target := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name}}
	return r.client.Patch(ctx, target, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(v1alpha1.FieldManager))
}
