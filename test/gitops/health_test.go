// SPDX-License-Identifier: Apache-2.0

package gitops_test

import (
	"os"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

const script = "../../config/gitops/argocd/health.lua"

// condition is one of the operator's, of generation 2.
func condition(kind string, value metav1.ConditionStatus, reason string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: value, Reason: reason, Message: "because", ObservedGeneration: 2}
}

func TestHealth(t *testing.T) {
	const yes, no = metav1.ConditionTrue, metav1.ConditionFalse
	tests := []struct {
		name     string
		observed int64
		status   []metav1.Condition
		flux     status.Status
		argo     string
	}{
		{"new", -1, nil, status.InProgressStatus, "Progressing"},
		{"enforced", 2, []metav1.Condition{
			condition(v1alpha1.ConditionAccepted, yes, v1alpha1.ReasonAccepted),
			condition(v1alpha1.ConditionResolvedRefs, yes, v1alpha1.ReasonResolvedRefs),
			condition(v1alpha1.ConditionConfigApplied, yes, v1alpha1.ReasonApplied),
			condition(v1alpha1.ConditionReady, yes, v1alpha1.ReasonReady),
		}, status.CurrentStatus, "Healthy"},
		{"changed since", 1, []metav1.Condition{
			condition(v1alpha1.ConditionReady, yes, v1alpha1.ReasonReady),
		}, status.InProgressStatus, "Progressing"},
		{"propagating", 2, []metav1.Condition{
			condition(v1alpha1.ConditionConfigApplied, no, v1alpha1.ReasonPropagating),
			condition(v1alpha1.ConditionReady, no, v1alpha1.ReasonPropagating),
		}, status.InProgressStatus, "Progressing"},
		{"refused", 2, []metav1.Condition{
			condition(v1alpha1.ConditionAccepted, no, v1alpha1.ReasonTenantConflict),
			condition(v1alpha1.ConditionReady, no, v1alpha1.ReasonTenantConflict),
			condition(v1alpha1.ConditionStalled, yes, v1alpha1.ReasonTenantConflict),
		}, status.FailedStatus, "Degraded"},
		{"Secret missing", 2, []metav1.Condition{
			condition(v1alpha1.ConditionResolvedRefs, no, v1alpha1.ReasonRefNotFound),
			condition(v1alpha1.ConditionReady, no, v1alpha1.ReasonRefNotFound),
			condition(v1alpha1.ConditionStalled, yes, v1alpha1.ReasonRefNotFound),
		}, status.FailedStatus, "Degraded"},
		{"disabled", 2, []metav1.Condition{
			condition(v1alpha1.ConditionAccepted, yes, v1alpha1.ReasonDisabled),
			condition(v1alpha1.ConditionReady, yes, v1alpha1.ReasonDisabled),
		}, status.CurrentStatus, "Healthy"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			u := object(t, test.observed, test.status)
			result, err := status.Compute(u)
			if err != nil {
				t.Fatal(err)
			}
			if result.Status != test.flux {
				t.Errorf("Flux sees %s (%s), want %s", result.Status, result.Message, test.flux)
			}
			if got := argo(t, u); got != test.argo {
				t.Errorf("Argo CD sees %s, want %s", got, test.argo)
			}
		})
	}
}

func object(t *testing.T, observed int64, conditions []metav1.Condition) *unstructured.Unstructured {
	t.Helper()
	policy := &v1alpha1.TenantJWTPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindTenantJWTPolicy},
		ObjectMeta: metav1.ObjectMeta{Name: "acme", Namespace: "default", Generation: 2},
		Status:     v1alpha1.ObjectStatus{ObservedGeneration: observed, Conditions: conditions},
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(policy)
	if err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: content}
}

// argo runs health.lua as Argo CD does: the object is the global obj, the answer a table with status and message.
func argo(t *testing.T, u *unstructured.Unstructured) string {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{lua.BaseLibName: lua.OpenBase, lua.StringLibName: lua.OpenString} {
		state.Push(state.NewFunction(open))
		state.Push(lua.LString(name))
		state.Call(1, 0)
	}
	state.SetGlobal("obj", value(state, u.Object))
	if err := state.DoFile(script); err != nil {
		t.Fatal(err)
	}
	answer, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("health.lua returned %s, want a table", state.Get(-1).Type())
	}
	if answer.RawGetString("message").String() == "" {
		t.Error("health.lua returned no message")
	}
	return answer.RawGetString("status").String()
}

func value(state *lua.LState, v any) lua.LValue {
	switch v := v.(type) {
	case map[string]any:
		table := state.NewTable()
		for key, member := range v {
			table.RawSetString(key, value(state, member))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, member := range v {
			table.Append(value(state, member))
		}
		return table
	case string:
		return lua.LString(v)
	case int64:
		return lua.LNumber(v)
	case bool:
		return lua.LBool(v)
	default:
		return lua.LNil
	}
}

// The ConfigMap that people install must hold the tested script.
func TestConfigMapHoldsTheScript(t *testing.T) {
	want, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("../../config/gitops/argocd/argocd-cm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var settings corev1.ConfigMap
	if err := yaml.UnmarshalStrict(data, &settings); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{v1alpha1.KindAuthServer, v1alpha1.KindIdentityProvider, v1alpha1.KindTenantJWTPolicy} {
		if settings.Data["resource.customizations.health.auth.gatehouse.dev_"+kind] != string(want) {
			t.Errorf("the script of %s is not health.lua: paste it anew", kind)
		}
	}
}
