// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// maxConfigz bounds an answer of /configz, in bytes.
const maxConfigz = 1 << 20

// configz is what a pod says of itself. Only the fields that the operator uses are here.
type configz struct {
	Files map[string]struct {
		Serving string `json:"serving"`
		Error   string `json:"error"`
	} `json:"files"`
	// Objects hold conditions by object ("kind/namespace/name") and type.
	Objects map[string]map[string]podCondition `json:"objects"`
}

// podCondition is a condition as one pod sees it.
type podCondition struct {
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// newPodClient asks pods directly: no proxy, no redirects, everything bounded.
func newPodClient(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: timeout}).DialContext,
			ResponseHeaderTimeout:  timeout,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost:    1,
			MaxConnsPerHost:        2,
			IdleConnTimeout:        30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// opsAddress is where a pod's operations listener is.
func opsAddress(pod *corev1.Pod) (string, error) {
	for i := range pod.Spec.Containers {
		for _, p := range pod.Spec.Containers[i].Ports {
			if p.Name == portOps {
				return net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(int(p.ContainerPort))), nil
			}
		}
	}
	return "", errors.New("no container port is named " + portOps)
}

// askPod reads a pod's /configz.
func askPod(ctx context.Context, client *http.Client, pod *corev1.Pod) (*configz, error) {
	address, err := opsAddress(pod)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/configz", nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxConfigz+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxConfigz {
		return nil, fmt.Errorf("answered more than %d bytes", maxConfigz)
	}
	var out configz
	if err := json.Unmarshal(body, &out); err != nil {
		return nil, fmt.Errorf("answered what is not the JSON of /configz: %w", err)
	}
	return &out, nil
}
