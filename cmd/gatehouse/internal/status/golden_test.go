// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// TestText guards what people see of every state, and the verdict that the exit code tells.
func TestText(t *testing.T) {
	fetching := condition("UpstreamReady", "Unknown", "NotYetFetched", "")
	unreachable := condition("UpstreamReady", "False", "Unreachable", "https://idp.globex.example/jwks: the name does not resolve: correct issuers[0].jwksURI")
	issued := condition("CredentialReady", "True", "Issued", "the Secret holds a token until 2026-11-22T09:00:00Z")
	expiring := condition("CredentialReady", "True", "BadStatus", "the token endpoint answers 503; the token of before is valid until 2026-11-22T08:10:00Z")
	cases := []struct {
		name      string
		objects   Objects
		style     Style
		namespace string
		ready     bool
	}{
		{name: "all-good", ready: true, objects: Objects{
			Servers:   []*v1alpha1.AuthServer{server("default")},
			Providers: []*v1alpha1.IdentityProvider{provider("default", "sso", "OIDC", good()), provider("default", "api", "JWTBearer", good(issued))},
			Policies:  []*v1alpha1.TenantJWTPolicy{policy("default", "acme", good(condition("UpstreamReady", "True", "Ready", "2 keys"))), policy("default", "globex", good(fetching))},
		}},
		{name: "warnings", ready: true, objects: Objects{
			Servers:   []*v1alpha1.AuthServer{server("default", func(s *v1alpha1.AuthServer) { s.Status.Applied, s.Status.AppliedReplicas = "1/2", 1 })},
			Providers: []*v1alpha1.IdentityProvider{provider("default", "api", "JWTBearer", good(expiring))},
			Policies:  []*v1alpha1.TenantJWTPolicy{policy("default", "acme", good()), policy("default", "globex", good(unreachable))},
		}},
		{name: "propagating", objects: Objects{
			Servers: []*v1alpha1.AuthServer{server("default", func(s *v1alpha1.AuthServer) {
				s.Status.Conditions = undelivered("Propagating", "1 of 2 ready pods has yet to confirm it: gatehouse-default-1")
				s.Status.Applied, s.Status.AppliedReplicas = "1/2", 1
			})},
			Policies: []*v1alpha1.TenantJWTPolicy{
				policy("default", "acme", undelivered("Propagating", "1 of 2 ready pods has yet to confirm it: gatehouse-default-1")), changed(policy("default", "globex", good())),
				young(policy("default", "hooli", nil)), forgotten(policy("default", "initech", nil)), dying(policy("default", "umbrella", good())),
			},
		}},
		{name: "stalled", objects: Objects{
			Servers: []*v1alpha1.AuthServer{server("default")},
			Providers: []*v1alpha1.IdentityProvider{
				provider("default", "google", "OIDC", refused("Accepted", "OpenToEveryone", "anybody can have an account there: say who may log in, such as claims.hd == 'example.com'")),
				provider("default", "staff", "Password", disabled()),
			},
			Policies: []*v1alpha1.TenantJWTPolicy{policy("default", "acme", refused("ResolvedRefs", "RefNotFound", "spec.issuers[0].keys[0].secretRef: Secret default/absent does not exist: create it, or correct the name"))},
			Events:   []corev1.Event{event("acme", "Ready: spec.issuers[0].keys[0].secretRef: told already", 1), event("acme", "something of its own", 3)},
		}},
		{name: "no-replicas", objects: Objects{
			Servers: []*v1alpha1.AuthServer{server("default", func(s *v1alpha1.AuthServer) {
				s.Status.Conditions = undelivered("NoReadyReplicas", "no pod of the auth server is ready")
				s.Status.Applied, s.Status.AppliedReplicas = "0/0", 0
			})},
			Policies: []*v1alpha1.TenantJWTPolicy{policy("default", "acme", undelivered("NoReadyReplicas", "no pod of the auth server is ready"))},
			Pods:     []corev1.Pod{crashing("gatehouse-default-1"), pending("gatehouse-default-2"), pending("other")},
		}},
		{name: "asked-pods", ready: true, objects: Objects{
			Servers:  []*v1alpha1.AuthServer{server("default")},
			Policies: []*v1alpha1.TenantJWTPolicy{policy("default", "acme", good(condition("UpstreamReady", "True", "Ready", "2 keys")))},
			Pods:     []corev1.Pod{running("gatehouse-default-1"), running("gatehouse-default-2"), running("gatehouse-default-3")},
			Answers: map[types.NamespacedName]Answer{
				{Namespace: "default", Name: "gatehouse-default-1"}: answer("a", "a", 4*time.Minute), {Namespace: "default", Name: "gatehouse-default-2"}: answer("b", "a", 9*time.Minute),
				{Namespace: "default", Name: "gatehouse-default-3"}: {Problem: "you may not ask it: that takes the verb get on pods/proxy in namespace default"},
			},
		}},
		{name: "empty", namespace: "team-a", ready: true},
		{name: "empty-everywhere", ready: true},
		{name: "other-namespaces", namespace: "default", ready: true, objects: Objects{
			Servers: []*v1alpha1.AuthServer{server("default", func(s *v1alpha1.AuthServer) {
				s.Spec.AllowedNamespaces.From, s.Status.TenantJWTPolicies = v1alpha1.NamespacesAll, 41
			})},
			Providers: []*v1alpha1.IdentityProvider{provider("default", "sso", "OIDC", good()), provider("default", "staff", "Password", good())},
			Policies:  []*v1alpha1.TenantJWTPolicy{policy("default", "acme", good())},
			Notes:     []string{"events are not shown: you may not list them in namespace default"},
		}},
		{name: "from-elsewhere", namespace: "team-a", objects: Objects{
			Unreadable: map[types.NamespacedName]bool{{Namespace: "default", Name: "default"}: true},
			Policies: []*v1alpha1.TenantJWTPolicy{
				policy("team-a", "team-a", good()), at(policy("team-a", "team-a.x", refused("Accepted", "NoMatchingAuthServer", "spec.authServerRef: there is no AuthServer team-a/edge")), "team-a", "edge"),
			},
		}},
		{name: "many", objects: Objects{Servers: []*v1alpha1.AuthServer{server("default")}, Policies: many(1200)}},
		{name: "ascii-narrow", style: Style{ASCII: true, Width: 60}, objects: Objects{
			Servers: []*v1alpha1.AuthServer{server("default")},
			Policies: []*v1alpha1.TenantJWTPolicy{
				policy("default", "acme", refused("Accepted", "Invalid", "spec.claimValidationRules[0].message: \x1b[31m租户必须是黄金会员\u202e and 界界界界界界界界界界界界界界界界界界界界界界界界界界界界界界界 more")),
			},
		}},
		{name: "verbose", style: Style{Verbose: true, Colour: true}, objects: Objects{
			Servers:  []*v1alpha1.AuthServer{server("default")},
			Policies: []*v1alpha1.TenantJWTPolicy{policy("default", "acme", refused("ResolvedRefs", "RefInvalid", "spec.issuers[0].keys[0].secretRef: no usable key")), policy("default", "globex", good(fetching))},
			Events:   []corev1.Event{event("acme", "Ready: spec.issuers[0].keys[0].secretRef: no usable key", 1)},
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.objects.Time = now
			r := NewReport(&c.objects)
			r.Namespace = c.namespace
			golden(t, c.name, Text(r, c.style, now))
			if r.Ready != c.ready {
				t.Errorf("ready is %v, want %v", r.Ready, c.ready)
			}
		})
	}
}

