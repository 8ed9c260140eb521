// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

func versionsBy(names map[string]string) func(render.Ref) string {
	return func(ref render.Ref) string { return names[ref.Name] }
}

func bearerOf(server string) *v1alpha1.IdentityProvider {
	return &v1alpha1.IdentityProvider{
		ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "api", UID: "u", Generation: 1},
		Spec: v1alpha1.IdentityProviderSpec{
			Type: v1alpha1.ProviderJWTBearer, AuthServerRef: v1alpha1.AuthServerReference{Name: server},
			JWTBearer: &v1alpha1.JWTBearerProvider{
				OutputSecretName: "out", KeySecretRef: v1alpha1.SecretKeyReference{Name: "key", Key: "k"}, Algorithm: "HS256", Issuer: "i",
			},
		},
	}
}

// TestStatusOfTwo guards the conditions of a provider, which two reconcilers write: one that has read an older object writes nothing, whichever of the two it is, and tries
// again.
func TestStatusOfTwo(t *testing.T) {
	r := play(t, nil, interceptor.Funcs{}, bearerOf("edge"))
	c := newCredentials(r)
	name := types.NamespacedName{Namespace: "n", Name: "api"}
	read := func() *v1alpha1.IdentityProvider {
		var p v1alpha1.IdentityProvider
		if err := r.client.Get(t.Context(), name, &p); err != nil {
			t.Fatal(err)
		}
		return &p
	}
	fanIn := func(p *v1alpha1.IdentityProvider, v render.Verdict) time.Duration {
		again, err := r.writeObject(t.Context(), p, objectStatus(p.Status, p.Generation, &v, applied, upstreams{}, statusTime))
		if err != nil {
			t.Fatal(err)
		}
		return again
	}
	credential := func(p *v1alpha1.IdentityProvider, condition *metav1.Condition) time.Duration {
		again, err := c.write(t.Context(), p, condition)
		if err != nil {
			t.Fatal(err)
		}
		return again
	}
	kinds := func() string {
		var out []string
		for _, c := range read().Status.Conditions {
			out = append(out, c.Type)
		}
		return strings.Join(out, " ")
	}
	ready := &metav1.Condition{Type: v1alpha1.ConditionCredentialReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonIssued}

	older := read()
	if again := fanIn(read(), good); again != 0 {
		t.Fatal("the first write of all conflicts")
	}
	if again := credential(older, ready); again != r.options.Timing.Poll {
		t.Errorf("over the other's conditions: again in %v", again)
	}
	all := kinds()
	older = read()
	if credential(read(), ready); kinds() != all+" CredentialReady" {
		t.Errorf("then there are %s, want %s CredentialReady", kinds(), all)
	}
	refused := good
	refused.Accepted = render.Condition{Reason: v1alpha1.ReasonInvalid}
	if again := fanIn(older, refused); again != r.options.Timing.Poll {
		t.Errorf("over CredentialReady: again in %v", again)
	}
	if fanIn(read(), refused); !strings.Contains(kinds(), "CredentialReady") || !strings.Contains(kinds(), "Stalled") {
		t.Errorf("refused: %s", kinds())
	}
	if credential(read(), nil); strings.Contains(kinds(), "CredentialReady") || !strings.Contains(kinds(), "Stalled") {
		t.Errorf("withdrawn: %s", kinds())
	}
}

// TestSecretIsWrittenOverWhatWasFound guards Secrets of others: a write names the object and the version that was found to be ours, so that whatever has taken its place is
// not touched; and where there was none, it only creates.
func TestSecretIsWrittenOverWhatWasFound(t *testing.T) {
	p := bearerOf("edge")
	token := assertion.Token{Value: "new", Type: "Bearer", ExpiresAt: statusTime.Add(time.Hour)}
	theirs := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "out", UID: "theirs"}, Data: map[string][]byte{"mine": []byte("yes")}}
	var sent []string
	refusal := error(nil)
	r := play(t, nil, interceptor.Funcs{
		Apply: func(_ context.Context, _ client.WithWatch, o runtime.ApplyConfiguration, _ ...client.ApplyOption) error {
			var u metav1.PartialObjectMetadata
			encoded, err := json.Marshal(o)
			if err != nil || json.Unmarshal(encoded, &u) != nil {
				t.Error("what is applied cannot be read")
			}
			sent = append(sent, "apply "+string(u.UID)+" "+u.ResourceVersion)
			return refusal
		},
		Delete: func(_ context.Context, _ client.WithWatch, _ client.Object, opts ...client.DeleteOption) error {
			var o client.DeleteOptions
			o.ApplyOptions(opts)
			sent = append(sent, "delete "+string(*o.Preconditions.UID)+" "+*o.Preconditions.ResourceVersion)
			return nil
		},
	}, theirs)
	c := newCredentials(r)
	if err := c.store(t.Context(), foundSecret{}, outputSecret(p, token, heldFor("s"))); !errors.Is(err, errGone) {
		t.Errorf("over one that came meanwhile: %v", err)
	}
	found := foundSecret{uid: "ours", version: "7"}
	if err := c.store(t.Context(), found, outputSecret(p, token, heldFor("s"))); err != nil {
		t.Error(err)
	}
	refusal = apierrors.NewInvalid(schema.GroupKind{Kind: "Secret"}, "out", nil)
	if err := c.store(t.Context(), found, outputSecret(p, token, heldFor("s"))); !errors.Is(err, errGone) {
		t.Errorf("one that takes no change: %v", err)
	}
	if diff := cmp.Diff([]string{"apply ours 7", "apply ours 7", "delete ours 7"}, sent); diff != "" {
		t.Error(diff)
	}
	var s corev1.Secret
	if err := r.client.Get(t.Context(), client.ObjectKeyFromObject(theirs), &s); err != nil || len(s.Data) != 1 || len(s.OwnerReferences) > 0 {
		t.Errorf("there is %v, %v", s.Data, err)
	}
}

