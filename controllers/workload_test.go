// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

func testServer() *v1alpha1.AuthServer {
	return &v1alpha1.AuthServer{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "edge", UID: "u"}}
}

// TestDeployment guards the workload as a whole: any change of these goldens rolls the pods of every user.
func TestDeployment(t *testing.T) {
	full := testServer()
	full.Spec = v1alpha1.AuthServerSpec{
		Replicas:         ptr.To[int32](3),
		Image:            "registry.example/gatehouse:1",
		ImagePullSecrets: []v1alpha1.LocalReference{{Name: "pull"}},
		Resources:        &v1alpha1.Resources{Limits: v1alpha1.ResourceList{Memory: "1Gi", CPU: "2"}},
		Store:            v1alpha1.Store{Type: v1alpha1.StoreNone},
		PodTemplate: &v1alpha1.PodTemplate{
			Labels:                    map[string]v1alpha1.LabelValue{"team": "a", v1alpha1.LabelServer: "stolen"},
			Annotations:               map[string]v1alpha1.AnnotationValue{"note": "b"},
			Env:                       []v1alpha1.EnvVar{{Name: "GOMEMLIMIT", Value: "1"}, {Name: "GOMAXPROCS", Value: "2"}},
			NodeSelector:              map[string]v1alpha1.LabelValue{"disk": "fast"},
			Tolerations:               []corev1.Toleration{{Key: "edge", Operator: corev1.TolerationOpExists}},
			TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: "zone", WhenUnsatisfiable: corev1.ScheduleAnyway}},
		},
	}
	onVolume := testServer()
	onVolume.Spec.Store = v1alpha1.Store{Type: v1alpha1.StoreEmbedded, Embedded: &v1alpha1.EmbeddedStore{PersistentVolumeClaim: "logins"}}
	shared := testServer()
	shared.Spec.Replicas = ptr.To[int32](2)
	shared.Spec.Store = v1alpha1.Store{Type: v1alpha1.StorePostgreSQL, PostgreSQL: &v1alpha1.PostgreSQLStore{DSNSecretRef: v1alpha1.SecretKeyReference{Name: "db", Key: "dsn"}}}
	for name, s := range map[string]static{
		"deployment-default.golden": {server: testServer(), image: "localhost/gatehouse:dev", shards: 1, keys: true},
		"deployment-full.golden":    {server: full, image: full.Spec.Image, shards: 4},
		"deployment-volume.golden":  {server: onVolume, image: "localhost/gatehouse:dev", shards: 1, keys: true},
		"deployment-shared.golden":  {server: shared, image: "localhost/gatehouse:dev", shards: 1, keys: true},
	} {
		d, err := deployment(s)
		if err != nil {
			t.Fatal(err)
		}
		out, err := yaml.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, string(out))
	}
}

// TestPublicPorts guards DESIGN §6: HTTP and Envoy's gRPC are reached by name, through the Service and past the NetworkPolicy; operations by neither.
func TestPublicPorts(t *testing.T) {
	s := testServer()
	got := map[string]int32{}
	for _, p := range publicService(s).Spec.Ports {
		got[p.Name] = p.Port
		if p.TargetPort.StrVal != p.Name {
			t.Errorf("port %s leads to %s", p.Name, p.TargetPort.String())
		}
	}
	if diff := cmp.Diff(map[string]int32{"http": 8080, "ext-authz": 9191}, got); diff != "" {
		t.Errorf("Service: -want +got:\n%s", diff)
	}
	resources, err := podResources(nil)
	if err != nil {
		t.Fatal(err)
	}
	contained := map[string]int32{}
	for _, p := range (static{server: s}).container(resources).Ports {
		contained[p.Name] = p.ContainerPort
	}
	if diff := cmp.Diff(map[string]int32{"http": 8080, "ops": 9090, "ext-authz": 9191}, contained); diff != "" {
		t.Errorf("container: -want +got:\n%s", diff)
	}
	var open []string
	for _, rule := range networkPolicy(s, "gatehouse-system").Spec.Ingress {
		for _, p := range rule.Ports {
			if len(rule.From) == 0 {
				open = append(open, p.Port.StrVal)
			}
		}
	}
	if diff := cmp.Diff([]string{"http", "ext-authz"}, open); diff != "" {
		t.Errorf("open to all: -want +got:\n%s", diff)
	}
}

