// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// What an API server seldom does, or does in an order that a test cannot bring about, is played here by a fake client; all
// else is tested against a real one (suite_test.go).

type builderIndexer struct{ b *fake.ClientBuilder }

func (i builderIndexer) IndexField(_ context.Context, o client.Object, field string, extract client.IndexerFunc) error {
	i.b.WithIndex(o, field, extract)
	return nil
}

// play makes a Reconciler over objects. Its clock stands at statusTime plus *ahead.
func play(t *testing.T, ahead *time.Duration, funcs interceptor.Funcs, objects ...client.Object) *Reconciler {
	t.Helper()
	b := fake.NewClientBuilder().WithScheme(NewScheme()).WithObjects(objects...).WithInterceptorFuncs(funcs).
		WithStatusSubresource(&v1alpha1.AuthServer{}, &v1alpha1.IdentityProvider{}, &v1alpha1.TenantJWTPolicy{})
	if err := errors.Join(addIndexes(t.Context(), builderIndexer{b}), addCredentialIndexes(t.Context(), builderIndexer{b})); err != nil {
		t.Fatal(err)
	}
	c := b.Build()
	o := Options{Image: "image", Now: func() time.Time {
		if ahead == nil {
			return statusTime
		}
		return statusTime.Add(*ahead)
	}}
	return &Reconciler{client: c, live: c, recorder: events.NewFakeRecorder(100), options: o.withDefaults(), states: newStates(), audit: &audit{options: o.withDefaults()}, log: logr.Discard()}
}

func policyOf(server string) *v1alpha1.TenantJWTPolicy {
	return &v1alpha1.TenantJWTPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "acme", UID: "p", Generation: 1},
		Spec: v1alpha1.TenantJWTPolicySpec{
			TenantID: "acme", AuthServerRef: v1alpha1.AuthServerReference{Name: server},
			Issuers: []v1alpha1.Issuer{{Issuer: "https://acme.example", JWKSURI: "https://acme.example/keys"}},
		},
		Status: v1alpha1.ObjectStatus{ObservedGeneration: -1},
	}
}

func serverNamed(name, uid string) *v1alpha1.AuthServer {
	return &v1alpha1.AuthServer{ObjectMeta: metav1.ObjectMeta{
		Namespace: "n", Name: name, UID: types.UID(uid), Generation: 1, CreationTimestamp: metav1.NewTime(statusTime),
	}}
}

func request(server string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "n", Name: server}}
}

// stored returns a condition of the policy as it is stored, with its reason and message; Unknown when there is none.
func stored(t *testing.T, r *Reconciler, kind string) metav1.Condition {
	t.Helper()
	var p v1alpha1.TenantJWTPolicy
	if err := r.client.Get(t.Context(), types.NamespacedName{Namespace: "n", Name: "acme"}, &p); err != nil {
		t.Fatal(err)
	}
	if c := meta.FindStatusCondition(p.Status.Conditions, kind); c != nil {
		return *c
	}
	return metav1.Condition{Status: metav1.ConditionUnknown}
}

// TestStatusConflict guards a status that meets our own previous one, which the cache does not show yet: no event comes, as
// status alone starts nothing.
func TestStatusConflict(t *testing.T) {
	conflicts := 1
	r := play(t, nil, interceptor.Funcs{SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
		if conflicts--; conflicts >= 0 {
			return apierrors.NewConflict(schema.GroupResource{Resource: "tenantjwtpolicies"}, o.GetName(), errors.New("changed"))
		}
		return c.SubResource(sub).Patch(ctx, o, patch, opts...)
	}}, policyOf("absent"))
	result, err := r.Reconcile(t.Context(), request("absent"))
	if err != nil || result.RequeueAfter != r.options.Timing.Poll {
		t.Fatalf("after a conflict: %v, %v; want another attempt in %v", result, err, r.options.Timing.Poll)
	}
	if result, err = r.Reconcile(t.Context(), request("absent")); err != nil || result.RequeueAfter != 0 {
		t.Fatalf("after the second attempt: %v, %v", result, err)
	}
	if c := stored(t, r, v1alpha1.ConditionAccepted); c.Reason != v1alpha1.ReasonNoMatchingAuthServer {
		t.Errorf("the policy was told %q", c.Reason)
	}
}