// TestRefusedSecretTellsNoToken guards conditions and logs: the words of an API server, and of the webhooks behind it, can hold what they were sent.
func TestRefusedSecretTellsNoToken(t *testing.T) {
	const leaked = "s3cret-token"
	secrets := schema.GroupResource{Resource: "secrets"}
	for name, row := range map[string]struct {
		refusal error
		told    bool
	}{
		"a webhook":   {apierrors.NewForbidden(secrets, "out", errors.New("denied: "+leaked)), true},
		"an invalid":  {apierrors.NewInvalid(schema.GroupKind{Kind: "Secret"}, leaked, nil), true},
		"a failure":   {apierrors.NewInternalError(errors.New("webhook: " + leaked)), false},
		"no patience": {apierrors.NewTooManyRequests(leaked, 1), false},
	} {
		r := play(t, nil, interceptor.Funcs{Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error {
			return row.refusal
		}})
		c := newCredentials(r)
		l := &credentialLook{provider: bearerOf("edge"), st: &credentialState{}}
		token := assertion.Token{Value: leaked, Type: "Bearer", IssuedAt: statusTime, ExpiresAt: statusTime.Add(time.Hour)}
		_, err := c.keepToken(t.Context(), l, token, heldFor("s"))
		if (err == nil) != row.told || (l.st.failure != nil) != row.told {
			t.Errorf("%s: %v, %+v", name, err, l.st.failure)
			continue
		}
		var message string
		if err != nil {
			message = err.Error()
		} else {
			message = l.st.failure.message
			if l.st.failure.reason != v1alpha1.ReasonSecretNotWritten {
				t.Errorf("%s: reason %s", name, l.st.failure.reason)
			}
		}
		if strings.Contains(message, leaked) || message == "" {
			t.Errorf("%s: %q", name, message)
		}
	}
}

// TestCredentialWaitsForDefiniteAnswers guards a token that is valid: while it is unclear what a provider names, nothing is asked for, and nothing is said.
func TestCredentialWaitsForDefiniteAnswers(t *testing.T) {
	for name, row := range map[string]struct {
		answer error
		wants  string
	}{
		"a failed read":      {apierrors.NewInternalError(errors.New("no")), "reading Secret n/key"},
		"forbidden just now": {apierrors.NewForbidden(schema.GroupResource{}, "key", errors.New("no")), errUnsettled.Error()},
	} {
		r := play(t, nil, interceptor.Funcs{Get: func(ctx context.Context, k client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if _, ok := o.(*corev1.Secret); ok && key.Name == "key" {
				return row.answer
			}
			return k.Get(ctx, key, o, opts...)
		}}, bearerOf("edge"), serverNamed("edge", "s"))
		c := newCredentials(r)
		_, _, err := c.keep(t.Context(), types.NamespacedName{Namespace: "n", Name: "api"})
		if err == nil || !strings.Contains(err.Error(), row.wants) {
			t.Errorf("%s: %v", name, err)
		}
		var p v1alpha1.IdentityProvider
		if err := r.client.Get(t.Context(), types.NamespacedName{Namespace: "n", Name: "api"}, &p); err != nil || len(p.Status.Conditions) > 0 {
			t.Errorf("%s: it is told %+v, %v", name, p.Status.Conditions, err)
		}
	}
}

// TestSuspiciousCredentials guards what is written after an outage of the API server: nothing, until the caches are known to be right.
func TestSuspiciousCredentials(t *testing.T) {
	r := play(t, nil, interceptor.Funcs{Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
		t.Error("something is read")
		return errors.New("no")
	}}, bearerOf("edge"))
	suspicion := &Suspicion{}
	suspicion.raised.Add(1)
	r.audit.options.Suspicion = suspicion
	again, waits, err := newCredentials(r).keep(t.Context(), types.NamespacedName{Namespace: "n", Name: "api"})
	if again != suspicionTick || waits || err != nil {
		t.Errorf("%v, %v, %v", again, waits, err)
	}
}