// TestNetworkPolicy guards the operations port: a rule without peers would open it to everybody.
func TestNetworkPolicy(t *testing.T) {
	s := testServer()
	opsPeers := func(namespace string) (peers []networkingv1.NetworkPolicyPeer, open bool) {
		for _, rule := range networkPolicy(s, namespace).Spec.Ingress {
			if rule.Ports[0].Port.StrVal == portOps {
				return rule.From, true
			}
		}
		return nil, false
	}
	if _, open := opsPeers(""); open {
		t.Error("an operator outside the cluster: the operations port is open")
	}
	if peers, open := opsPeers("gatehouse-system"); !open || len(peers) != 1 || peers[0].NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"] != "gatehouse-system" {
		t.Errorf("the operator's namespace: %v", peers)
	}
	s.Spec.NetworkPolicy.OperationsFrom = []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{}}}
	if peers, _ := opsPeers("gatehouse-system"); len(peers) != 2 {
		t.Errorf("with a further peer: %v", peers)
	}
	s.Spec.NetworkPolicy.Enabled = ptr.To(false)
	if networkPolicy(s, "x") != nil {
		t.Error("there is one although it is turned off")
	}
}

// TestPodResources guards defaults and what is refused before the API server sees it.
func TestPodResources(t *testing.T) {
	for name, c := range map[string]struct {
		in                         *v1alpha1.Resources
		requestMemory, limit, heap string
		wantError                  string
	}{
		"defaults":                  {nil, "64Mi", "256Mi", "241591905", ""},
		"a limit":                   {&v1alpha1.Resources{Limits: v1alpha1.ResourceList{Memory: "1Gi"}}, "64Mi", "1Gi", "966367638", ""},
		"a limit below the default": {&v1alpha1.Resources{Limits: v1alpha1.ResourceList{Memory: "48Mi"}}, "48Mi", "48Mi", "45298476", ""},
		"a request above the limit": {&v1alpha1.Resources{Requests: v1alpha1.ResourceList{Memory: "1Gi"}}, "", "", "", "spec.resources.requests.memory: 1Gi is more than the limit of 256Mi"},
		"no amount":                 {&v1alpha1.Resources{Limits: v1alpha1.ResourceList{CPU: "1.5.5"}}, "", "", "", "spec.resources.limits.cpu"},
	} {
		r, err := podResources(c.in)
		if c.wantError != "" {
			if err == nil || !strings.Contains(err.Error(), c.wantError) {
				t.Errorf("%s: %v, want %q", name, err, c.wantError)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		request, limit := r.Requests[corev1.ResourceMemory], r.Limits[corev1.ResourceMemory]
		if request.String() != c.requestMemory || limit.String() != c.limit || memoryTarget(r) != c.heap {
			t.Errorf("%s: request %s, limit %s, GOMEMLIMIT %s", name, request.String(), limit.String(), memoryTarget(r))
		}
	}
}

// TestWithin guards what counts as drift.
func TestWithin(t *testing.T) {
	parse := func(s string) any {
		var v any
		if err := yaml.Unmarshal([]byte(s), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		wanted, have string
		want         bool
	}{
		{`{a: 1}`, `{a: 1, b: 2}`, true},
		{`{a: 1}`, `{a: 2}`, false},
		{`{a: {}}`, `{}`, true},
		{`{a: {b: 1}}`, `{}`, false},
		{`{l: []}`, `{}`, true},
		{`{l: [x]}`, `{l: [x, y]}`, false},
		{`{l: [x, y]}`, `{l: [y, x]}`, false},
		{`{c: [{name: a, image: i}]}`, `{c: [{name: sidecar}, {name: a, image: i, policy: p}]}`, true},
		{`{c: [{name: a, image: i}]}`, `{c: [{name: a, image: j}]}`, false},
		{`{c: [{name: a}]}`, `{c: []}`, false},
		{`{from: [{ns: a}]}`, `{}`, false},
	} {
		if got := within(parse(c.wanted), parse(c.have)); got != c.want {
			t.Errorf("%s within %s: %v", c.wanted, c.have, got)
		}
	}
}
