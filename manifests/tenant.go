// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// OfTenant tells which findings are about documents of the tenant: its policies, and what these name. Most of the others are somebody else's.
func (s *Set) OfTenant(tenantID string) func(Finding) bool {
	named := map[string]bool{} // by namespace and object, as findings have them
	for _, documents := range []map[render.Key]*document{s.documents, s.leftOut} {
		for _, d := range documents {
			if id := d.tenant(); id == "" || id != tenantID {
				continue
			}
			server := d.server()
			named[server.Namespace+" "+server.Kind+"/"+server.Name] = true
			d.names(d.value["spec"], func(name string) {
				named[d.namespace+" Secret/"+name], named[d.namespace+" ConfigMap/"+name] = true, true
			})
		}
	}
	return func(f Finding) bool {
		return f.Tenant != "" && f.Tenant == tenantID || named[f.Namespace+" "+f.Object]
	}
}

// names yields the name in every reference of the value: whatever a reference is called, it has a name.
func (d *document) names(value any, yield func(string)) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			d.names(item, yield)
		}
	case map[string]any:
		if name, ok := v["name"].(string); ok {
			yield(name)
		}
		for _, item := range v {
			d.names(item, yield)
		}
	}
}

// tenant is the tenant ID of a policy, as far as the document says one.
func (d *document) tenant() string {
	if d.kind != v1alpha1.KindTenantJWTPolicy {
		return ""
	}
	spec, _ := d.value["spec"].(map[string]any)
	id, _ := spec["tenantID"].(string)
	return id
}

// server is the AuthServer that an object names.
func (d *document) server() render.Key {
	var ref v1alpha1.AuthServerReference
	spec, _ := d.value["spec"].(map[string]any)
	if r, ok := spec["authServerRef"].(map[string]any); ok {
		ref.Name, _ = r["name"].(string)
		ref.Namespace, _ = r["namespace"].(string)
	}
	server := render.ServerOf(ref, d.namespace)
	return render.Key{Kind: v1alpha1.KindAuthServer, Namespace: server.Namespace, Name: server.Name}
}
