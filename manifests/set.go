// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// Loader reads manifests. It holds the compiled schemas and may be used again, from one goroutine at a time.
type Loader struct {
	schemas map[string]*kindSchema
}

// NewLoader compiles the embedded CRDs, which takes some 50 ms.
func NewLoader() (*Loader, error) {
	schemas, err := loadSchemas()
	if err != nil {
		return nil, fmt.Errorf("loading the embedded CRDs: %w", err)
	}
	return &Loader{schemas}, nil
}

// Set is what a load found: the good objects, and findings about the others.
type Set struct {
	// Findings of reading, in the order of the files.
	Findings []Finding

	servers    map[types.NamespacedName]*v1alpha1.AuthServer
	providers  []*v1alpha1.IdentityProvider
	policies   []*v1alpha1.TenantJWTPolicy
	refs       map[render.Ref]render.Resolved
	namespaces map[string]map[string]string

	documents map[render.Key]*document // good ones, of every kind that is read
	leftOut   map[render.Key]*document // bad ones that have a name
	unparsed  int                      // documents that nobody can name
	given     int                      // of Gatehouse's own kinds, good or bad
}

// Load reads every document of the paths: files, folders, or "-" for stdin. Bad documents become findings. The error is for a
// path that cannot be read.
func (l *Loader) Load(paths []string, stdin io.Reader) (*Set, error) {
	sources, err := Read(paths, stdin)
	if err != nil {
		return nil, err
	}
	return l.Parse(sources), nil
}

// Parse reads every document of the sources.
func (l *Loader) Parse(sources Sources) *Set {
	s := &Set{
		servers: map[types.NamespacedName]*v1alpha1.AuthServer{}, refs: map[render.Ref]render.Resolved{},
		namespaces: map[string]map[string]string{}, documents: map[render.Key]*document{}, leftOut: map[render.Key]*document{},
	}
	for _, source := range sources {
		for _, c := range split(source) {
			documents, problem := c.parse()
			if problem != nil {
				s.unparsed++
				if kind, _, _ := strings.Cut(problem.Object, "/"); own(kind) {
					s.given++
				}
				s.Findings = append(s.Findings, *problem)
			}
			for _, d := range documents {
				s.add(d, l)
			}
		}
	}
	return s
}

// Objects is the number of AuthServers, IdentityProviders and TenantJWTPolicies that were read without a mistake.
func (s *Set) Objects() int { return len(s.servers) + len(s.providers) + len(s.policies) }

// Given is the number of documents that are AuthServers, IdentityProviders and TenantJWTPolicies, or are meant to be, those with a mistake included.
func (s *Set) Given() int { return s.given }

// own tells whether Gatehouse has the kind.
func own(kind string) bool {
	switch kind {
	case v1alpha1.KindAuthServer, v1alpha1.KindIdentityProvider, v1alpha1.KindTenantJWTPolicy:
		return true
	}
	return false
}

// wanted tells whether a document is read at all.
func wanted(node *yaml.Node) bool {
	var kind, apiVersion string
	if n := child(node, "kind"); n != nil {
		kind = n.Value
	}
	if n := child(node, "apiVersion"); n != nil {
		apiVersion = n.Value
	}
	switch kind {
	case "Secret", "ConfigMap", "Namespace", "List":
		return apiVersion == "v1"
	}
	return own(kind) && apiVersion == "" || ours(apiVersion)
}

func ours(apiVersion string) bool {
	group, _, _ := strings.Cut(apiVersion, "/")
	return group == v1alpha1.GroupVersion.Group
}

// add takes one document, or leaves it out with a finding.
func (s *Set) add(d *document, l *Loader) {
	if !wanted(d.node) { // an item of a List
		return
	}
	key := render.Key{Kind: d.kind, Namespace: d.namespace, Name: d.name}
	if d.kind == "Namespace" {
		key.Namespace = ""
	}
	if own(d.kind) || ours(d.apiVersion) {
		s.given++
	}
	if first, there := s.documents[key]; there && d.name != "" {
		s.Findings = append(s.Findings, d.finding("metadata.name", fmt.Sprintf(
			"%s:%d has this object already, and this one is left out: delete one of the two, or rename it", first.file, first.line)))
		return
	}
	var mistakes []mistake
	switch d.kind {
	case "Secret":
		mistakes = s.addSecret(d)
	case "ConfigMap":
		mistakes = s.addConfigMap(d)
	case "Namespace":
		mistakes = s.addNamespace(d)
	default:
		mistakes = s.addObject(d, l)
	}
	if len(mistakes) == 0 {
		s.documents[key] = d
		return
	}
	if s.leftOut[key] == nil {
		s.leftOut[key] = d
	}
	for _, m := range mistakes {
		s.Findings = append(s.Findings, d.finding(m.field, m.message))
	}
}

