// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// interval is how often the API server is asked: about as soon as a kubelet's watch would tell.
	interval = 50 * time.Millisecond
	// grace is what a container gets to end.
	grace = 40 * time.Second
	// templateHash is the label by which a pod is known to be of the Deployment's present template.
	templateHash = "pod-template-hash"
)

// Kubelet runs the Deployments of one namespace, one pod each.
type Kubelet struct {
	Client    client.Client
	Namespace string
	// Binaries stand for the commands of containers: {"/authserver": "bin/authserver"}.
	Binaries map[string]string
	// Dir holds volumes and logs.
	Dir string
	Log *slog.Logger
	// PodIP is the pods' address, one of this machine's loopback addresses. Default: 127.0.0.1. The command's ":8080" becomes "127.0.0.1:8080".
	PodIP string
	// Grace is how long a container may take to end; default 40 s.
	Grace time.Duration

	pods map[string]*running
}

// running is a pod that runs here.
type running struct {
	pod         *corev1.Pod
	dir         string
	process     *process
	annotations map[string]string
	ready       bool
}

// Run plays until ctx is done, then stops every container. An API server that is away is asked again: containers go on running.
func (k *Kubelet) Run(ctx context.Context) {
	k.pods = map[string]*running{}
	if k.Grace == 0 {
		k.Grace = grace
	}
	if k.PodIP == "" {
		k.PodIP = "127.0.0.1"
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	failing := ""
	for {
		select {
		case <-ctx.Done():
			for _, r := range k.pods {
				r.process.stop(k.Grace)
			}
			return
		case <-tick.C:
		}
		err := k.pass(ctx)
		if err != nil && ctx.Err() == nil && err.Error() != failing {
			k.Log.Warn("kubelet", "error", err)
		}
		failing = fmt.Sprint(err)
	}
}

// pass brings every Deployment's pod up to date once.
func (k *Kubelet) pass(ctx context.Context) error {
	var list appsv1.DeploymentList
	if err := k.Client.List(ctx, &list, client.InNamespace(k.Namespace)); err != nil {
		return fmt.Errorf("listing Deployments: %w", err)
	}
	wanted := map[string]*appsv1.Deployment{}
	for i := range list.Items {
		d := &list.Items[i]
		if d.DeletionTimestamp == nil && (d.Spec.Replicas == nil || *d.Spec.Replicas > 0) {
			wanted[podName(d)] = d
		}
	}
	for name, r := range k.pods { // before new ones start: they want the same ports
		if wanted[name] == nil {
			if err := k.remove(ctx, name, r); err != nil {
				return err
			}
		}
	}
	for _, d := range wanted {
		if err := k.sync(ctx, d); err != nil {
			return fmt.Errorf("running Deployment %s: %w", d.Name, err)
		}
	}
	return nil
}

func (k *Kubelet) sync(ctx context.Context, d *appsv1.Deployment) error {
	name := podName(d)
	r, ok := k.pods[name]
	if !ok {
		return k.start(ctx, d)
	}
	var pod corev1.Pod
	if err := k.Client.Get(ctx, client.ObjectKeyFromObject(r.pod), &pod); err != nil {
		if apierrors.IsNotFound(err) {
			return k.remove(ctx, name, r) // made anew by the next pass
		}
		return fmt.Errorf("reading the pod: %w", err)
	}
	if !maps.Equal(pod.Annotations, r.annotations) {
		if _, err := k.writeVolumes(ctx, &pod, r.dir); err != nil {
			return err
		}
		r.annotations = pod.Annotations
	}
	return k.report(ctx, &pod, r)
}

// start makes the pod and runs it.
func (k *Kubelet) start(ctx context.Context, d *appsv1.Deployment) error {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: podName(d), Namespace: d.Namespace,
			Labels: maps.Clone(d.Spec.Template.Labels), Annotations: d.Spec.Template.Annotations,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(d, appsv1.SchemeGroupVersion.WithKind("Deployment"))},
		},
		Spec: d.Spec.Template.Spec,
	}
	pod.Labels[templateHash] = hash(d)
	if err := k.Client.Create(ctx, pod); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("creating the pod: %w", err)
	}
	dir := filepath.Join(k.Dir, pod.Name)
	folders, err := k.writeVolumes(ctx, pod, dir)
	if err != nil {
		return err
	}
	p, err := k.run(pod, folders)
	if err != nil {
		return err
	}
	k.Log.Info("pod started", "pod", pod.Name, "pid", p.cmd.Process.Pid)
	k.pods[pod.Name] = &running{pod: pod, dir: dir, process: p, annotations: pod.Annotations}
	return nil
}

// remove takes the pod out of service, stops its container and deletes it.
func (k *Kubelet) remove(ctx context.Context, name string, r *running) error {
	r.process.stop(k.Grace)
	delete(k.pods, name)
	err := k.Client.Delete(ctx, r.pod, client.GracePeriodSeconds(0))
	if err := client.IgnoreNotFound(err); err != nil {
		return fmt.Errorf("deleting pod %s: %w", name, err)
	}
	k.Log.Info("pod stopped", "pod", name)
	return nil
}

func podName(d *appsv1.Deployment) string { return d.Name + "-" + hash(d) }

func hash(d *appsv1.Deployment) string {
	template, err := json.Marshal(d.Spec.Template)
	if err != nil {
		panic(err) // a decoded object always encodes
	}
	sum := sha256.Sum256(template)
	return hex.EncodeToString(sum[:5])
}
