// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// heldFor is a token of one hour, asked for at statusTime.
func heldFor(source string) *held {
	return &held{source: source, issuedAt: statusTime, renewAt: statusTime.Add(50 * time.Minute), expiresAt: statusTime.Add(time.Hour)}
}

// TestCredentialDue guards when a token endpoint is asked: never without need, and never late.
func TestCredentialDue(t *testing.T) {
	failed := &failure{reason: "Unreachable", next: statusTime.Add(70 * time.Second)}
	briefly := &held{source: "s", issuedAt: statusTime, renewAt: statusTime.Add(time.Second), expiresAt: statusTime.Add(time.Second)}
	other := *briefly
	other.source = "old"
	for name, c := range map[string]struct {
		st    credentialState
		held  *held
		after time.Duration // the time of the look, from statusTime on
		want  time.Duration
	}{
		"nothing there":                     {credentialState{}, nil, 0, 0},
		"a token":                           {credentialState{}, heldFor("s"), time.Minute, 50 * time.Minute},
		"of another source":                 {credentialState{}, heldFor("old"), time.Minute, 0},
		"due while this process ran":        {credentialState{written: statusTime}, heldFor("s"), 50 * time.Minute, 0},
		"overdue at first sight":            {credentialState{}, heldFor("s"), 52 * time.Minute, 52*time.Minute + 15*time.Second},
		"about to end at first sight":       {credentialState{}, heldFor("s"), 60*time.Minute - 4*time.Second, 60*time.Minute - 3*time.Second},
		"ended at first sight":              {credentialState{}, heldFor("s"), 2 * time.Hour, 0},
		"of a life too short":               {credentialState{written: statusTime}, briefly, 2 * time.Second, minPause},
		"the same, in a new process":        {credentialState{}, briefly, 2 * time.Second, minPause},
		"the same, written late":            {credentialState{written: statusTime.Add(3 * time.Second)}, briefly, 4 * time.Second, 8 * time.Second},
		"the same, of another source":       {credentialState{written: statusTime}, &other, 2 * time.Second, 0},
		"the same, when it has paused":      {credentialState{written: statusTime}, briefly, minPause, 0},
		"after a failure":                   {credentialState{attempt: "a", failure: failed}, nil, time.Minute, 70 * time.Second},
		"after a failure of another demand": {credentialState{attempt: "b", failure: failed}, nil, time.Minute, 0},
		"deleted for the first time":        {credentialState{written: statusTime}, nil, time.Second, 0},
		"deleted again and again":           {credentialState{written: statusTime, restores: 3}, nil, time.Second, 4 * time.Second},
		"deleted many times":                {credentialState{written: statusTime, restores: 99}, nil, time.Second, time.Minute},
	} {
		now := statusTime.Add(c.after)
		due := c.st.due(c.held, demand{source: "s", attempt: "a"}, now, 0.5)
		if got := due.Sub(statusTime); got != c.want && (c.want != 0 || due.After(now)) {
			t.Errorf("%s: due %v after the token was issued, want %v", name, got, c.want)
		}
		if c.st.attempt != "a" {
			t.Errorf("%s: the demand is not noted", name)
		}
	}
	st := credentialState{}
	first := st.due(heldFor("s"), demand{source: "s"}, statusTime.Add(55*time.Minute), 0.9)
	if again := st.due(heldFor("s"), demand{source: "s"}, statusTime.Add(55*time.Minute+time.Second), 0.1); again != first {
		t.Errorf("an overdue renewal is postponed again, from %v to %v", first, again)
	}
}

// TestCredentialTooShort guards the API server from tokens that would be written all along, and workloads from those that end before they are seen.
func TestCredentialTooShort(t *testing.T) {
	for _, c := range []struct {
		life, took time.Duration
		want       string
	}{
		{minLife, 0, ""},
		{minLife, minLife - time.Second, ""},
		{minLife - time.Second, 0, "its tokens live 9s, too short for a Secret: have it give tokens of 10s or more"},
		{time.Second, 2 * time.Second, "its tokens live 1s"},
		{minLife, minLife, "had ended when it came"},
	} {
		err := tooShort(assertion.Token{Value: "v", IssuedAt: statusTime, ExpiresAt: statusTime.Add(c.life)}, statusTime.Add(c.took))
		var told *assertion.Error
		if errors.As(err, &told) != (c.want != "") || told != nil && (told.Reason != v1alpha1.ReasonBadContent || !strings.Contains(told.Message, c.want)) {
			t.Errorf("a life of %v, after %v: %v, want %q", c.life, c.took, err, c.want)
		}
	}
}

