// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// maxNames bounds how many names a shell is offered.
const maxNames = 500

// Names are names of objects for a shell to complete, by the short name of their kind, at most 500 of each: one small request for each kind. namespace is empty
// for all namespaces. What cannot be read is left out.
func (c *Cluster) Names(ctx context.Context, namespace string) map[string][]string {
	out := map[string][]string{}
	for short, resource := range map[string]string{"as": authServers, "idp": identityProviders, "tjp": tenantJWTPolicies} {
		out[short] = names(ctx, c.gatehouse, resource, namespace)
	}
	return out
}

// Namespaces are names of namespaces for a shell to complete.
func (c *Cluster) Namespaces(ctx context.Context) []string {
	return names(ctx, c.core, "namespaces", "")
}

func names(ctx context.Context, client rest.Interface, resource, namespace string) []string {
	text, err := client.Get().NamespaceIfScoped(namespace, namespace != "").Resource(resource).Param("limit", strconv.Itoa(maxNames)).
		SetHeader("Accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1").Do(ctx).Raw()
	var list metav1.PartialObjectMetadataList
	if err != nil || json.Unmarshal(text, &list) != nil {
		return nil
	}
	var out []string
	for i := range list.Items {
		out = append(out, list.Items[i].Name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Contexts are the names of contexts that a kubeconfig has, for a shell to complete.
func (k *Kubeconfig) Contexts() []string { return slices.Sorted(maps.Keys(k.raw().Contexts)) }

// Clusters are the names of clusters, as [Kubeconfig.Contexts].
func (k *Kubeconfig) Clusters() []string { return slices.Sorted(maps.Keys(k.raw().Clusters)) }

// Users are the names of users, as [Kubeconfig.Contexts].
func (k *Kubeconfig) Users() []string { return slices.Sorted(maps.Keys(k.raw().AuthInfos)) }

// raw is the kubeconfig's content; empty if it cannot be read.
func (k *Kubeconfig) raw() *clientcmdapi.Config {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = k.Path
	config, err := rules.Load()
	if err != nil {
		return clientcmdapi.NewConfig()
	}
	return config
}
