// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

const (
	// settle is how long a change waits for others: one apply changes many objects.
	settle = 200 * time.Millisecond
	// refresh is how often what is not watched, events and pods, is read anew, and ages are.
	refresh = 5 * time.Second
)

// Watch calls show with what there is, again after each change and every few seconds, until ctx ends or show fails. trouble says why what is shown may be out of
// date; it is nil once the cluster answers again. It returns nil when ctx ends. now is the clock.
func (c *Cluster) Watch(ctx context.Context, o Options, now func() time.Time, show func(out *Objects, trouble error) error) error {
	first, err := c.Read(ctx, o, now()) // its errors are the clearest
	if err != nil || ctx.Err() != nil {
		return err
	}
	if err := show(first, nil); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &watcher{cluster: c, options: o, changed: make(chan struct{}, 1), trouble: map[string]error{}}
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	stores := map[string]cache.Store{}
	for resource, example := range map[string]runtime.Object{
		authServers: &v1alpha1.AuthServer{}, identityProviders: &v1alpha1.IdentityProvider{}, tenantJWTPolicies: &v1alpha1.TenantJWTPolicy{},
	} {
		store, controller := w.informer(resource, example)
		stores[resource] = store
		work.Go(func() { controller.RunWithContext(ctx) })
		if !cache.WaitForCacheSync(ctx.Done(), controller.HasSynced) {
			return nil
		}
	}
	return w.loop(ctx, stores, first, now, show)
}

// watcher keeps stores of the three kinds current.
type watcher struct {
	cluster *Cluster
	options Options
	changed chan struct{}

	mu      sync.Mutex
	trouble map[string]error // by resource: why it is not being watched
}

func (w *watcher) informer(resource string, example runtime.Object) (cache.Store, cache.Controller) {
	client, codec, namespace := w.cluster.gatehouse, w.cluster.parameters, w.options.Namespace
	empty := map[string]runtime.Object{authServers: &v1alpha1.AuthServerList{}, identityProviders: &v1alpha1.IdentityProviderList{}, tenantJWTPolicies: &v1alpha1.TenantJWTPolicyList{}}[resource]
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			list := empty.DeepCopyObject()
			err := client.Get().NamespaceIfScoped(namespace, namespace != "").Resource(resource).VersionedParams(&options, codec).Do(ctx).Into(list)
			w.note(resource, "list", err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.Watch = true
			stream, err := client.Get().NamespaceIfScoped(namespace, namespace != "").Resource(resource).VersionedParams(&options, codec).Watch(ctx)
			w.note(resource, "watch", err)
			return stream, err
		},
	}
	tell := func(any) { w.tell() }
	return cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: lw, ObjectType: example,
		Handler:   cache.ResourceEventHandlerFuncs{AddFunc: tell, UpdateFunc: func(any, any) { w.tell() }, DeleteFunc: tell},
		Transform: func(o any) (any, error) { lighten(o); return o, nil },
	})
}

// lighten drops half of what an object weighs.
func lighten(o any) {
	if m, ok := o.(metav1.Object); ok {
		m.SetManagedFields(nil)
	}
}

func (w *watcher) tell() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// note keeps why a resource is not being watched, or that it is.
func (w *watcher) note(resource, verb string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.trouble[resource]
	delete(w.trouble, resource)
	if err != nil {
		w.trouble[resource] = w.cluster.explain(err, verb, resource, w.options.Namespace)
	}
	if (before == nil) != (err == nil) {
		w.tell()
	}
}

func (w *watcher) troubled() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, resource := range []string{authServers, identityProviders, tenantJWTPolicies} {
		if err := w.trouble[resource]; err != nil {
			return err
		}
	}
	return nil
}

func (w *watcher) loop(ctx context.Context, stores map[string]cache.Store, last *Objects, now func() time.Time, show func(*Objects, error) error) error {
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-w.changed:
			if !pause(ctx, settle) {
				return nil
			}
		}
		out := &Objects{Time: now()}
		out.Servers = all[*v1alpha1.AuthServer](stores[authServers])
		out.Providers = all[*v1alpha1.IdentityProvider](stores[identityProviders])
		out.Policies = all[*v1alpha1.TenantJWTPolicy](stores[tenantJWTPolicies])
		err := w.cluster.complete(ctx, w.options, out)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil { // what was read of the rest before is better than nothing
			out.Unreadable, out.Events, out.Pods, out.Answers, out.Notes = last.Unreadable, last.Events, last.Pods, last.Answers, last.Notes
		}
		last = out
		if trouble := w.troubled(); trouble != nil {
			err = trouble
		}
		if err := show(out, err); err != nil {
			return err
		}
	}
}

// pause waits, and returns false if ctx ends meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func all[T any](s cache.Store) []T {
	list := s.List()
	out := make([]T, 0, len(list))
	for _, item := range list {
		if o, ok := item.(T); ok {
			out = append(out, o)
		}
	}
	return out
}