// addObject takes one of Gatehouse's own kinds.
func (s *Set) addObject(d *document, l *Loader) []mistake {
	schema, known := l.schemas[d.kind]
	want := v1alpha1.GroupVersion.String()
	switch {
	case !known:
		kinds := []string{v1alpha1.KindAuthServer, v1alpha1.KindIdentityProvider, v1alpha1.KindTenantJWTPolicy}
		hint := strings.Replace(suggest(d.kind, kinds), "the fields here", "the kinds", 1)
		return []mistake{{"kind", fmt.Sprintf("kind %q is not known in %s%s", d.kind, d.apiVersion, hint)}}
	case d.apiVersion == "":
		return []mistake{{"kind", "apiVersion is missing: set it to " + want}}
	case d.apiVersion != schema.version:
		return []mistake{{"apiVersion", fmt.Sprintf("apiVersion %q is not known: set it to %s", d.apiVersion, want)}}
	}
	if meta, ok := d.value["metadata"].(map[string]any); ok {
		meta["namespace"] = d.namespace
		delete(meta, "creationTimestamp") // as in the output of kubectl get; a create ignores these
		delete(meta, "managedFields")
	}
	if mistakes := unnamed(d); len(mistakes) > 0 {
		return mistakes
	}
	if mistakes := schema.apply(d.value); len(mistakes) > 0 {
		return mistakes
	}
	if err := s.keep(d); err != nil { // cannot happen for an object that the schema allows
		return []mistake{{"", fmt.Sprintf("the object cannot be decoded: %v", err)}}
	}
	return nil
}

// unnamed refuses names that YAML 1.1, which Kubernetes reads, takes for something else than a string, such as off or 007.
func unnamed(d *document) []mistake {
	meta, ok := d.value["metadata"].(map[string]any)
	if !ok {
		return []mistake{{"metadata", "metadata.name is missing"}}
	}
	name, there := meta["name"]
	if _, ok := name.(string); there && !ok {
		return []mistake{{"metadata.name", "metadata.name must be a string: put it in quotes (YAML reads words such as on, off, yes and no as true or false)"}}
	}
	return nil
}

// keep decodes an object that the schema allows.
func (s *Set) keep(d *document) error {
	convert := runtime.DefaultUnstructuredConverter.FromUnstructured
	switch d.kind {
	case v1alpha1.KindAuthServer:
		o := &v1alpha1.AuthServer{}
		if err := convert(d.value, o); err != nil {
			return err
		}
		s.servers[types.NamespacedName{Namespace: d.namespace, Name: d.name}] = o
	case v1alpha1.KindIdentityProvider:
		o := &v1alpha1.IdentityProvider{}
		if err := convert(d.value, o); err != nil {
			return err
		}
		s.providers = append(s.providers, o)
	case v1alpha1.KindTenantJWTPolicy:
		o := &v1alpha1.TenantJWTPolicy{}
		if err := convert(d.value, o); err != nil {
			return err
		}
		s.policies = append(s.policies, o)
	}
	return nil
}

// implied is the AuthServer that the operator would create: the schema's defaults and nothing else.
func (l *Loader) implied(name types.NamespacedName) (*v1alpha1.AuthServer, error) {
	object := map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": v1alpha1.KindAuthServer,
		"metadata": map[string]any{"namespace": name.Namespace, "name": name.Name},
	}
	if mistakes := l.schemas[v1alpha1.KindAuthServer].apply(object); len(mistakes) > 0 {
		return nil, fmt.Errorf("implying AuthServer %s: %s", name, mistakes[0].message)
	}
	o := &v1alpha1.AuthServer{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, o); err != nil {
		return nil, fmt.Errorf("implying AuthServer %s: %w", name, err)
	}
	return o, nil
}

// Servers are the AuthServers that the documents hold or name, in order.
func (s *Set) Servers() []types.NamespacedName {
	seen := map[types.NamespacedName]bool{}
	for name := range s.servers {
		seen[name] = true
	}
	for _, o := range s.providers {
		seen[render.ServerOf(o.Spec.AuthServerRef, o.Namespace)] = true
	}
	for _, o := range s.policies {
		seen[render.ServerOf(o.Spec.AuthServerRef, o.Namespace)] = true
	}
	out := make([]types.NamespacedName, 0, len(seen))
	for name := range seen {
		out = append(out, name)
	}
	slices.SortFunc(out, func(a, b types.NamespacedName) int { return strings.Compare(a.String(), b.String()) })
	return out
}
