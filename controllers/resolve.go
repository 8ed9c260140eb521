// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// readers is how many references are read at once.
const readers = 16

// errUnsettled means that a reference was Forbidden, but not for long enough to believe it: an API server that has just
// started answers 403 until it knows its RBAC rules.
var errUnsettled = errors.New("reading a reference was forbidden; waiting to see whether that lasts")

// resolve reads references from the API server, not from a cache: the operator keeps no values. Every answer is
// definite (there, absent, or forbidden for long enough); anything else is an error, and nothing may be written.
func (r *Reconciler) resolve(ctx context.Context, refused *refusals, refs []render.Ref) (map[render.Ref]render.Resolved, error) {
	var mu sync.Mutex
	out := make(map[render.Ref]render.Resolved, len(refs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for _, ref := range refs {
		group.Go(func() error {
			resolved, err := r.read(ctx, ref)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			out[ref] = resolved
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return out, refused.settle(out, r.options.Now(), r.options.Timing.Forbidden)
}

// refusals holds since when every read of a reference has been answered Forbidden.
type refusals map[render.Ref]time.Time

// settle remembers since when each reference has been forbidden and returns errUnsettled while one is too fresh.
func (f *refusals) settle(resolved map[render.Ref]render.Resolved, now time.Time, patience time.Duration) error {
	refused := refusals{}
	var err error
	for ref, v := range resolved {
		if !v.Forbidden {
			continue
		}
		since, known := (*f)[ref]
		if !known {
			since = now
		}
		refused[ref] = since
		if now.Sub(since) < patience {
			err = errUnsettled
		}
	}
	*f = refused
	return err
}

func (r *Reconciler) read(ctx context.Context, ref render.Ref) (render.Resolved, error) {
	if !r.options.watches(ref.Namespace) {
		return render.Resolved{}, fmt.Errorf("reading %s: the namespace is not watched", ref)
	}
	name := types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}
	var (
		meta     *metav1.ObjectMeta
		resolved render.Resolved
		err      error
	)
	if ref.Kind == v1alpha1.BundleConfigMap {
		var o corev1.ConfigMap
		err = r.live.Get(ctx, name, &o)
		meta, resolved.Data = &o.ObjectMeta, configMapData(&o)
	} else {
		var o corev1.Secret
		err = r.live.Get(ctx, name, &o)
		meta, resolved.Type, resolved.Data = &o.ObjectMeta, o.Type, o.Data
	}
	switch {
	case apierrors.IsNotFound(err):
		return render.Resolved{}, nil
	case apierrors.IsForbidden(err):
		return render.Resolved{Forbidden: true}, nil
	case err != nil:
		return render.Resolved{}, fmt.Errorf("reading %s: %w", ref, err)
	}
	resolved.Found = true
	resolved.Labels = meta.Labels
	resolved.ResourceVersion = meta.ResourceVersion
	resolved.OwnedByGatehouse = ownedByGatehouse(meta.OwnerReferences)
	return resolved, nil
}

func configMapData(o *corev1.ConfigMap) map[string][]byte {
	out := make(map[string][]byte, len(o.Data)+len(o.BinaryData))
	for k, v := range o.Data {
		out[k] = []byte(v)
	}
	for k, v := range o.BinaryData {
		out[k] = v
	}
	return out
}

func ownedByGatehouse(owners []metav1.OwnerReference) bool {
	for _, o := range owners {
		if gv, err := schema.ParseGroupVersion(o.APIVersion); err == nil && gv.Group == v1alpha1.GroupVersion.Group {
			return true
		}
	}
	return false
}
