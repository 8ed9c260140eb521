// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// Kubeconfig says which cluster to ask and as whom, with kubectl's own flags and rules: --kubeconfig, else $KUBECONFIG, else ~/.kube/config, else, inside a
// pod, the pod's ServiceAccount.
type Kubeconfig struct {
	// Path is --kubeconfig.
	Path string
	// Overrides are the flags that overrule the file: --context, --namespace, --cluster, --user, --as and the others.
	Overrides clientcmd.ConfigOverrides
}

// Cluster is a cluster as one user sees it. It is safe for concurrent use.
type Cluster struct {
	// Context is the kubeconfig's context; empty inside a pod.
	Context string
	// Namespace is the one that the flags or the context name, else "default".
	Namespace string

	server          string // for messages
	gatehouse, core rest.Interface
	parameters      runtime.ParameterCodec
}

// Connect reads the kubeconfig; it asks the cluster nothing yet. Its errors say what to do next.
func Connect(k Kubeconfig) (*Cluster, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = k.Path
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &k.Overrides)
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, explainConfig(err, loader, &k, rules)
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, explainConfig(err, loader, &k, rules)
	}
	c := &Cluster{Namespace: namespace, server: config.Host, Context: k.Overrides.CurrentContext}
	if raw, err := loader.RawConfig(); err == nil && c.Context == "" {
		c.Context = raw.CurrentContext
	}
	return c, c.dial(config)
}

// dial makes the two clients, which share connections. They know three kinds, Pods and Events: the registry of all of Kubernetes' would cost every
// command of this program its start.
func (c *Cluster) dial(config *rest.Config) error {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return fmt.Errorf("preparing the client: %w", err)
	}
	scheme.AddKnownTypes(corev1.SchemeGroupVersion, &corev1.Pod{}, &corev1.PodList{}, &corev1.Event{}, &corev1.EventList{})
	metav1.AddToGroupVersion(scheme, corev1.SchemeGroupVersion)
	c.parameters = runtime.NewParameterCodec(scheme)

	config = rest.CopyConfig(config)
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.WarningHandler = rest.NoWarnings{}
	config.QPS = -1 // the API server has priorities and fairness of its own
	config.UserAgent = "gatehouse-status"
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return fmt.Errorf("preparing the client of %s: %w", c.server, err)
	}
	open := func(path string, version schema.GroupVersion) (rest.Interface, error) {
		config := rest.CopyConfig(config)
		config.APIPath, config.GroupVersion = path, &version
		return rest.RESTClientForConfigAndClient(config, client)
	}
	if c.gatehouse, err = open("/apis", v1alpha1.GroupVersion); err != nil {
		return fmt.Errorf("preparing the client of %s: %w", c.server, err)
	}
	if c.core, err = open("/api", corev1.SchemeGroupVersion); err != nil {
		return fmt.Errorf("preparing the client of %s: %w", c.server, err)
	}
	return nil
}
