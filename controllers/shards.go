// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// mountedCounts returns the shard counts that pods mount or will: of the Deployment's template first (0 when there is none), then of
// all pods that still run, without repetition.
func (r *Reconciler) mountedCounts(ctx context.Context, server types.NamespacedName, pods []corev1.Pod) (template int, all []int, err error) {
	var d appsv1.Deployment
	err = r.client.Get(ctx, types.NamespacedName{Namespace: server.Namespace, Name: workloadName(server.Name)}, &d)
	if err != nil && !apierrors.IsNotFound(err) {
		return 0, nil, fmt.Errorf("reading Deployment: %w", err)
	}
	template = countOf(server.Name, d.Spec.Template.Spec.Volumes)
	counts := map[int]bool{template: true}
	for i := range pods {
		counts[countOf(server.Name, pods[i].Spec.Volumes)] = true
	}
	delete(counts, 0)
	return template, slices.Sorted(maps.Keys(counts)), nil
}

// countOf reads the number of tenants files from a pod's volumes; 0 when it mounts none.
func countOf(server string, volumes []corev1.Volume) int {
	for _, v := range volumes {
		if v.Projected == nil {
			continue
		}
		for _, s := range v.Projected.Sources {
			if s.Secret == nil {
				continue
			}
			if count, ok := parseTenantsName(server, s.Secret.Name); ok {
				return count
			}
		}
	}
	return 0
}

// parseTenantsName returns the size of the set that a tenants Secret of the server belongs to.
func parseTenantsName(server, secret string) (count int, ok bool) {
	rest, found := strings.CutPrefix(secret, workloadName(server)+"-tenants-")
	if !found {
		return 0, false
	}
	count, _, ok = config.ParseTenantsFile("tenants-" + rest + ".json.gz")
	return count, ok
}

// folded returns the tenants files of a smaller set, made from those of a larger one: while pods still mount the
// smaller set it is kept up to date as far as it fits. A file that is too large stays as it was last written.
func folded(files map[string][]byte, count int) (map[string][]byte, error) {
	shards := make([]config.Tenants, count)
	for name, data := range files {
		if _, _, ok := config.ParseTenantsFile(name); !ok {
			continue
		}
		t, err := config.ParseTenants(name, data)
		if err != nil {
			return nil, fmt.Errorf("folding shards: %w", err)
		}
		fold(t, shards)
	}
	out := map[string][]byte{}
	for n := range shards {
		s := &shards[n]
		s.Version, s.Shard, s.Count = config.Version, n, count
		slices.SortFunc(s.Policies, func(a, b config.Policy) int { return cmp.Compare(a.TenantID, b.TenantID) })
		slices.SortFunc(s.Credentials, func(a, b config.Credential) int { return cmp.Compare(a.Name, b.Name) })
		data, err := s.Encode()
		if err != nil {
			return nil, fmt.Errorf("folding shards: %w", err)
		}
		if len(data) <= maxSecretData {
			out[config.TenantsFile(count, n)] = data
		}
	}
	return out, nil
}

// fold deals what is in t, with the bundles that it names, to the shards.
func fold(t *config.Tenants, shards []config.Tenants) {
	to := func(name, bundle string) *config.Tenants {
		s := &shards[config.ShardOf(name, len(shards))]
		if bundle != "" {
			if s.Bundles == nil {
				s.Bundles = map[string]string{}
			}
			s.Bundles[bundle] = t.Bundles[bundle]
		}
		return s
	}
	for i := range t.Policies {
		s := to(t.Policies[i].TenantID, t.Policies[i].CABundle)
		s.Policies = append(s.Policies, t.Policies[i])
	}
	for i := range t.Credentials {
		s := to(t.Credentials[i].Name, t.Credentials[i].CABundle)
		s.Credentials = append(s.Credentials, t.Credentials[i])
	}
}

// maxSecretData is what one file may take in a Secret, whose whole may have 1 MiB.
const maxSecretData = config.MaxFile - 16<<10

// pruneShards removes the tenants Secrets of sets that no pod mounts.
func (a *applier) pruneShards(ctx context.Context, wanted []int) error {
	secrets := &metav1.PartialObjectMetadataList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "SecretList"}}
	err := a.r.client.List(ctx, secrets, client.InNamespace(a.server.Namespace), client.MatchingLabels{v1alpha1.LabelServer: a.server.Name})
	if err != nil {
		return fmt.Errorf("listing Secrets: %w", err)
	}
	for i := range secrets.Items {
		name := secrets.Items[i].Name
		count, ok := parseTenantsName(a.server.Name, name)
		if !ok || slices.Contains(wanted, count) {
			continue
		}
		a.r.log.Info("removing a tenants Secret that no pod mounts", "namespace", a.server.Namespace, "name", name, "shards", strconv.Itoa(count))
		if err := a.remove(ctx, objectID{kindSecret, name}); err != nil {
			return err
		}
	}
	return nil
}
