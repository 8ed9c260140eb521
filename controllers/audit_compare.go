// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// note remembers the version of a live list; one that is older than the last proves that the history was rewound.
func (a *audit) note(all *discrepancies, kind, namespace, version string) error {
	key := kind + "/" + namespace
	if last, ok := a.lists[key]; ok {
		order, err := resourceversion.CompareResourceVersion(version, last)
		if err != nil {
			return fmt.Errorf("comparing versions: %w", err)
		}
		if order < 0 {
			all.wrong = &objectVersion{kind: kind, version: version, name: types.NamespacedName{Namespace: namespace, Name: "(the whole list)"}}
		}
	}
	if a.lists == nil {
		a.lists = map[string]string{}
	}
	a.lists[key] = version
	return nil
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
	// doubtful are objects of the cache whose event may be on its way.
	doubtful map[objectVersion]time.Time
	// unseen are objects of the API server that the cache does not show yet.
	unseen map[objectVersion]time.Time
}

// none tells that caches and API server agree.
func (d *discrepancies) none() bool {
	return d.wrong == nil && len(d.doubtful) == 0 && len(d.unseen) == 0
}

// add compares what one watch feeds. The versions of its events rise, so the cache has seen all up to the highest that it
// shows: an object of a lower or the same version that it does not show, or a list that is older as a whole, is of another history.
func (d *discrepancies) add(cached, live map[objectVersion]bool, listVersion string) error {
	for o := range live {
		if !cached[o] {
			d.unseen[o] = time.Time{}
		}
	}
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