// TestStatusRefused guards that one status which the API server does not take, or cannot write, keeps no other from being written,
// and that what no retry can mend does not turn the pace of looking at pods into that of retries.
func TestStatusRefused(t *testing.T) {
	for name, c := range map[string]struct {
		refusal error
		fails   bool
	}{
		"refused": {apierrors.NewInvalid(schema.GroupKind{Kind: "TenantJWTPolicy"}, "acme", nil), false},
		"failed":  {apierrors.NewInternalError(errors.New("no")), true},
	} {
		r := play(t, nil, interceptor.Funcs{SubResourcePatch: func(ctx context.Context, k client.Client, sub string, o client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			if o.GetName() == "acme" {
				return c.refusal
			}
			return k.SubResource(sub).Patch(ctx, o, patch, opts...)
		}}, policyOf("edge"), serverNamed("edge", "s"))
		g, err := r.gather(t.Context(), request("edge").NamespacedName)
		if err != nil {
			t.Fatal(err)
		}
		st := r.states.of(g.name)
		st.last = &pass{hash: "h", versions: versions(g), verdicts: map[render.Key]render.Verdict{keyOf(g.server): good, keyOf(g.policies[0]): good}}
		if _, err := r.report(t.Context(), st, g, observation{}); (err != nil) != c.fails {
			t.Errorf("%s: %v", name, err)
		}
		var server v1alpha1.AuthServer
		if err := r.client.Get(t.Context(), g.name, &server); err != nil || server.Status.ObservedGeneration != 1 {
			t.Errorf("%s: the AuthServer's status was not written: %+v, %v", name, server.Status, err)
		}
	}
}

// TestCannotCreate guards that objects are told, in time, why the AuthServer that they wait for is not made.
func TestCannotCreate(t *testing.T) {
	var ahead time.Duration
	r := play(t, &ahead, interceptor.Funcs{Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error {
		return apierrors.NewForbidden(schema.GroupResource{Resource: "authservers"}, "default", errors.New("exceeded quota"))
	}}, policyOf("default"), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "n"}})
	if _, err := r.Reconcile(t.Context(), request("default")); err == nil {
		t.Error("a failed create is not tried again")
	}
	if c := stored(t, r, v1alpha1.ConditionReady); c.Status != metav1.ConditionUnknown {
		t.Errorf("a moment's failure is told: %+v", c)
	}
	ahead = r.options.Timing.Trouble
	result, err := r.Reconcile(t.Context(), request("default"))
	if err != nil || result.RequeueAfter != r.options.retry() {
		t.Errorf("a lasting failure: %v, %v", result, err)
	}
	if c := stored(t, r, v1alpha1.ConditionReady); c.Reason != v1alpha1.ReasonPropagating || !strings.Contains(c.Message, "exceeded quota") || c.ObservedGeneration != 1 {
		t.Errorf("a lasting failure is told as %+v", c)
	}
}

// TestServerRefused guards the status of an AuthServer whose last good settings stay in force: it says nothing of this
// generation's delivery, and the same again is the same value.
func TestServerRefused(t *testing.T) {
	var ahead time.Duration
	r := play(t, &ahead, interceptor.Funcs{})
	v := good
	v.ResolvedRefs = render.Condition{Reason: v1alpha1.ReasonRefNotFound, Message: "spec.outbound.caBundleRef: absent"}
	server := serverNamed("edge", "s")
	server.Status.Conditions = r.serverStatus(&gathered{server: server}, &pass{hash: "h"}, &good, applied, observation{}).Conditions
	if !meta.IsStatusConditionTrue(server.Status.Conditions, v1alpha1.ConditionReady) {
		t.Fatal("not Ready at first")
	}
	first := r.serverStatus(&gathered{server: server}, &pass{hash: "h"}, &v, applied, observation{})
	if c := meta.FindStatusCondition(first.Conditions, v1alpha1.ConditionConfigApplied); c != nil {
		t.Errorf("ConfigApplied is told: %+v", c)
	}
	if c := meta.FindStatusCondition(first.Conditions, v1alpha1.ConditionReady); c == nil || c.Reason != v1alpha1.ReasonRefNotFound {
		t.Errorf("Ready is %+v", c)
	}
	server.Status, ahead = first, time.Hour
	if diff := cmp.Diff(first, r.serverStatus(&gathered{server: server}, &pass{hash: "h"}, &v, applied, observation{})); diff != "" {
		t.Errorf("looking again writes: %s", diff)
	}
}
