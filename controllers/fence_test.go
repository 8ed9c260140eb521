// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// TestFenceIsTold guards that a missing fence is told once, that one put up later is too, and that what tells nothing is not
// taken for an answer.
func TestFenceIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var answer error
		asked := 0
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: "n", Name: "p", Labels: map[string]string{"auth.gatehouse.dev/server": "a", "pod-template-hash": "1"},
				OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "gatehouse-a-1", Controller: ptr.To(true)}},
			},
			Spec: corev1.PodSpec{ServiceAccountName: "gatehouse-a"},
		}
		c := fake.NewClientBuilder().WithInterceptorFuncs(interceptor.Funcs{
			Patch: func(_ context.Context, _ client.WithWatch, o client.Object, _ client.Patch, opts ...client.PatchOption) error {
				options := &client.PatchOptions{}
				options.ApplyOptions(opts)
				if len(options.DryRun) != 1 || o.GetName() != "p" {
					t.Errorf("a patch of %s that is no dry run", o.GetName())
				}
				asked++
				return answer
			},
		}).Build()
		var told []string
		log := funcr.New(func(_, line string) { told = append(told, line) }, funcr.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		f := &fence{client: c, retry: time.Minute, log: log}
		done := make(chan error)
		go func() { done <- f.Start(ctx) }()
		step := func(wait time.Duration, set error, tests int, want string) {
			t.Helper()
			answer = set
			told, asked = nil, 0
			time.Sleep(wait)
			synctest.Wait()
			if got := strings.Join(told, "\n"); asked != tests || !strings.Contains(got, want) || (want == "") != (got == "") {
				t.Errorf("%d tests told %q, want %d and %q", asked, got, tests, want)
			}
		}
		step(90*time.Second, nil, 0, "") // no pod
		if err := c.Create(ctx, pod); err != nil {
			t.Fatal(err)
		}
		step(time.Minute, nil, 1, "does not hold this operator")
		step(time.Minute, nil, 1, "")
		step(time.Minute, errors.New("pods is forbidden: User cannot patch"), 1, "could not be tested")
		step(time.Minute, errors.New("denied request: the Gatehouse operator may change no annotation"), 1, "bounds the right")
		step(fencePause-time.Minute, answer, 0, "")
		step(time.Minute, nil, 1, "does not hold this operator")
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
