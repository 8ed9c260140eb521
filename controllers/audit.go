// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// ErrCachesWrong ends the manager: the caches show what the API server does not have, and watches will not mend it. That
// is what an etcd restored from an older copy looks like from here: a watch goes on from a version that the new history
// has not reached, or has passed with other contents. A new process reads everything anew.
var ErrCachesWrong = errors.New("the caches show what the API server does not have, as after a restore of etcd; starting anew")

// audit compares the caches of the kinds that decide who gets in with the API server: now and then, and before anything is
// written after a request got no answer.
type audit struct {
	client  client.Reader
	live    client.Reader
	options Options
	log     logr.Logger

	mu sync.Mutex
	// trusted is the count of the suspicion at the last comparison that found nothing.
	trusted int64
	// lists are the versions of the last live lists, which only a rewound history goes back from.
	lists map[string]string
}

// suspicionTick is how often an outstanding suspicion is looked into.
const suspicionTick = time.Second

var auditedKinds = []string{v1alpha1.KindAuthServer, v1alpha1.KindIdentityProvider, v1alpha1.KindTenantJWTPolicy}

// NeedLeaderElection makes only the operator that writes look.
func (a *audit) NeedLeaderElection() bool { return true }

// Start compares until ctx ends. It returns ErrCachesWrong when a cache is wrong beyond doubt, or doubtful for longer than any
// watch takes to come back; for less long while there is a suspicion, since nothing is written meanwhile.
func (a *audit) Start(ctx context.Context) error {
	doubtful := map[objectVersion]time.Time{}
	tick := time.NewTicker(min(a.options.Timing.Audit, suspicionTick))
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		suspicious := a.suspicious()
		if !suspicious && time.Since(last) < a.options.Timing.Audit {
			continue
		}
		last = time.Now()
		found, err := a.compare(ctx)
		if err != nil {
			a.log.Info("the caches could not be compared: " + err.Error())
			continue
		}
		patience := a.options.Timing.Doubt
		if suspicious {
			patience = min(patience, a.options.Timing.Suspect)
			maps.Copy(found.doubtful, found.unseen)
		}
		if found.wrong != nil {
			a.log.Error(ErrCachesWrong, "beyond doubt", "object", found.wrong.String())
			return ErrCachesWrong
		}
		now := time.Now()
		for o := range found.doubtful {
			since, known := doubtful[o]
			if known && now.Sub(since) > patience {
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

// suspicious tells whether a request got no answer since the caches were last found to be right.
func (a *audit) suspicious() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.options.Suspicion.count() != a.trusted
}

// trusts tells whether the caches may decide what is written. It asks the API server only while there is a suspicion.
func (a *audit) trusts(ctx context.Context) bool {
	if !a.suspicious() {
		return true
	}
	found, err := a.compare(ctx)
	return err == nil && found.none()
}

// compare looks at each kind in each watched namespace: what one watch feeds. When it finds nothing, the suspicion that stood
// before is settled.
func (a *audit) compare(ctx context.Context) (discrepancies, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	raised := a.options.Suspicion.count()
	all, err := a.compareAll(ctx)
	if err == nil && all.none() {
		a.trusted = raised
	}
	return all, err
}

func (a *audit) compareAll(ctx context.Context) (discrepancies, error) {
	all := discrepancies{doubtful: map[objectVersion]time.Time{}, unseen: map[objectVersion]time.Time{}}
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
			if err := errors.Join(all.add(cached, live, version), a.note(&all, kind, namespace, version)); err != nil {
				return all, err
			}
		}
	}
	return all, nil
}
