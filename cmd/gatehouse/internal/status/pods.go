// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// portOps is the name of the pods' port that answers GET /configz.
	portOps = "ops"
	// podPatience bounds one question to a pod.
	podPatience = 15 * time.Second
	// podsAtOnce bounds how many pods are asked at the same time.
	podsAtOnce = 8
	// maxAnswer bounds an answer in bytes: 20,000 policies, each with a message as long as one can be.
	maxAnswer = 64 << 20
)

// Answer is what a pod's /configz says, or why it could not be asked.
type Answer struct {
	Files   map[string]File                  `json:"files"`
	Objects map[string]map[string]PodMessage `json:"objects"`
	// Problem is set where there is no answer.
	Problem string `json:"-"`
}

// File is a configuration file of a pod: the SHA-256 of what is mounted and of what is served.
type File struct {
	Mounted string `json:"mounted"`
	Serving string `json:"serving"`
	Error   string `json:"error"`
}

// PodMessage is a condition as one pod sees it.
type PodMessage struct {
	Status  string    `json:"status"`
	Reason  string    `json:"reason"`
	Message string    `json:"message"`
	Fetched time.Time `json:"fetched"` // of the oldest key set that serves
}

// askPods asks every pod that runs, through the API server. A pod that does not answer has a Problem.
func (c *Cluster) askPods(ctx context.Context, out *Objects) {
	out.Answers = map[types.NamespacedName]Answer{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, podsAtOnce)
	for i := range out.Pods {
		p := &out.Pods[i]
		if p.Status.Phase != corev1.PodRunning || p.DeletionTimestamp != nil {
			continue
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			answer, err := c.askPod(ctx, p)
			if err != nil {
				answer = Answer{Problem: err.Error()}
			}
			mu.Lock()
			defer mu.Unlock()
			out.Answers[types.NamespacedName{Namespace: p.Namespace, Name: p.Name}] = answer
		})
	}
	wg.Wait()
}

func (c *Cluster) askPod(ctx context.Context, p *corev1.Pod) (answer Answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, podPatience)
	defer cancel()
	port := opsPort(p)
	if port == "" {
		return answer, errors.New("no port of it is named " + portOps)
	}
	body, err := c.core.Get().Namespace(p.Namespace).Resource("pods").Name(p.Name + ":" + port).SubResource("proxy").Suffix("configz").Stream(ctx)
	if err != nil {
		return answer, explainPod(err, p)
	}
	defer func() { _ = body.Close() }() // only read
	if err := json.NewDecoder(io.LimitReader(body, maxAnswer)).Decode(&answer); err != nil {
		return Answer{}, explainPod(err, p)
	}
	return answer, nil
}

// opsPort is the number of a pod's operations port, "" without one.
func opsPort(p *corev1.Pod) string {
	for i := range p.Spec.Containers {
		for _, port := range p.Spec.Containers[i].Ports {
			if port.Name == portOps {
				return strconv.Itoa(int(port.ContainerPort))
			}
		}
	}
	return ""
}

// explainPod says why a pod could not be asked, and how to ask it otherwise.
func explainPod(err error, p *corev1.Pod) error {
	otherwise := fmt.Sprintf("kubectl -n %s port-forward pod/%s 9090:%s, then curl -s localhost:9090/configz", p.Namespace, p.Name, opsPort(p))
	switch {
	case apierrors.IsForbidden(err):
		return fmt.Errorf("you may not ask it: that takes the verb get on pods/proxy in namespace %s", p.Namespace)
	case apierrors.IsServiceUnavailable(err), apierrors.IsInternalError(err), apierrors.IsTimeout(err), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the API server cannot reach it: its NetworkPolicy lets only the operator and spec.networkPolicy.operationsFrom in; ask it with %s", otherwise)
	}
	reason := ""
	if known := apierrors.ReasonForError(err); known != metav1.StatusReasonUnknown {
		reason = " (" + string(known) + ")"
	}
	return fmt.Errorf("the API server does not reach it%s; ask it with %s", reason, otherwise)
}
