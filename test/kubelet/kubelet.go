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
	// firstPod is how the one pod of a ReplicaSet is called after it.
	firstPod = "-0"
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

	pods map[string]*running // by the ReplicaSet's name
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
			wanted[setName(d)] = d
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
	name := setName(d)
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
	set, err := k.replicaSet(ctx, d)
	if err != nil {
		return err
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: set.Name + firstPod, Namespace: d.Namespace,
			Labels: set.Spec.Template.Labels, Annotations: set.Spec.Template.Annotations,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))},
		},
		Spec: set.Spec.Template.Spec,
	}
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
	k.pods[set.Name] = &running{pod: pod, dir: dir, process: p, annotations: pod.Annotations}
	return nil
}

// replicaSet makes the ReplicaSet that stands between a Deployment and the pods of its present template, as the controller manager
// does: what a pod's name, labels and owner tell of its Deployment is the same as in a cluster.
func (k *Kubelet) replicaSet(ctx context.Context, d *appsv1.Deployment) (*appsv1.ReplicaSet, error) {
	set := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Name: setName(d), Namespace: d.Namespace, Labels: maps.Clone(d.Spec.Template.Labels),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(d, appsv1.SchemeGroupVersion.WithKind("Deployment"))},
		},
		Spec: appsv1.ReplicaSetSpec{Replicas: d.Spec.Replicas, Template: *d.Spec.Template.DeepCopy()},
	}
	set.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = hash(d)
	set.Spec.Template.Labels = set.Labels
	set.Spec.Selector = &metav1.LabelSelector{MatchLabels: set.Labels}
	err := k.Client.Create(ctx, set)
	if apierrors.IsAlreadyExists(err) {
		err = k.Client.Get(ctx, client.ObjectKeyFromObject(set), set)
	}
	if err != nil {
		return nil, fmt.Errorf("making the ReplicaSet: %w", err)
	}
	return set, nil
}

// remove takes the pod out of service, stops its container and deletes it and its ReplicaSet.
func (k *Kubelet) remove(ctx context.Context, name string, r *running) error {
	r.process.stop(k.Grace)
	delete(k.pods, name)
	err := k.Client.Delete(ctx, r.pod, client.GracePeriodSeconds(0))
	if err := client.IgnoreNotFound(err); err != nil {
		return fmt.Errorf("deleting pod %s: %w", r.pod.Name, err)
	}
	set := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: k.Namespace, Name: name}}
	if err := client.IgnoreNotFound(k.Client.Delete(ctx, set)); err != nil {
		return fmt.Errorf("deleting ReplicaSet %s: %w", name, err)
	}
	k.Log.Info("pod stopped", "pod", r.pod.Name)
	return nil
}

func setName(d *appsv1.Deployment) string { return d.Name + "-" + hash(d) }

func hash(d *appsv1.Deployment) string {
	template, err := json.Marshal(d.Spec.Template)
	if err != nil {
		panic(err) // a decoded object always encodes
	}
	sum := sha256.Sum256(template)
	return hex.EncodeToString(sum[:5])
}
