// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
)

// TestCredentialMetrics guards what alerts go by: each provider counts once, as what it is at the scrape, until it is gone, and no series names one.
func TestCredentialMetrics(t *testing.T) {
	now := statusTime
	states := credentialStates{m: map[types.NamespacedName]*credentialState{}}
	m := newCredentialMetrics(&states, func() time.Time { return now })
	registry := prometheus.NewPedanticRegistry()
	if err := m.register(registry); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		held   *held
		failed bool
	}{"good": {heldFor("s"), false}, "good2": {heldFor("s"), false}, "failing": {heldFor("s"), true}, "none": {nil, true}, "new": {nil, false}} {
		p := &v1alpha1.IdentityProvider{}
		p.Name, p.UID = name, types.UID(name)
		st := states.of(p, now)
		if c.failed {
			st.fail(failure{}, now, 0, 0)
		}
		states.note(st, c.held)
	}
	for _, err := range []error{nil, nil, &assertion.Error{Reason: assertion.ReasonRequestRefused}, &assertion.Error{Reason: assertion.ReasonUnreachable}, errors.New("other")} {
		m.asked(err)
	}
	want := func(valid, failing, expired float64) {
		t.Helper()
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, f := range families {
			for _, series := range f.GetMetric() {
				for _, label := range series.GetLabel() {
					got[f.GetName()+" "+label.GetName()+"="+label.GetValue()] = series.GetGauge().GetValue() + series.GetCounter().GetValue()
				}
			}
		}
		if diff := cmp.Diff(map[string]float64{
			"gatehouse_operator_credential_requests_total result=failed": 2, "gatehouse_operator_credential_requests_total result=issued": 2,
			"gatehouse_operator_credential_requests_total result=refused": 1,
			"gatehouse_operator_credentials state=valid":                  valid, "gatehouse_operator_credentials state=failing": failing,
			"gatehouse_operator_credentials state=expired": expired,
		}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	want(2, 1, 2)
	states.drop(types.NamespacedName{Name: "good2"})
	want(1, 1, 2)
	now = now.Add(time.Hour)
	want(0, 0, 4)
}
