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
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// ErrHistoryRewound ends the manager: the caches show objects that the API server does not have, and watches do not
// mend it. That is what an etcd restored from an older copy looks like from here (a watch goes on from a version that
// the new history has not reached, or passed with other contents). A new process reads everything anew.
var ErrHistoryRewound = errors.New("the API server's history was rewound; starting anew")

// audit compares the caches of our kinds with the API server now and then.
type audit struct {
	client  client.Reader
	live    client.Reader
	options Options
	log     logr.Logger
}

// auditedKinds is what decides who gets in.
var auditedKinds = []string{v1alpha1.KindAuthServer, v1alpha1.KindIdentityProvider, v1alpha1.KindTenantJWTPolicy}

// NeedLeaderElection makes only the operator that writes look.
func (a *audit) NeedLeaderElection() bool { return true }

// Start compares until ctx ends. It returns ErrHistoryRewound when a cache goes on being wrong.
func (a *audit) Start(ctx context.Context) error {
	suspects := map[objectVersion]bool{}
	pause := a.options.Timing.Audit
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		wrong, err := a.compare(ctx)
		if err != nil {
			a.log.Info("comparing caches with the API server: " + err.Error())
			continue
		}
		for o := range wrong {
			if suspects[o] {
				a.log.Error(ErrHistoryRewound, "a cache shows what the API server does not have", "kind", o.kind, "namespace", o.name.Namespace, "name", o.name.Name)
				return ErrHistoryRewound
			}
		}
		// What is wrong may be a watch event on its way: it gets a moment.
		suspects, pause = wrong, a.options.Timing.Audit
		if len(wrong) > 0 {
			pause = min(pause, settleFor)
		}
	}
}

// settleFor is how long a watch event may be on its way.
const settleFor = 3 * time.Second

// objectVersion is one state of one object.
type objectVersion struct {
	kind    string
	name    types.NamespacedName
	uid     types.UID
	version string
}

// compare returns what the caches show and the API server does not have.
func (a *audit) compare(ctx context.Context) (map[objectVersion]bool, error) {
	wrong := map[objectVersion]bool{}
	for _, kind := range auditedKinds {
		cached, err := a.cached(ctx, kind)
		if err != nil {
			return nil, err
		}
		live, err := a.listed(ctx, kind)
		if err != nil {
			return nil, err
		}
		for o := range cached {
			if !live[o] {
				wrong[o] = true
			}
		}
		// An object that the cache lacks is wrong too, unless it is new.
		for o := range live {
			if !cached[o] {
				wrong[o] = true
			}
		}
	}
	return wrong, nil
}

func (a *audit) cached(ctx context.Context, kind string) (map[objectVersion]bool, error) {
	lists := map[string]client.ObjectList{
		v1alpha1.KindAuthServer:       &v1alpha1.AuthServerList{},
		v1alpha1.KindIdentityProvider: &v1alpha1.IdentityProviderList{},
		v1alpha1.KindTenantJWTPolicy:  &v1alpha1.TenantJWTPolicyList{},
	}
	list := lists[kind]
	if err := a.client.List(ctx, list); err != nil {
		return nil, fmt.Errorf("listing cached %s objects: %w", kind, err)
	}
	out := map[objectVersion]bool{}
	for _, o := range items(list) {
		out[objectVersion{kind, client.ObjectKeyFromObject(o), o.GetUID(), o.GetResourceVersion()}] = true
	}
	return out, nil
}

// listed asks for metadata only, in pages.
func (a *audit) listed(ctx context.Context, kind string) (map[objectVersion]bool, error) {
	namespaces := a.options.Namespaces
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	out := map[objectVersion]bool{}
	for _, namespace := range namespaces {
		next := ""
		for {
			list := &metav1.PartialObjectMetadataList{}
			list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind + "List"))
			if err := a.live.List(ctx, list, client.InNamespace(namespace), client.Limit(500), client.Continue(next)); err != nil {
				return nil, fmt.Errorf("listing %s objects: %w", kind, err)
			}
			for i := range list.Items {
				o := &list.Items[i]
				out[objectVersion{kind, client.ObjectKeyFromObject(o), o.UID, o.ResourceVersion}] = true
			}
			if next = list.Continue; next == "" {
				break
			}
		}
	}
	return out, nil
}
