// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/yaml"
)

func env(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

var inPod = env(map[string]string{"POD_NAME": "p", "POD_NAMESPACE": "gatehouse-system", "KUBERNETES_SERVICE_HOST": "10.96.0.1"})

// TestFlags guards what an installation can say, and that a slip does not widen what the operator watches.
func TestFlags(t *testing.T) {
	for name, c := range map[string]struct {
		args       []string
		namespaces []string
		problem    string
	}{
		"cluster-wide":        {nil, nil, ""},
		"namespaces":          {[]string{"--namespaces", "a,b, a"}, []string{"a", "b"}, ""},
		"an empty namespace":  {[]string{"--namespaces", "a,"}, nil, `"" is not a namespace`},
		"only a comma":        {[]string{"--namespaces", ","}, nil, `"" is not a namespace`},
		"an empty list":       {[]string{"--namespaces", ""}, nil, "leave the flag out to watch all"},
		"an empty variable":   {[]string{"--namespaces="}, nil, "leave the flag out to watch all"},
		"only a space":        {[]string{"--namespaces", " "}, nil, "leave the flag out to watch all"},
		"no namespace's name": {[]string{"--namespaces", "A_b"}, nil, `"A_b" is not a namespace`},
		"an argument":         {[]string{"a"}, nil, `unexpected argument "a"`},
		"an unknown flag":     {[]string{"--nope"}, nil, "not defined"},
		"no network to deny":  {[]string{"--credential-denied-cidrs="}, nil, "--credential-denied-cidrs is empty"},
		"half a network":      {[]string{"--credential-denied-cidrs=10.0.0.0/8,127.0.0.1"}, nil, `--credential-denied-cidrs[1]: "127.0.0.1" is an address, not a network: write 127.0.0.1/32`},
		"no log level":        {[]string{"--log-level", "loud"}, nil, "log-level"},
	} {
		var stderr bytes.Buffer
		f, err := parseFlags(c.args, inPod, &stderr)
		if c.problem != "" {
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%s: %v, want %q", name, err, c.problem)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.namespaces, f.namespaces); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if _, err := parseFlags(nil, env(nil), new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "--image is required") {
		t.Errorf("outside a Pod and without --image: %v", err)
	}
}

// TestUsage guards the exit codes.
func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		want int
	}{{[]string{"--help"}, exitFine}, {[]string{"--nope"}, exitUsage}, {[]string{"--namespaces="}, exitUsage}} {
		var stderr bytes.Buffer
		if got := run(t.Context(), c.args, inPod, &stderr); got != c.want || stderr.Len() == 0 {
			t.Errorf("%v: exit code %d, want %d; it said %q", c.args, got, c.want, stderr.String())
		}
	}
}

// TestOwnImage guards which image auth servers run: the operator's, whatever else is in its Pod.
func TestOwnImage(t *testing.T) {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "gatehouse-system", Name: "p"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "mesh", Image: "proxy"}, {Name: operatorContainer, Image: "gatehouse:1"}}},
	}
	reader := fake.NewClientBuilder().WithObjects(pod).Build()
	if got, err := ownImage(t.Context(), reader, "gatehouse-system", "p"); err != nil || got != "gatehouse:1" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := ownImage(t.Context(), reader, "gatehouse-system", "other"); err == nil || !strings.Contains(err.Error(), "or set --image") {
		t.Errorf("no such Pod: %v", err)
	}
	pod.Spec.Containers = pod.Spec.Containers[:1]
	reader = fake.NewClientBuilder().WithObjects(pod).Build()
	if _, err := ownImage(t.Context(), reader, "gatehouse-system", "p"); err == nil || !strings.Contains(err.Error(), "set --image") {
		t.Errorf("no such container: %v", err)
	}
}

// TestDeniedCIDRs guards the operator's own Pod from what AuthServers allow: the flag's default and the shipped manifest deny loopback and link-local, and one that is
// given takes its place. Outside a cluster the default is link-local.
func TestDeniedCIDRs(t *testing.T) {
	const flagName = "--credential-denied-cidrs"
	read := func(args ...string) string {
		t.Helper()
		f, err := parseFlags(args, inPod, new(bytes.Buffer))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(f.deniedCIDRs)
	}
	const want = "[127.0.0.0/8 ::1/128 169.254.0.0/16 fe80::/10]"
	if got := read(); got != want {
		t.Errorf("by default %s are denied, want %s", got, want)
	}
	if got := read(flagName, "10.0.0.0/8, fd00::/8"); got != "[10.0.0.0/8 fd00::/8]" {
		t.Errorf("given 10.0.0.0/8 and fd00::/8, %s are denied", got)
	}
	outside, err := parseFlags([]string{"--image", "x"}, env(nil), new(bytes.Buffer))
	if err != nil || fmt.Sprint(outside.deniedCIDRs) != "[169.254.0.0/16 fe80::/10]" {
		t.Errorf("outside a cluster: %v, %v", outside, err)
	}
	text, err := os.ReadFile("../../config/manager/deployment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var manager appsv1.Deployment
	if err := yaml.UnmarshalStrict(text, &manager); err != nil {
		t.Fatal(err)
	}
	args := manager.Spec.Template.Spec.Containers[0].Args
	if !slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, flagName+"=") }) || read(args...) != want {
		t.Errorf("config/manager gives %v, want them to deny %s", args, want)
	}
}