// TestSchema guards the documented schema of -o json.
func TestSchema(t *testing.T) {
	r := NewReport(&Objects{
		Time: now, Servers: []*v1alpha1.AuthServer{server("default")}, Pods: []corev1.Pod{running("gatehouse-default-1")},
		Answers:   map[types.NamespacedName]Answer{{Namespace: "default", Name: "gatehouse-default-1"}: answer("b", "a", time.Minute)},
		Providers: []*v1alpha1.IdentityProvider{provider("default", "sso", "OIDC", good())},
		Policies:  []*v1alpha1.TenantJWTPolicy{policy("default", "acme", refused("ResolvedRefs", "RefInvalid", "no usable key"))},
		Events:    []corev1.Event{event("acme", "something", 2)},
	})
	r.Context, r.Namespace = "prod", "default"
	text, err := JSON(r)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "schema.json", text)
	if text, err = YAML(r); err != nil {
		t.Fatal(err)
	}
	golden(t, "schema.yaml", text)
}

// TestOnlyProblems guards that --problems hides what is right and nothing else, and counts everything all the same.
func TestOnlyProblems(t *testing.T) {
	r := NewReport(&Objects{
		Time: now, Servers: []*v1alpha1.AuthServer{server("default"), server("edge")},
		Policies: append(many(40), policy("default", "warned", good(condition("ExamplesPassed", "False", "ExampleFailed", "examples[0]: rejected")))),
	})
	before := r.Summary
	r.OnlyProblems()
	golden(t, "only-problems", Text(r, Style{}, now))
	if r.Summary != before {
		t.Errorf("the summary changed from %+v to %+v", before, r.Summary)
	}
}

