// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// errNoFence tells that nothing but RBAC bounds what this operator may do to pods.
var errNoFence = errors.New("the admission policy operator-pods.auth.gatehouse.dev does not hold this operator: whoever takes it over can change any pod where it works")

const (
	// fencePause is how long a fence that held counts.
	fencePause = time.Hour
	// fenceRefusal is what every message of the policy says.
	fenceRefusal = "the Gatehouse operator may"
	// fenceAnnotation is one that the policy lets nobody write; it is only ever written as a dry run.
	fenceAnnotation = "auth.gatehouse.dev/not-allowed"
)

// fence tests whether config/admission is installed and means this operator: it tries what the policy forbids, as a dry run. An
// installation can lose the fence without noticing, under another ServiceAccount or when the policy is deleted.
type fence struct {
	client client.Client
	// retry is the pause after a test that found no fence, or no pod to try.
	retry time.Duration
	log   logr.Logger
}

// fenceState is what a test found.
type fenceState string

const (
	fenceUnknown fenceState = ""
	fenceHolds   fenceState = "holds"
	fenceMissing fenceState = "missing"
)

// NeedLeaderElection makes only the operator that writes test.
func (f *fence) NeedLeaderElection() bool { return true }

// Start tests until ctx ends and logs what changed. A missing fence ends nothing: logins do not depend on it.
func (f *fence) Start(ctx context.Context) error {
	told := fenceUnknown
	for {
		state, err := f.test(ctx)
		pause := f.retry
		switch {
		case err != nil && ctx.Err() == nil:
			f.log.Info("the fence around the right to patch pods could not be tested: " + err.Error())
		case state == fenceHolds:
			pause = fencePause
			if told != state {
				f.log.Info("the admission policy bounds the right to patch pods")
			}
			told = state
		case state == fenceMissing:
			if told != state {
				f.log.Error(errNoFence, "install config/admission, with this operator's ServiceAccount in its matchConditions")
			}
			told = state
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// test tries a forbidden patch of one of the servers' pods. The state is unknown when there is none, and on an error.
func (f *fence) test(ctx context.Context) (fenceState, error) {
	var pods corev1.PodList
	if err := f.client.List(ctx, &pods, client.HasLabels{v1alpha1.LabelServer}, client.UnsafeDisableDeepCopy); err != nil {
		return fenceUnknown, fmt.Errorf("listing pods: %w", err)
	}
	for i := range pods.Items {
		p := &pods.Items[i]
		if !runs(p, p.Labels[v1alpha1.LabelServer]) {
			continue
		}
		err := f.try(ctx, p)
		switch {
		case err == nil:
			return fenceMissing, nil
		case strings.Contains(err.Error(), fenceRefusal):
			return fenceHolds, nil
		case !ignorable(err):
			return fenceUnknown, fmt.Errorf("patching pod %s/%s as a dry run: %w", p.Namespace, p.Name, err)
		}
	}
	return fenceUnknown, nil
}

func (f *fence) try(ctx context.Context, p *corev1.Pod) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": p.UID, "annotations": map[string]string{fenceAnnotation: "true"},
	}})
	if err != nil {
		return err
	}
	target := metadataOf("Pod")
	target.Namespace, target.Name = p.Namespace, p.Name
	return f.client.Patch(ctx, target, client.RawPatch(types.MergePatchType, patch), client.DryRunAll, client.FieldOwner(v1alpha1.FieldManager))
}
