// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// ErrCachesWrong ends the manager: the caches show what the API server does not have, and watches will not mend it. That
// is what an etcd restored from an older copy looks like from here: a watch goes on from a version that the new history
// has not reached, or has passed with other contents. A new process reads everything anew.
var ErrCachesWrong = errors.New("the caches show what the API server does not have, as after a restore of etcd; starting anew")

// audit compares the caches of the kinds that decide who gets in with the API server, now and then.
type audit struct {
	client  client.Reader
	live    client.Reader
	options Options
	log     logr.Logger
}

var auditedKinds = []string{v1alpha1.KindAuthServer, v1alpha1.KindIdentityProvider, v1alpha1.KindTenantJWTPolicy}

// NeedLeaderElection makes only the operator that writes look.
func (a *audit) NeedLeaderElection() bool { return true }

// Start compares until ctx ends. It returns ErrCachesWrong when a cache is wrong beyond doubt, or doubtful for longer than any
// watch takes to come back.
func (a *audit) Start(ctx context.Context) error {
	doubtful := map[objectVersion]time.Time{}
	tick := time.NewTicker(a.options.Timing.Audit)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		found, err := a.compare(ctx)
		if err != nil {
			a.log.Info("the caches could not be compared: " + err.Error())
			continue
		}
		if found.wrong != nil {
			a.log.Error(ErrCachesWrong, "beyond doubt", "object", found.wrong.String())
			return ErrCachesWrong
		}
		now := time.Now()
		for o := range found.doubtful {
			since, known := doubtful[o]
			if known && now.Sub(since) > a.options.Timing.Doubt {
				a.log.Error(ErrCachesWrong, "for too long", "object", o.String())
				return ErrCachesWrong
			}
			if known {
				found.doubtful[o] = since
			} else {
				found.doubtful[o] = now
			}
		}
		doubtful = found.doubtful
	}
}

// compare looks at each kind in each watched namespace: what one watch feeds.
func (a *audit) compare(ctx context.Context) (discrepancies, error) {
	all := discrepancies{doubtful: map[objectVersion]time.Time{}}
	namespaces := a.options.Namespaces
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	for _, kind := range auditedKinds {
		for _, namespace := range namespaces {
			cached, err := a.cached(ctx, kind, namespace) // first: what comes later cannot be wrong for being new
			if err != nil {
				return all, err
			}
			live, version, err := a.listed(ctx, kind, namespace)
			if err != nil {
				return all, err
			}
			if err := all.add(cached, live, version); err != nil {
				return all, err
			}
		}
	}
	return all, nil
}

// objectVersion is one state of one object.
type objectVersion struct {
	kind    string
	name    types.NamespacedName
	uid     types.UID
	version string
}

func (o *objectVersion) String() string { return o.kind + "/" + o.name.String() }

// discrepancies are what caches and API server disagree on.
type discrepancies struct {
	// wrong is an object that the cache cannot have right.
	wrong *objectVersion
	// doubtful are objects whose event may be on its way.
	doubtful map[objectVersion]time.Time
}

// add compares what one watch feeds. The versions of its events rise, so the cache has seen all up to the highest that it
// shows: an object of a lower or the same version that it does not show, or a list that is older as a whole, is of another history.
func (d *discrepancies) add(cached, live map[objectVersion]bool, listVersion string) error {
	highest := ""
	for o := range cached {
		if highest == "" {
			highest = o.version
		}
		later, err := resourceversion.CompareResourceVersion(o.version, highest)
		if err != nil {
			return fmt.Errorf("comparing versions: %w", err)
		}
		if later > 0 {
			highest = o.version
		}
		if !live[o] {
			d.doubtful[o] = time.Time{}
		}
	}
	if highest == "" {
		return nil // an empty cache has seen nothing; what it lacks is on its way, or its watch is not up
	}
	live[objectVersion{version: listVersion, kind: "the whole list"}] = true
	for o := range live {
		order, err := resourceversion.CompareResourceVersion(o.version, highest)
		if err != nil {
			return fmt.Errorf("comparing versions: %w", err)
		}
		known := cached[o] || (o.name.Name == "" && order == 0)
		if !known && order <= 0 {
			d.wrong = &o
		}
	}
	return nil
}

func (a *audit) cached(ctx context.Context, kind, namespace string) (map[objectVersion]bool, error) {
	lists := map[string]client.ObjectList{
		v1alpha1.KindAuthServer:       &v1alpha1.AuthServerList{},
		v1alpha1.KindIdentityProvider: &v1alpha1.IdentityProviderList{},
		v1alpha1.KindTenantJWTPolicy:  &v1alpha1.TenantJWTPolicyList{},
	}
	list := lists[kind]
	if err := a.client.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("listing cached %s objects: %w", kind, err)
	}
	out := map[objectVersion]bool{}
	for _, o := range items(list) {
		out[objectVersion{kind, client.ObjectKeyFromObject(o), o.GetUID(), o.GetResourceVersion()}] = true
	}
	return out, nil
}

// listed asks for metadata only, in pages, and returns the version of the whole list: all pages are of one.
func (a *audit) listed(ctx context.Context, kind, namespace string) (out map[objectVersion]bool, version string, err error) {
	out = map[objectVersion]bool{}
	for next := ""; ; {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind + "List"))
		if err := a.live.List(ctx, list, client.InNamespace(namespace), client.Limit(500), client.Continue(next)); err != nil {
			return nil, "", fmt.Errorf("listing %s objects: %w", kind, err)
		}
		for i := range list.Items {
			o := &list.Items[i]
			out[objectVersion{kind, client.ObjectKeyFromObject(o), o.UID, o.ResourceVersion}] = true
		}
		version = list.ResourceVersion
		if next = list.Continue; next == "" {
			return out, version, nil
		}
	}
}
