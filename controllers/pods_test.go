// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// fakePod is a Pod object of a server's Deployment, and what a kubelet and an auth server would do for it: it has the
// Secrets of its projected volume as they were when it was last synced, and tells their hashes at /configz.
type fakePod struct {
	kube    client.Client
	key     types.NamespacedName
	volumes []corev1.Volume

	mu      sync.Mutex
	serving map[string]string
	objects map[string]any
	held    bool   // it does not react to nudges
	failing bool   // /configz answers 500
	seen    string // the annotation's last value
	nudges  int
	asked   map[string]int // by view of /configz
	stop    context.CancelFunc
	done    sync.WaitGroup
}

// startPod makes a ready pod from the server's Deployment. It ends with the spec.
func startPod(ctx context.Context, kube client.Client, server types.NamespacedName) *fakePod {
	GinkgoHelper()
	p := preparePod(ctx, kube, server)
	p.sync(ctx)
	p.ready(ctx, true)
	return p
}

// preparePod makes a pod that is not ready and has mounted nothing.
func preparePod(ctx context.Context, kube client.Client, server types.NamespacedName) *fakePod {
	GinkgoHelper()
	var d appsv1.Deployment
	Eventually(func() error {
		return kube.Get(ctx, types.NamespacedName{Namespace: server.Namespace, Name: "gatehouse-" + server.Name}, &d)
	}).Should(Succeed())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	p := &fakePod{kube: kube, volumes: d.Spec.Template.Spec.Volumes, objects: map[string]any{}, asked: map[string]int{}}
	pod := &corev1.Pod{ObjectMeta: podMetadata(ctx, kube, &d), Spec: d.Spec.Template.Spec}
	pod.Spec.Containers[0].Ports[1].ContainerPort = int32(listener.Addr().(*net.TCPAddr).Port)
	Expect(kube.Create(ctx, pod)).To(Succeed())
	p.key = client.ObjectKeyFromObject(pod)

	srv := &http.Server{Handler: http.HandlerFunc(p.configz), ReadHeaderTimeout: time.Second}
	run, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	p.done.Go(func() { _ = srv.Serve(listener) }) // ends with Close
	p.done.Go(func() { p.play(run) })
	DeferCleanup(func() { p.end(); Expect(srv.Close()).To(Succeed()); p.done.Wait() })
	return p
}

// podMetadata is what a Deployment leaves on its pods. It makes the ReplicaSet between them.
func podMetadata(ctx context.Context, kube client.Client, d *appsv1.Deployment) metav1.ObjectMeta {
	GinkgoHelper()
	const hash = "5d8f7c9b4"
	labels := maps.Clone(d.Spec.Template.Labels)
	labels[appsv1.DefaultDeploymentUniqueLabelKey] = hash
	set := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: d.Namespace, Name: d.Name + "-" + hash, Labels: labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(d, appsv1.SchemeGroupVersion.WithKind("Deployment"))},
		},
		Spec: appsv1.ReplicaSetSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: *d.Spec.Template.DeepCopy()},
	}
	set.Spec.Template.Labels = labels
	if err := kube.Create(ctx, set); err != nil {
		Expect(apierrors.IsAlreadyExists(err)).To(BeTrue(), "%v", err)
		Expect(kube.Get(ctx, client.ObjectKeyFromObject(set), set)).To(Succeed())
	}
	return metav1.ObjectMeta{
		Namespace: d.Namespace, GenerateName: set.Name + "-", Labels: labels,
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))},
	}
}

func (p *fakePod) end() { p.stop() }

// play reacts to the annotation as a kubelet does.
func (p *fakePod) play(ctx context.Context) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var pod corev1.Pod
		if p.kube.Get(ctx, p.key, &pod) != nil {
			continue
		}
		value := pod.Annotations[v1alpha1.AnnotationConfigHash]
		p.mu.Lock()
		react := value != p.seen
		if react {
			p.seen = value
			p.nudges++
		}
		react = react && !p.held
		p.mu.Unlock()
		if react {
			p.sync(ctx)
		}
	}
}

// sync mounts the Secrets as they are now.
func (p *fakePod) sync(ctx context.Context) {
	serving := map[string]string{}
	for _, s := range p.volumes[0].Projected.Sources {
		var secret corev1.Secret
		if err := p.kube.Get(ctx, types.NamespacedName{Namespace: p.key.Namespace, Name: s.Secret.Name}, &secret); err != nil {
			return
		}
		serving[s.Secret.Items[0].Path] = config.Hash(secret.Data[s.Secret.Items[0].Key])
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serving = serving
}

func (p *fakePod) hold(held bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = held
}

// fail makes /configz answer 500, or work again.
func (p *fakePod) fail(failing bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failing = failing
}

func (p *fakePod) nudged() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.nudges
}

// says sets what /configz tells of an object's upstreams.
func (p *fakePod) says(object, status, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.objects = map[string]any{object: map[string]any{"UpstreamReady": map[string]any{"status": status, "reason": reason, "since": time.Now()}}}
}

// saysAlso makes the answer to a question for objects that of a server of many tenants.
func (p *fakePod) saysAlso(objects int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := maps.Clone(p.objects)
	for n := range objects {
		all[fmt.Sprintf("TenantJWTPolicy/somewhere/%d", n)] = map[string]any{"UpstreamReady": map[string]any{
			"status": "False", "reason": "Unreachable", "message": strings.Repeat("m", 1024), "since": time.Now(),
		}}
	}
	p.objects = all
}

// questions is how often a view was asked for.
func (p *fakePod) questions(view string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[view]
}

// configz answers as the auth server does.
func (p *fakePod) configz(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	view := r.URL.Query().Get("view")
	p.asked[view]++
	if p.failing {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	files := map[string]any{}
	for name, hash := range p.serving {
		files[name] = map[string]string{"mounted": hash, "serving": hash}
	}
	answer := map[string]any{"files": files, "objects": p.objects}
	if view != "" {
		answer = map[string]any{view: answer[view]}
	}
	_ = json.NewEncoder(w).Encode(answer) // a client that is gone is no concern
}

// ready makes the pod ready, or not.
func (p *fakePod) ready(ctx context.Context, ready bool) {
	GinkgoHelper()
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	var pod corev1.Pod
	Expect(p.kube.Get(ctx, p.key, &pod)).To(Succeed())
	base := pod.DeepCopy()
	pod.Status.Phase = corev1.PodRunning
	pod.Status.PodIP = "127.0.0.1"
	pod.Status.PodIPs = []corev1.PodIP{{IP: "127.0.0.1"}}
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}
	Expect(p.kube.Status().Patch(ctx, &pod, client.MergeFrom(base))).To(Succeed())
}

// serves tells whether the pod serves the Secrets as they are now.
func (p *fakePod) serves(ctx context.Context) func() bool {
	return func() bool {
		for _, s := range p.volumes[0].Projected.Sources {
			var secret corev1.Secret
			if p.kube.Get(ctx, types.NamespacedName{Namespace: p.key.Namespace, Name: s.Secret.Name}, &secret) != nil {
				return false
			}
			p.mu.Lock()
			have := p.serving[s.Secret.Items[0].Path]
			p.mu.Unlock()
			if have != config.Hash(secret.Data[s.Secret.Items[0].Key]) {
				return false
			}
		}
		return true
	}
}

// remove deletes the Pod object, as a kubelet does when the containers have ended.
func (p *fakePod) remove(ctx context.Context) {
	GinkgoHelper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: p.key.Namespace, Name: p.key.Name}}
	Expect(p.kube.Delete(ctx, pod, client.GracePeriodSeconds(0))).To(Succeed())
}
