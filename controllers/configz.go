// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Bounds of the answers of /configz, in bytes.
const (
	// maxFilesAnswer has room for two sets of 256 shards.
	maxFilesAnswer = 1 << 20
	// maxObjectsAnswer has room for 20,000 policies, each with a message as long as one can be.
	maxObjectsAnswer = 64 << 20
)

// podFiles is what a pod says of its files by name. Only the fields that the operator uses are here.
type podFiles map[string]struct {
	Serving string `json:"serving"`
	Error   string `json:"error"`
}

// newPodClient asks pods directly: no proxy, no redirects, everything bounded, the time of each question by its context.
func newPodClient(timeout time.Duration) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: timeout}).DialContext,
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
		if pod.Spec.Containers[i].Name != containerName {
			continue // what was injected beside it
		}
		for _, p := range pod.Spec.Containers[i].Ports {
			if p.Name == portOps {
				return net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(int(p.ContainerPort))), nil
			}
		}
	}
	return "", fmt.Errorf("no port of the container %s is named %s", containerName, portOps)
}

// askFiles asks a pod what it serves. The answer does not grow with the number of objects.
func askFiles(ctx context.Context, client *http.Client, pod *corev1.Pod) (podFiles, error) {
	var files podFiles
	err := askPod(ctx, client, pod, "files", maxFilesAnswer, func(d *json.Decoder) error { return d.Decode(&files) })
	return files, err
}

// askPod asks for one view of /configz and hands over the value of the member with the view's name.
func askPod(ctx context.Context, client *http.Client, pod *corev1.Pod, view string, limit int64, read func(*json.Decoder) error) error {
	address, err := opsAddress(pod)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/configz?view="+view, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %d", resp.StatusCode)
	}
	body := &io.LimitedReader{R: resp.Body, N: limit}
	d := json.NewDecoder(body)
	if err = toMember(d, view); err == nil {
		err = read(d)
	}
	if err == nil {
		// Up to the end, for the connection to be used again. What comes after the member is of no interest.
		_, err = io.Copy(io.Discard, body)
	}
	switch {
	case body.N <= 0:
		return fmt.Errorf("answered %d bytes or more", limit)
	case err != nil:
		return fmt.Errorf("answered what is not the JSON of /configz: %w", err)
	}
	return nil
}

// toMember reads on to the value of an object's member.
func toMember(d *json.Decoder, name string) error {
	if err := expect(d, json.Delim('{')); err != nil {
		return err
	}
	for d.More() {
		member, err := d.Token()
		if err != nil || member == name {
			return err
		}
		var other json.RawMessage
		if err := d.Decode(&other); err != nil {
			return err
		}
	}
	return fmt.Errorf("no member %q", name)
}

func expect(d *json.Decoder, want json.Delim) error {
	got, err := d.Token()
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%v where %v should be", got, want)
	}
	return nil
}
