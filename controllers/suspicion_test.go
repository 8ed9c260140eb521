// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// lists is a reader that holds policies, by name with their versions, and counts its answers.
type lists struct {
	client.Reader
	version  string
	policies map[string]string
	asked    int
}

func (l *lists) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	l.asked++
	list.SetResourceVersion(l.version)
	switch list := list.(type) {
	case *v1alpha1.TenantJWTPolicyList:
		for name, version := range l.policies {
			list.Items = append(list.Items, v1alpha1.TenantJWTPolicy{ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: version}})
		}
	case *metav1.PartialObjectMetadataList:
		if list.Kind == v1alpha1.KindTenantJWTPolicy+"List" {
			for name, version := range l.policies {
				list.Items = append(list.Items, metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: version}})
			}
		}
	}
	return nil
}

// TestSuspicion guards that caches decide nothing after a request without answer, until the API server agrees with them.
func TestSuspicion(t *testing.T) {
	suspicion := &Suspicion{}
	cached := &lists{policies: map[string]string{"acme": "10", "umbrella": "20"}}
	live := &lists{version: "30", policies: map[string]string{"acme": "10", "umbrella": "20"}}
	a := &audit{client: cached, live: live, options: Options{Suspicion: suspicion}, log: logr.Discard()}
	trusts := func(why string, want bool) {
		t.Helper()
		if got := a.trusts(t.Context()); got != want {
			t.Errorf("%s: trusts is %v", why, got)
		}
	}

	trusts("nothing happened", true)
	if live.asked != 0 {
		t.Error("the API server was asked without a reason")
	}
	raise(t, suspicion, errors.New("connection refused"))
	live.version, live.policies = "31", map[string]string{"acme": "10"}
	trusts("the cache shows a policy that is gone", false)
	live.version, live.policies = "32", map[string]string{"acme": "10", "umbrella": "20", "hooli": "31"}
	trusts("the cache does not show a policy yet", false)
	cached.policies["hooli"] = "31"
	trusts("they agree", true)
	asked := live.asked
	trusts("they agreed", true)
	if live.asked != asked {
		t.Error("the API server was asked again without a reason")
	}
	raise(t, suspicion, context.Canceled)
	trusts("a request was given up by its caller", true)
	raise(t, suspicion, errors.New("connection refused"))
	live.version = "29"
	trusts("the history went back", false)
}

// raise sends one request that ends with err.
func raise(t *testing.T, s *Suspicion, err error) {
	t.Helper()
	config := &rest.Config{}
	s.Observe(config)
	request, problem := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example", http.NoBody)
	if problem != nil {
		t.Fatal(problem)
	}
	response, got := config.WrapTransport(roundTripper(func(*http.Request) (*http.Response, error) { return nil, err })).RoundTrip(request)
	if response != nil {
		_ = response.Body.Close()
	}
	if !errors.Is(got, err) {
		t.Errorf("the transport answered %v, want %v", got, err)
	}
}