// TestCredentialPauses guards an endpoint that fails from being asked all along, and one that works again from being forgotten.
func TestCredentialPauses(t *testing.T) {
	st := credentialState{attempt: "a"}
	now := statusTime
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		st.fail(failure{reason: "Unreachable"}, now, 0, 1)
		if got := st.failure.next.Sub(now); got != want*time.Second {
			t.Errorf("after failure %d: %v, want %v", i+1, got, want*time.Second)
		}
	}
	st.fail(failure{}, now, 0, 0)
	if got := st.failure.next.Sub(now); got != 30*time.Second {
		t.Errorf("with the least jitter: %v", got)
	}
	st.fail(failure{}, now, 3*time.Minute, 0)
	if got := st.failure.next.Sub(now); got != 3*time.Minute {
		t.Errorf("the endpoint asked for 3 minutes: %v", got)
	}
	st.wrote(now, false)
	if st.fail(failure{}, now, 0, 1); st.failure.next.Sub(now) != time.Second {
		t.Error("a success does not end the row of failures")
	}
}

// TestCredentialDenied guards what the operator reaches and the AuthServer's namespace may not: every client that asks for tokens keeps to the operator's own list, and
// the condition says whose refusal it is.
func TestCredentialDenied(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer server.Close()
	maker, err := assertion.Compile(&config.Credential{
		Name: "n/api", Algorithm: "HS256", Key: json.RawMessage(`{"kty":"oct","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI"}`), Issuer: "i", Subject: "s", Audience: "a",
		Lifetime: config.Duration(time.Hour), TokenEndpoint: server.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, denied := range []bool{true, false} {
		o := Options{}
		if denied {
			o.CredentialDeniedCIDRs = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		}
		c := newCredentials(&Reconciler{options: o})
		client, failed := c.client(&config.Outbound{AllowedCIDRs: []string{"127.0.0.0/8", "10.0.0.0/8"}})
		if failed != nil {
			t.Fatal(failed.message)
		}
		_, err = maker.Obtain(t.Context(), client, time.Now, rand.Reader)
		var told *assertion.Error
		if !errors.As(err, &told) {
			t.Fatal(err)
		}
		if got := told.Reason == v1alpha1.ReasonAddressNotAllowed && strings.Contains(told.Message, "the operator refuses to dial"); got != denied {
			t.Errorf("denied %v: %v", denied, told)
		}
	}
	if asked != 1 {
		t.Errorf("the endpoint was asked %d times, want once: by the operator that denies nothing", asked)
	}
}

// TestCredentialCondition guards what people are told, and that the end of a token is told when it comes.
func TestCredentialCondition(t *testing.T) {
	failing := credentialState{failure: &failure{reason: "Unreachable", message: "no route", next: statusTime.Add(2 * time.Hour)}}
	for name, c := range map[string]struct {
		st     credentialState
		held   *held
		after  time.Duration
		status metav1.ConditionStatus
		reason string
		text   string
	}{
		"a token":                    {credentialState{}, heldFor("s"), 0, metav1.ConditionTrue, v1alpha1.ReasonIssued, "holds a token that is valid until " + statusTime.Add(time.Hour).UTC().Format(time.RFC3339)},
		"nothing yet":                {credentialState{}, nil, 0, "", "", ""},
		"failing, a token":           {failing, heldFor("s"), 0, metav1.ConditionTrue, "Unreachable", "there is no newer one: no route"},
		"failing, the token's end":   {failing, heldFor("s"), time.Hour, metav1.ConditionFalse, "Unreachable", "ended at"},
		"failing from the beginning": {failing, nil, 0, metav1.ConditionFalse, "Unreachable", "there is no token for Secret out: no route"},
		"undone again and again":     {credentialState{restores: 2}, nil, 0, metav1.ConditionFalse, v1alpha1.ReasonSecretNotWritten, "made anew"},
	} {
		got, ok := c.st.condition("out", c.held, statusTime.Add(c.after))
		if ok != (c.status != "") || (ok && (got.Status != c.status || got.Reason != c.reason)) || !strings.Contains(got.Message, c.text) {
			t.Errorf("%s: %v %+v", name, ok, got)
		}
	}
	h := heldFor("s")
	if next := failing.next(h, failing.failure.next, statusTime); next != h.expiresAt {
		t.Errorf("the next look is at %v, after the token's end", next)
	}
	if next := failing.next(h, failing.failure.next, statusTime.Add(90*time.Minute)); next != failing.failure.next {
		t.Errorf("after the token's end the next look is at %v", next)
	}
}

// TestOutputSecretIsRead guards the schedule that a new process takes over, and that what somebody else has set is told from what the operator wrote.
func TestOutputSecretIsRead(t *testing.T) {
	p := &v1alpha1.IdentityProvider{Spec: v1alpha1.IdentityProviderSpec{Type: v1alpha1.ProviderJWTBearer, JWTBearer: &v1alpha1.JWTBearerProvider{OutputSecretName: "out"}}}
	p.Name, p.UID = "api", "u"
	const ours = `{"f:data":{"f:token":{},"f:token_type":{},"f:expires_at":{},"f:authorization":{}},"f:metadata":{
		"f:annotations":{"f:auth.gatehouse.dev/issued-at":{},"f:auth.gatehouse.dev/renew-at":{},"f:auth.gatehouse.dev/expires-at":{},"f:auth.gatehouse.dev/source-hash":{}},
		"f:labels":{"f:app.kubernetes.io/managed-by":{},"f:app.kubernetes.io/component":{}}}}`
	without := func(field string) string { return strings.Replace(ours, field, "f:other", 1) }
	for name, c := range map[string]struct {
		manager, fields string
		annotation      string
		want            bool
	}{
		"as it was written":     {v1alpha1.FieldManager, ours, "", true},
		"by somebody else":      {"kubectl-edit", ours, "", false},
		"a token of another":    {v1alpha1.FieldManager, without("f:token"), "", false},
		"a type of another":     {v1alpha1.FieldManager, without("f:token_type"), "", false},
		"a header of another":   {v1alpha1.FieldManager, without("f:authorization"), "", false},
		"an end of another":     {v1alpha1.FieldManager, without("f:auth.gatehouse.dev/expires-at"), "", false},
		"a label of another":    {v1alpha1.FieldManager, without("f:app.kubernetes.io/component"), "", false},
		"fields without sense":  {v1alpha1.FieldManager, "{", "", false},
		"a schedule of no time": {v1alpha1.FieldManager, ours, v1alpha1.AnnotationRenewAt, false},
		"no source":             {v1alpha1.FieldManager, ours, v1alpha1.AnnotationSourceHash, false},
	} {
		h := heldFor("s")
		s := outputSecret(p, assertion.Token{Value: "v", Type: "Bearer", ExpiresAt: h.expiresAt}, h)
		s.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: c.manager, FieldsV1: metav1.NewFieldsV1(c.fields)}}
		if c.annotation != "" {
			s.Annotations[c.annotation] = ""
		}
		got := heldBy(s)
		if (got != nil) != c.want {
			t.Errorf("%s: %+v, want it read: %v", name, got, c.want)
		}
		if got != nil && (got.source != "s" || !got.renewAt.Equal(h.renewAt) || !got.expiresAt.Equal(h.expiresAt) || !got.issuedAt.Equal(h.issuedAt)) {
			t.Errorf("%s: %+v, want %+v", name, got, h)
		}
	}
}

