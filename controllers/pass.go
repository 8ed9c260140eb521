// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// pass is what a whole pass found and did. It holds no value of a Secret.
type pass struct {
	verdicts map[render.Key]render.Verdict
	// versions are the objects that the verdicts speak of.
	versions map[render.Key]version
	url      string
	// hash identifies what was written, signing keys included; empty when nothing is served.
	hash string
	// counts are the shard counts that were mounted when the pass began.
	counts []int
	// keysLeft tells that signing keys are there only because pods still mount them.
	keysLeft bool
	// taken are names that belong to others; refused is what the API server says about the workload.
	taken   []*foreignError
	refused []string
}

// version is one generation of one object: a verdict must not be written to another.
type version struct {
	uid        types.UID
	generation int64
}

func versionOf(o client.Object) version { return version{o.GetUID(), o.GetGeneration()} }

// pass renders and applies. On an error something could not be read or written; what was not read is not written.
func (r *Reconciler) pass(ctx context.Context, st *serverState, g *gathered) (*pass, error) {
	template, counts, err := r.mountedCounts(ctx, g.name, g.pods)
	if err != nil {
		return nil, err
	}
	in := r.input(ctx, g)
	in.Memo = &st.memo
	in.ShardCount = template
	if len(counts) > 0 {
		in.ShardCount = max(in.ShardCount, slices.Max(counts))
	}
	out, err := r.render(ctx, st, in)
	if err != nil {
		return nil, err
	}
	p := &pass{verdicts: out.Verdicts, versions: versions(g), url: out.URL, counts: counts}
	if out.Files == nil {
		st.ledger.clear()
		return p, nil
	}
	return p, r.applyAll(ctx, st, g, p, out)
}

// render reads what accepted objects name and renders. Only for an AuthServer that cannot be used itself is the last
// base.json read too.
func (r *Reconciler) render(ctx context.Context, st *serverState, in render.Input) (*render.Output, error) {
	plan := render.NewPlan(in)
	refs, err := r.resolve(ctx, &st.refused, plan.References())
	if err != nil {
		return nil, err
	}
	out, err := plan.Render(refs)
	if err != nil || !out.Held {
		return out, err
	}
	var last corev1.Secret
	err = r.live.Get(ctx, types.NamespacedName{Namespace: in.Name.Namespace, Name: configName(in.Name.Name)}, &last)
	if apierrors.IsNotFound(err) {
		return out, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration in force: %w", err)
	}
	in.LastBase = last.Data[config.FileBase]
	return render.NewPlan(in).Render(refs)
}

// applyAll writes Secrets, then the workload. While the AuthServer itself is not usable, the workload stays as it is.
func (r *Reconciler) applyAll(ctx context.Context, st *serverState, g *gathered, p *pass, out *render.Output) error {
	a := &applier{r: r, st: st, server: g.server}
	files, sets, err := allSets(out, p.counts)
	if err != nil {
		return err
	}
	errs := a.applyFiles(ctx, files)
	errs = append(errs, a.applyOpsToken(ctx))
	if out.Held {
		st.keys.postpone(r.options.Now())
	} else {
		errs = append(errs, a.applyKeys(ctx))
	}
	var rest error
	if p.taken, rest = foreign(errs); rest != nil || len(p.taken) > 0 {
		st.ledger.doubt() // some files are written, others not
	} else {
		p.hash = st.note(files, sets, out, time.Now())
	}
	if rest != nil {
		return rest
	}
	if out.Held || len(p.taken) > 0 {
		return nil
	}
	errs = a.applyWorkload(ctx, static{server: g.server, image: orDefault(g.server.Spec.Image, r.options.Image), shards: out.ShardCount, keys: signs(g.server)})
	p.taken, rest = foreign(errs)
	if p.refused, rest = refused(rest); rest != nil {
		return rest
	}
	if p.keysLeft, err = a.pruneKeys(ctx, g.pods); err != nil {
		return err
	}
	return a.pruneShards(ctx, append(p.counts, out.ShardCount))
}

// versions of every object in g, the server's included.
func versions(g *gathered) map[render.Key]version {
	out := map[render.Key]version{}
	if g.server != nil {
		out[keyOf(g.server)] = versionOf(g.server)
	}
	for _, o := range g.providers {
		out[keyOf(o)] = versionOf(o)
	}
	for _, o := range g.policies {
		out[keyOf(o)] = versionOf(o)
	}
	return out
}

func keyOf(o client.Object) render.Key {
	kind := ""
	switch o.(type) {
	case *v1alpha1.AuthServer:
		kind = v1alpha1.KindAuthServer
	case *v1alpha1.IdentityProvider:
		kind = v1alpha1.KindIdentityProvider
	case *v1alpha1.TenantJWTPolicy:
		kind = v1alpha1.KindTenantJWTPolicy
	}
	return render.Key{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName()}
}

// refused takes out of err what the API server finds wrong with the workload: the AuthServer's author can mend that,
// a retry cannot.
func refused(err error) (told []string, rest error) {
	for _, e := range flatten(err) {
		var invalid *invalidError
		switch {
		case errors.As(e, &invalid):
			told = append(told, invalid.Error())
		case apierrors.IsInvalid(e) || apierrors.IsBadRequest(e):
			told = append(told, "the API server refused it: "+e.Error())
		default:
			rest = errors.Join(rest, e)
		}
	}
	return told, rest
}

func flatten(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range joined.Unwrap() {
			out = append(out, flatten(e)...)
		}
		return out
	}
	return []error{err}
}

// invalidError is a mistake in an AuthServer's workload fields; it names the field.
type invalidError struct{ text string }

func (e *invalidError) Error() string { return e.text }

// unmounted tells whether the pods are gone for which a smaller set of shards, or signing keys, were left.
func (st *serverState) unmounted(g *gathered) bool {
	if st.last == nil {
		return false
	}
	if st.last.keysLeft && !mounts(g.pods, keysName(g.name.Name)) {
		return true
	}
	if len(st.ledger.sets) < 2 {
		return false
	}
	mounted := map[int]bool{}
	for i := range g.pods {
		mounted[countOf(g.name.Name, g.pods[i].Spec.Volumes)] = true
	}
	for _, count := range st.last.counts {
		if !mounted[count] {
			return true
		}
	}
	return false
}