// changed is a policy whose spec the operator has yet to look at.
func changed(p *v1alpha1.TenantJWTPolicy) *v1alpha1.TenantJWTPolicy {
	p.Generation = 2
	return p
}

func young(p *v1alpha1.TenantJWTPolicy) *v1alpha1.TenantJWTPolicy {
	p.CreationTimestamp, p.Status.ObservedGeneration = ago(time.Second), -1
	return p
}

func forgotten(p *v1alpha1.TenantJWTPolicy) *v1alpha1.TenantJWTPolicy {
	p.Status.ObservedGeneration = -1
	return p
}

func dying(p *v1alpha1.TenantJWTPolicy) *v1alpha1.TenantJWTPolicy {
	since := ago(time.Minute)
	p.DeletionTimestamp, p.Finalizers = &since, []string{"example.com/audit"}
	return p
}

// at is a policy that names another AuthServer.
func at(p *v1alpha1.TenantJWTPolicy, namespace, name string) *v1alpha1.TenantJWTPolicy {
	p.Spec.AuthServerRef = v1alpha1.AuthServerReference{Namespace: namespace, Name: name}
	return p
}

func disabled() []metav1.Condition {
	c := good()
	c[3].Reason, c[3].Message = "Disabled", "enabled is false: every ready replica has stopped serving it"
	return c
}

// many are n policies, of which some in every hundred are not ready or have a warning.
func many(n int) []*v1alpha1.TenantJWTPolicy {
	var out []*v1alpha1.TenantJWTPolicy
	for i := range n {
		conditions := good()
		switch i % 100 {
		case 7, 8:
			conditions = refused("Accepted", "TenantConflict", "spec.tenantID: it already belongs to another")
		case 9:
			conditions = good(condition("UpstreamReady", "False", "TLSFailed", "the certificate has expired"))
		}
		out = append(out, policy("default", fmt.Sprintf("t-%04d", i), conditions))
	}
	return out
}

func event(name, message string, count int32) corev1.Event {
	return corev1.Event{
		InvolvedObject: corev1.ObjectReference{Kind: v1alpha1.KindTenantJWTPolicy, Namespace: "default", Name: name},
		Reason:         "Noticed", Message: message, EventTime: metav1.NewMicroTime(now.Add(-time.Hour)),
		Series: &corev1.EventSeries{Count: count, LastObservedTime: metav1.NewMicroTime(now.Add(-2 * time.Minute))},
	}
}

func pod(name string) corev1.Pod {
	started := ago(time.Hour)
	p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{v1alpha1.LabelServer: "default"}}}
	p.Status = corev1.PodStatus{Phase: corev1.PodRunning, StartTime: &started}
	return p
}

func running(name string) corev1.Pod {
	p := pod(name)
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	return p
}

func crashing(name string) corev1.Pod {
	p := pod(name)
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{RestartCount: 6, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
		Reason: "CrashLoopBackOff", Message: "back-off 5m0s restarting failed container",
	}}}}
	return p
}

func pending(name string) corev1.Pod {
	p := pod(name)
	p.Status = corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/3 nodes are available: 3 Insufficient memory.",
	}}}
	if name == "other" {
		p.Labels[v1alpha1.LabelServer] = "other"
	}
	return p
}

func answer(mounted, serving string, fetched time.Duration) Answer {
	return Answer{
		Files: map[string]File{"base.json": {Mounted: mounted, Serving: serving}, "keys.json": {Mounted: "k", Serving: "k"}},
		Objects: map[string]map[string]PodMessage{"TenantJWTPolicy/default/acme": {"UpstreamReady": {
			Status: "True", Reason: "Ready", Fetched: now.Add(-fetched),
		}}},
	}
}