// TestSourceHash guards what makes a token stale: what shapes it, and the Secrets with its keys, and nothing else.
func TestSourceHash(t *testing.T) {
	base := v1alpha1.JWTBearerProvider{
		KeySecretRef: v1alpha1.SecretKeyReference{Name: "key", Key: "k"}, ClientSecretRef: &v1alpha1.SecretKeyReference{Name: "client", Key: "k"}, Issuer: "i",
	}
	hash := func(change func(*v1alpha1.JWTBearerProvider), key, client string) string {
		p := &v1alpha1.IdentityProvider{}
		p.Spec.JWTBearer = base.DeepCopy()
		change(p.Spec.JWTBearer)
		versions := map[string]string{"key": key, "client": client}
		out, err := sourceHash(p, versionsBy(versions))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	same := func(*v1alpha1.JWTBearerProvider) {}
	first := hash(same, "1", "2")
	for name, c := range map[string]struct {
		got   string
		other bool
	}{
		"the same":       {hash(same, "1", "2"), false},
		"the Secret":     {hash(func(b *v1alpha1.JWTBearerProvider) { b.OutputSecretName = "x" }, "1", "2"), false},
		"the callers":    {hash(func(b *v1alpha1.JWTBearerProvider) { b.AllowedCallers = "true" }, "1", "2"), false},
		"the issuer":     {hash(func(b *v1alpha1.JWTBearerProvider) { b.Issuer = "x" }, "1", "2"), true},
		"a parameter":    {hash(func(b *v1alpha1.JWTBearerProvider) { b.Parameters = []v1alpha1.TokenParameter{{Name: "a"}} }, "1", "2"), true},
		"the key":        {hash(same, "3", "2"), true},
		"the client":     {hash(same, "1", "3"), true},
		"both exchanged": {hash(same, "2", "1"), true},
	} {
		if (c.got != first) != c.other {
			t.Errorf("%s makes the token stale: %v, want %v", name, c.got != first, c.other)
		}
	}
}
