// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/pager"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// The resources that are read.
const (
	authServers       = "authservers"
	identityProviders = "identityproviders"
	tenantJWTPolicies = "tenantjwtpolicies"
)

// maxEvents bounds how many Warning events are read.
const maxEvents = 2000

// Options say what is read.
type Options struct {
	// Namespace is the one to read; empty for all.
	Namespace string
	// Pods asks the pods what they serve, which takes the right to get pods/proxy.
	Pods bool
}

// Objects are what was read.
type Objects struct {
	Time      time.Time
	Servers   []*v1alpha1.AuthServer
	Providers []*v1alpha1.IdentityProvider
	Policies  []*v1alpha1.TenantJWTPolicy
	// Unreadable are the AuthServers of other namespaces that objects name and this user may not read.
	Unreadable map[types.NamespacedName]bool
	Events     []corev1.Event
	Pods       []corev1.Pod
	// Answers are what pods say, with Options.Pods.
	Answers map[types.NamespacedName]Answer
	// Notes are what could not be read and is no reason to tell nothing.
	Notes []string
}

// Read reads everything, at now. Its errors say what to do next.
func (c *Cluster) Read(ctx context.Context, o Options, now time.Time) (*Objects, error) {
	out := &Objects{Time: now}
	kinds := []struct {
		resource string
		list     runtime.Object
		add      func(runtime.Object)
	}{
		{authServers, &v1alpha1.AuthServerList{}, func(r runtime.Object) { out.Servers = appendAs(out.Servers, r) }},
		{identityProviders, &v1alpha1.IdentityProviderList{}, func(r runtime.Object) { out.Providers = appendAs(out.Providers, r) }},
		{tenantJWTPolicies, &v1alpha1.TenantJWTPolicyList{}, func(r runtime.Object) { out.Policies = appendAs(out.Policies, r) }},
	}
	errs := make(chan error, len(kinds))
	var denied []string
	for _, k := range kinds {
		go func() {
			err := c.each(ctx, c.gatehouse, k.resource, o.Namespace, metav1.ListOptions{}, k.list, func(r runtime.Object) error { k.add(r); return nil })
			errs <- resourceError{k.resource, err}
		}()
	}
	var failed error
	for range kinds {
		var e resourceError
		errors.As(<-errs, &e)
		switch {
		case e.err == nil:
		case apierrors.IsForbidden(e.err):
			denied = append(denied, e.resource)
		default:
			failed = c.explain(e.err, "list", e.resource, o.Namespace)
		}
	}
	if failed == nil && len(denied) > 0 {
		failed = c.forbidden(slices.Sorted(slices.Values(denied)), "list", o.Namespace)
	}
	if failed != nil {
		return nil, failed
	}
	return out, c.complete(ctx, o, out)
}

// resourceError says which list an error, or none, is of.
type resourceError struct {
	resource string
	err      error
}

func (e resourceError) Error() string { return fmt.Sprintf("%s: %v", e.resource, e.err) }

func (e resourceError) Unwrap() error { return e.err }

func appendAs[T runtime.Object](list []T, r runtime.Object) []T {
	if o, ok := r.(T); ok {
		return append(list, o)
	}
	return list
}

// each lists a resource page by page; list is an empty list of its kind.
func (c *Cluster) each(ctx context.Context, client rest.Interface, resource, namespace string, options metav1.ListOptions, list runtime.Object, add func(runtime.Object) error) error {
	pages := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		page := list.DeepCopyObject()
		err := client.Get().NamespaceIfScoped(namespace, namespace != "").Resource(resource).VersionedParams(&options, c.parameters).Do(ctx).Into(page)
		return page, err
	})
	return pages.EachListItem(ctx, options, func(r runtime.Object) error {
		if o, ok := r.(metav1.Object); ok {
			o.SetManagedFields(nil) // half of what an object weighs
		}
		return add(r)
	})
}

// complete reads what belongs to the objects: AuthServers of other namespaces, events and pods.
func (c *Cluster) complete(ctx context.Context, o Options, out *Objects) error {
	if err := c.readForeign(ctx, o, out); err != nil {
		return err
	}
	if err := c.readEvents(ctx, o, out); err != nil {
		return err
	}
	if err := c.readPods(ctx, o, out); err != nil {
		return err
	}
	if o.Pods {
		c.askPods(ctx, out)
	}
	return nil
}

