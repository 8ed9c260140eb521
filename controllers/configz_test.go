// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// answering is a pod whose /configz answers with a body.
func answering(t *testing.T, body string) (*corev1.Pod, *http.Client) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
	t.Cleanup(srv.Close)
	host, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.ParseInt(port, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{}
	pod.Status.PodIP = host
	pod.Spec.Containers = []corev1.Container{
		{Name: "injected", Ports: []corev1.ContainerPort{{Name: portOps, ContainerPort: 1}}},
		{Name: containerName, Ports: []corev1.ContainerPort{{Name: portHTTP, ContainerPort: 2}, {Name: portOps, ContainerPort: int32(number)}}},
	}
	return pod, newPodClient(2 * time.Minute)
}

// TestAskObjects guards that the answer of 20,000 policies is taken, and that of a hostile one nothing is kept that a status
// could not take or that would fill the memory.
func TestAskObjects(t *testing.T) {
	key := render.Key{Kind: "TenantJWTPolicy", Namespace: "n", Name: "a"}
	known := map[render.Key]render.Verdict{key: {}}
	object := func(name, status, reason, message string) string {
		return fmt.Sprintf(`%q:{"Other":{"status":"True","reason":"r"},"UpstreamReady":{"status":%q,"reason":%q,"message":%q,"since":"2026-01-02T03:04:05Z"}}`, name, status, reason, message)
	}
	objects := func(all ...string) string { return `{"objects":{` + strings.Join(all, ",") + "}}\n" }
	many := make([]string, 20_000)
	for n := range many {
		many[n] = object(fmt.Sprintf("TenantJWTPolicy/%s/%d", strings.Repeat("n", 63), n), "False", "Unreachable", strings.Repeat("m", 2<<10))
	}
	long := strings.Repeat("é", maxPodMessage)
	for name, test := range map[string]struct {
		answer, problem string
		want            podObjects
	}{
		"none":                     {objects(), "", podObjects{}},
		"one":                      {objects(object(key.String(), "True", "Ready", "m")), "", podObjects{key: {"True", "Ready", "m"}}},
		"without the condition":    {`{"objects":{"` + key.String() + `":{}}}`, "", podObjects{}},
		"after other members":      {`{"files":{"x":[1]},` + objects(object(key.String(), "True", "Ready", ""))[1:], "", podObjects{key: {"True", "Ready", ""}}},
		"20,000, one of them ours": {objects(append(many, object(key.String(), "Unknown", "NotYetFetched", ""))...), "", podObjects{key: {"Unknown", "NotYetFetched", ""}}},
		"names that are none":      {objects(object("", "True", "r", ""), object("a/b", "True", "r", ""), object(key.String()+"/x", "True", "r", "")), "", podObjects{}},
		"a status that is none":    {objects(object(key.String(), "Maybe", "r", "")), "", podObjects{}},
		"no reason":                {objects(object(key.String(), "False", "", "")), "", podObjects{}},
		"a reason with a space":    {objects(object(key.String(), "False", "a b", "")), "", podObjects{}},
		"a reason that is long":    {objects(object(key.String(), "False", strings.Repeat("x", 1025), "")), "", podObjects{}},
		"a message that is long":   {objects(object(key.String(), "False", "r", long)), "", podObjects{key: {"False", "r", long[:maxPodMessage-4] + "…"}}},
		"no JSON":                  {"<html>", "not the JSON of /configz", nil},
		"another type":             {`{"objects":[]}`, "not the JSON of /configz", nil},
		"no objects":               {`{"files":{}}`, `no member "objects"`, nil},
		"half of it":               {objects(object(key.String(), "True", "Ready", ""))[:60], "not the JSON of /configz", nil},
		"without an end":           {`{"objects":{"` + strings.Repeat("x", maxObjectsAnswer) + `"`, "67108864 bytes or more", nil},
	} {
		pod, client := answering(t, test.answer)
		got, err := askObjects(t.Context(), client, pod, known)
		if test.problem != "" {
			if err == nil || !strings.Contains(err.Error(), test.problem) {
				t.Errorf("%s: %v, want %q", name, err, test.problem)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestOpsAddress guards which port is asked: that of our own container.
func TestOpsAddress(t *testing.T) {
	pod, client := answering(t, `{"files":{"base.json":{"mounted":"b","serving":"a","error":"e"}}}`)
	files, err := askFiles(t.Context(), client, pod)
	if err != nil || files["base.json"].Serving != "a" || files["base.json"].Error != "e" {
		t.Errorf("%v, %v", files, err)
	}
	pod.Spec.Containers = pod.Spec.Containers[:1]
	if _, err := askFiles(t.Context(), client, pod); err == nil || !strings.Contains(err.Error(), "no port of the container authserver") {
		t.Errorf("a port of another container: %v", err)
	}
}

// TestWhenObjectsAreAsked guards that objects cost a pod little: as often as everything is looked at, sooner after a change, but
// never more than a share of the time.
func TestWhenObjectsAreAsked(t *testing.T) {
	const watch = 15 * time.Second
	now := time.Now()
	for name, test := range map[string]struct {
		view podView
		due  bool
	}{
		"never asked":                          {podView{}, true},
		"known":                                {podView{objects: podObjects{}, objectsAt: now.Add(-time.Second)}, false},
		"known for long":                       {podView{objects: podObjects{}, objectsAt: now.Add(-watch)}, true},
		"changed":                              {podView{objectsAt: now.Add(-time.Second), objectsPause: 20 * time.Millisecond}, true},
		"changed, and the last answer was big": {podView{objectsAt: now.Add(-time.Second), objectsPause: 4 * time.Second}, false},
	} {
		if due := test.view.untilObjects(watch) <= 0; due != test.due {
			t.Errorf("%s: due is %v", name, due)
		}
	}
}
