// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// holds tells whether an object that somebody changed still has every value that we want. Fields that we do not set
// are theirs: the API server's defaults, status, an annotation of `kubectl rollout restart`. Of Secrets only metadata is
// known, so any change of one counts.
func holds(have client.Object, wanted *unstructured.Unstructured) bool {
	if _, ok := have.(*metav1.PartialObjectMetadata); ok {
		return false
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(have)
	if err != nil {
		return false
	}
	w := make(map[string]any, len(wanted.Object))
	for k, v := range wanted.Object {
		if k != "apiVersion" && k != "kind" { // typed objects from a cache have neither
			w[k] = v
		}
	}
	return within(w, content)
}

// within tells whether every value of wanted is in have. Members of lists are matched by name, port or IP where they have one,
// as server-side apply merges them, else by place.
func within(wanted, have any) bool {
	switch w := wanted.(type) {
	case map[string]any:
		h, ok := have.(map[string]any)
		if !ok {
			return len(w) == 0 && have == nil
		}
		for k, v := range w {
			if !within(v, h[k]) {
				return false
			}
		}
		return true
	case []any:
		h, ok := have.([]any)
		if !ok {
			return len(w) == 0 && have == nil
		}
		return listWithin(w, h)
	default:
		return reflect.DeepEqual(wanted, have)
	}
}

func listWithin(wanted, have []any) bool {
	for i, w := range wanted {
		key, value := mergeKey(w)
		if key == "" {
			if len(wanted) != len(have) || !within(w, have[i]) {
				return false
			}
			continue
		}
		found := false
		for _, h := range have {
			if m, ok := h.(map[string]any); ok && reflect.DeepEqual(m[key], value) {
				found = found || within(w, m)
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// mergeKey returns the member by which a list's items are told apart, or "".
func mergeKey(item any) (key string, value any) {
	m, ok := item.(map[string]any)
	if !ok {
		return "", nil
	}
	for _, k := range []string{"name", "mountPath", "uid"} {
		if v, ok := m[k]; ok {
			return k, v
		}
	}
	return "", nil
}
