// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// RenderOptions change a render from what the documents say.
type RenderOptions struct {
	// ShardCount and LastBase are as in render.Input.
	ShardCount int
	LastBase   []byte
	// Server, if not nil, stands in for the AuthServer's document.
	Server *v1alpha1.AuthServer
	// Loopback is as in render.Input.
	Loopback bool
	// Adjust, if not nil, changes a copy of the AuthServer before it is planned.
	Adjust func(*v1alpha1.AuthServer)
}

// Server returns the AuthServer that objects of that name would be served by: its document's, or, for "default", the
// implied one if no document has that name. It is nil when there is none.
func (s *Set) Server(l *Loader, name types.NamespacedName) (*v1alpha1.AuthServer, error) {
	if o := s.servers[name]; o != nil {
		return o, nil
	}
	if s.ServerLeftOut(name) || name.Name != v1alpha1.DefaultServerName || !s.implies(name) {
		return nil, nil
	}
	return l.implied(name)
}

// ServerLeftOut tells whether a document has that AuthServer but was left out.
func (s *Set) ServerLeftOut(name types.NamespacedName) bool {
	return s.leftOut[render.Key{Kind: v1alpha1.KindAuthServer, Namespace: name.Namespace, Name: name.Name}] != nil
}

// Unparsed is the number of documents that could not be read far enough to name them.
func (s *Set) Unparsed() int { return s.unparsed }

// implies tells whether an object of the server's own namespace names it.
func (s *Set) implies(name types.NamespacedName) bool {
	return slices.ContainsFunc(s.providers, func(o *v1alpha1.IdentityProvider) bool {
		return o.Namespace == name.Namespace && render.ServerOf(o.Spec.AuthServerRef, o.Namespace) == name
	}) || slices.ContainsFunc(s.policies, func(o *v1alpha1.TenantJWTPolicy) bool {
		return o.Namespace == name.Namespace && render.ServerOf(o.Spec.AuthServerRef, o.Namespace) == name
	})
}

// Render plans and renders one AuthServer as the operator would. The error is a fault of this program.
func (s *Set) Render(l *Loader, name types.NamespacedName, opts RenderOptions) (*render.Output, error) {
	server := opts.Server
	if server == nil {
		var err error
		if server, err = s.Server(l, name); err != nil {
			return nil, err
		}
	}
	if server != nil && opts.Adjust != nil {
		server = server.DeepCopy()
		opts.Adjust(server)
	}
	plan := render.NewPlan(render.Input{
		Name: name, Server: server, Providers: s.providers, Policies: s.policies,
		NamespaceLabels: s.namespaceLabels, ShardCount: opts.ShardCount, LastBase: opts.LastBase, Loopback: opts.Loopback, Offline: true,
	})
	refs := map[render.Ref]render.Resolved{}
	for _, ref := range plan.References() {
		refs[ref] = s.refs[ref]
	}
	return plan.Render(refs)
}

// Tell makes findings of a render's verdicts, in the order of the files. A Secret or ConfigMap that no document has is a warning,
// as repositories hold sealed ones, and so is what an AuthServer that no document has would have to be, as another repository may hold it; with
// requireRefs both are errors. An example that fails is an error, although its policy is served.
func (s *Set) Tell(out *render.Output, requireRefs bool) []Finding {
	var findings []Finding
	for key, v := range out.Verdicts {
		d := s.documents[key]
		if d == nil { // the implied AuthServer, about which there is nothing to tell
			continue
		}
		for _, p := range v.Problems {
			f := d.finding(p.Field, s.text(d, p))
			if p.Missing != nil && !requireRefs {
				f.Severity = SeverityWarning
				f.Message = fmt.Sprintf("%s: no document has %s: the object is served only where it exists", p.Field, *p.Missing)
				if s.leftOutRef(*p.Missing) {
					f.Severity, f.Message = SeverityError, fmt.Sprintf("%s: the document of %s has a mistake and is left out", p.Field, *p.Missing)
				}
			}
			if p.Reason == v1alpha1.ReasonHTTPSRequired && !requireRefs && s.documents[d.server()] == nil {
				f.Severity = SeverityWarning
				f.Message = fmt.Sprintf("%s: no document has AuthServer %s/%s: the object is served only where that has an https spec.externalURL", p.Field, d.server().Namespace, d.server().Name)
			}
			findings = append(findings, f)
		}
		for _, p := range v.FailedExamples {
			findings = append(findings, d.finding(p.Field, p.String()))
		}
		for _, p := range v.Warnings {
			f := d.finding(p.Field, p.String())
			f.Severity = SeverityWarning
			findings = append(findings, f)
		}
	}
	slices.SortFunc(findings, Finding.Compare)
	return findings
}

// TellNoCluster makes warnings of what served objects ask of an operator, and of a server without a cluster in vain.
func (s *Set) TellNoCluster(out *render.Output) []Finding {
	var findings []Finding
	for _, o := range s.providers {
		key := render.Key{Kind: v1alpha1.KindIdentityProvider, Namespace: o.Namespace, Name: o.Name}
		if !out.Verdicts[key].Served || o.Spec.JWTBearer == nil || o.Spec.JWTBearer.OutputSecretName == "" {
			continue
		}
		const field = "spec.jwtBearer.outputSecretName"
		f := s.documents[key].finding(field, field+": without a cluster there is no Secret to write: ask GET /credentials/ with spec.jwtBearer.allowedCallers, or apply it to a cluster")
		f.Severity = SeverityWarning
		findings = append(findings, f)
	}
	return findings
}

func (s *Set) leftOutRef(ref render.Ref) bool {
	return s.leftOut[render.Key{Kind: string(ref.Kind), Namespace: ref.Namespace, Name: ref.Name}] != nil
}

// text is a problem's own, except where the AuthServer is there but was left out.
func (s *Set) text(d *document, p render.Problem) string {
	if p.Reason != v1alpha1.ReasonNoMatchingAuthServer {
		return p.String()
	}
	server := d.server()
	bad := s.leftOut[server]
	if bad == nil {
		return p.String()
	}
	return fmt.Sprintf("%s: AuthServer %s/%s has a mistake (%s:%d) and is left out, and so is what names it", p.Field, server.Namespace, server.Name, bad.file, bad.line)
}

// Served is the number of documents that the rendered files hold. An implied AuthServer is none.
func (s *Set) Served(out *render.Output) int {
	n := 0
	for key, v := range out.Verdicts {
		if v.Served && s.documents[key] != nil {
			n++
		}
	}
	return n
}

// HasServer tells whether a good document has that AuthServer.
func (s *Set) HasServer(name types.NamespacedName) bool { return s.servers[name] != nil }