// readForeign reads the AuthServers that objects name and that lie in namespaces that were not listed.
func (c *Cluster) readForeign(ctx context.Context, o Options, out *Objects) error {
	if o.Namespace == "" {
		return nil
	}
	out.Unreadable = map[types.NamespacedName]bool{}
	for name := range out.named() {
		if name.Namespace == o.Namespace {
			continue
		}
		server := &v1alpha1.AuthServer{}
		err := c.gatehouse.Get().Namespace(name.Namespace).Resource(authServers).Name(name.Name).Do(ctx).Into(server)
		switch {
		case err == nil:
			out.Servers = append(out.Servers, server)
		case apierrors.IsForbidden(err):
			out.Unreadable[name] = true
		case !apierrors.IsNotFound(err):
			return c.explain(err, "get", authServers, name.Namespace)
		}
	}
	return nil
}

// named are the AuthServers that objects name.
func (o *Objects) named() map[types.NamespacedName]bool {
	names := map[types.NamespacedName]bool{}
	for _, p := range o.Providers {
		names[serverOf(p.Namespace, p.Spec.AuthServerRef)] = true
	}
	for _, p := range o.Policies {
		names[serverOf(p.Namespace, p.Spec.AuthServerRef)] = true
	}
	return names
}

// serverOf is the AuthServer that an object of namespace names.
func serverOf(namespace string, ref v1alpha1.AuthServerReference) types.NamespacedName {
	name := types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}
	if name.Namespace == "" {
		name.Namespace = namespace
	}
	if name.Name == "" {
		name.Name = v1alpha1.DefaultServerName
	}
	return name
}

// readEvents reads the Warning events of Gatehouse's objects. Without the right to it, the report goes without.
func (c *Cluster) readEvents(ctx context.Context, o Options, out *Objects) error {
	enough := errors.New("enough")
	options := metav1.ListOptions{FieldSelector: "type=Warning,involvedObject.apiVersion=" + v1alpha1.GroupVersion.String()}
	err := c.each(ctx, c.core, "events", o.Namespace, options, &corev1.EventList{}, func(r runtime.Object) error {
		if e, ok := r.(*corev1.Event); ok {
			out.Events = append(out.Events, *e)
		}
		if len(out.Events) >= maxEvents {
			return enough
		}
		return nil
	})
	return c.tolerate(err, out, "events", o.Namespace, enough)
}

// readPods reads the pods of the servers: all of them with Options.Pods, else only if a server has something to explain.
func (c *Cluster) readPods(ctx context.Context, o Options, out *Objects) error {
	if !o.Pods && !out.needPods() {
		return nil
	}
	options := metav1.ListOptions{LabelSelector: v1alpha1.LabelServer}
	err := c.each(ctx, c.core, "pods", o.Namespace, options, &corev1.PodList{}, func(r runtime.Object) error {
		if p, ok := r.(*corev1.Pod); ok {
			out.Pods = append(out.Pods, *p)
		}
		return nil
	})
	return c.tolerate(err, out, "pods", o.Namespace, nil)
}

// needPods tells whether the pods have something to explain.
func (o *Objects) needPods() bool {
	for _, s := range o.Servers {
		j := judge(&s.ObjectMeta, s.Status.ObservedGeneration, s.Status.Conditions, o.Time)
		if !j.State.ready() || len(replicaAdvice(s)) > 0 {
			return true
		}
	}
	return false
}

// tolerate turns a missing right into a note. Errors other than that, and than done, are returned.
func (c *Cluster) tolerate(err error, out *Objects, resource, namespace string, done error) error {
	switch {
	case err == nil, done != nil && errors.Is(err, done):
		return nil
	case apierrors.IsForbidden(err):
		where := "namespace " + namespace
		if namespace == "" {
			where = "all namespaces"
		}
		out.Notes = append(out.Notes, fmt.Sprintf("%s are not shown: you may not list them in %s", resource, where))
		return nil
	}
	return c.explain(err, "list", resource, namespace)
}
