// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"encoding/base64"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// addSecret takes a Secret's data and stringData. It reads by hand, since a decoder's errors quote values.
func (s *Set) addSecret(d *document) []mistake {
	data, err := texts(d.value["data"], "data")
	if err != nil {
		return []mistake{{"data", err.Error()}}
	}
	plain, err := texts(d.value["stringData"], "stringData")
	if err != nil {
		return []mistake{{"stringData", err.Error()}}
	}
	r, mistakes := d.resolved()
	if t, ok := d.value["type"].(string); ok {
		r.Type = corev1.SecretType(t)
	}
	for name, value := range data {
		decoded, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			mistakes = append(mistakes, mistake{"data." + name, fmt.Sprintf("data.%s is not base64: write the value as it is under stringData", name)})
			continue
		}
		r.Data[name] = decoded
	}
	for name, value := range plain {
		r.Data[name] = []byte(value)
	}
	if len(mistakes) == 0 {
		s.refs[render.Ref{Kind: v1alpha1.BundleSecret, Namespace: d.namespace, Name: d.name}] = r
	}
	return mistakes
}

// addConfigMap takes a ConfigMap's data and binaryData, of which a name can be in one only.
func (s *Set) addConfigMap(d *document) []mistake {
	data, err := texts(d.value["data"], "data")
	if err != nil {
		return []mistake{{"data", err.Error()}}
	}
	binary, err := texts(d.value["binaryData"], "binaryData")
	if err != nil {
		return []mistake{{"binaryData", err.Error()}}
	}
	r, mistakes := d.resolved()
	for name, value := range data {
		r.Data[name] = []byte(value)
	}
	for name, value := range binary {
		decoded, err := base64.StdEncoding.DecodeString(value)
		_, twice := data[name]
		switch {
		case err != nil:
			mistakes = append(mistakes, mistake{"binaryData." + name, fmt.Sprintf("binaryData.%s is not base64", name)})
		case twice:
			mistakes = append(mistakes, mistake{"binaryData." + name, fmt.Sprintf("binaryData.%s is in data too: keep one", name)})
		default:
			r.Data[name] = decoded
		}
	}
	if len(mistakes) == 0 {
		s.refs[render.Ref{Kind: v1alpha1.BundleConfigMap, Namespace: d.namespace, Name: d.name}] = r
	}
	return mistakes
}

// resolved is what both kinds share.
func (d *document) resolved() (render.Resolved, []mistake) {
	r := render.Resolved{Found: true, Data: map[string][]byte{}}
	var mistakes []mistake
	if d.name == "" {
		mistakes = append(mistakes, mistake{"metadata", "metadata.name is missing"})
	}
	meta, _ := d.value["metadata"].(map[string]any)
	labels, err := texts(meta["labels"], "metadata.labels")
	if err != nil {
		mistakes = append(mistakes, mistake{"metadata.labels", err.Error()})
	}
	r.Labels = labels
	r.OwnedByGatehouse = owned(meta)
	return r, mistakes
}

// owned tells whether an owner reference names an object of Gatehouse.
func owned(meta map[string]any) bool {
	owners, _ := meta["ownerReferences"].([]any)
	for _, o := range owners {
		owner, _ := o.(map[string]any)
		if version, _ := owner["apiVersion"].(string); strings.HasPrefix(version, v1alpha1.GroupVersion.Group+"/") {
			return true
		}
	}
	return false
}

// addNamespace takes a namespace's labels, which allowedNamespaces.selector asks for.
func (s *Set) addNamespace(d *document) []mistake {
	meta, _ := d.value["metadata"].(map[string]any)
	labels, err := texts(meta["labels"], "metadata.labels")
	if err != nil {
		return []mistake{{"metadata.labels", err.Error()}}
	}
	s.namespaces[d.name] = labels
	return nil
}

// namespaceLabels are those of the Namespace document, if there is one, and the label that every namespace has.
func (s *Set) namespaceLabels(namespace string) (map[string]string, bool) {
	out := map[string]string{corev1.LabelMetadataName: namespace}
	for k, v := range s.namespaces[namespace] {
		out[k] = v
	}
	return out, true
}
