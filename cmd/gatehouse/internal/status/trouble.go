// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// explainConfig says why there is no cluster to ask, and which flag or file would name one.
func explainConfig(err error, loader clientcmd.ClientConfig, k *Kubeconfig, rules *clientcmd.ClientConfigLoadingRules) error {
	raw, rawErr := loader.RawConfig()
	switch {
	case k.Path != "" && errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("--kubeconfig: %s does not exist", k.Path)
	case rawErr == nil && k.Overrides.CurrentContext == "" && raw.CurrentContext == "" && len(raw.Contexts) > 0:
		return fmt.Errorf("the kubeconfig names no current context; %s", contexts(slices.Sorted(maps.Keys(raw.Contexts))))
	case clientcmd.IsEmptyConfig(err):
		return fmt.Errorf("there is no cluster to ask: no kubeconfig at %s; name one with --kubeconfig FILE or the environment variable KUBECONFIG",
			strings.Join(rules.GetLoadingPrecedence(), " or "))
	case rawErr == nil && k.Overrides.CurrentContext != "" && raw.Contexts[k.Overrides.CurrentContext] == nil:
		return fmt.Errorf("--context: the kubeconfig has no context %q; %s", k.Overrides.CurrentContext, contexts(slices.Sorted(maps.Keys(raw.Contexts))))
	}
	return fmt.Errorf("reading the kubeconfig: %w", err)
}

func contexts(names []string) string {
	const most = 20
	if len(names) == 0 {
		return "it has none"
	}
	if len(names) > most {
		names = append(names[:most:most], "…")
	}
	return "choose one with --context: " + strings.Join(names, ", ")
}

// explain says what a failed request means and what to do next. what is the resource, in namespace or, if that is empty, in all.
func (c *Cluster) explain(err error, verb, resource, namespace string) error {
	var unknownCA x509.UnknownAuthorityError
	var wrongName x509.HostnameError
	var record tls.RecordHeaderError
	var dns *net.DNSError
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return err
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("%s takes these credentials for nobody's: they may have expired; log in to the cluster again", c.name())
	case apierrors.IsForbidden(err):
		return c.forbidden([]string{resource}, verb, namespace)
	case apierrors.IsNotFound(err):
		return c.noKinds(resource)
	case errors.As(err, &unknownCA), errors.As(err, &wrongName), errors.As(err, &record):
		return fmt.Errorf("%s is not whom the kubeconfig expects: %w; check certificate-authority-data and server of the cluster in it", c.name(), cause(err))
	case errors.As(err, &dns):
		return fmt.Errorf("%s cannot be found: %w; is this the right context, and are you on its network (VPN)?", c.name(), cause(err))
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return fmt.Errorf("%s does not answer in time; is this the right context, and are you on its network (VPN)?", c.name())
	case isNetwork(err):
		return fmt.Errorf("%s cannot be reached: %w; is the cluster running, and is this the right context?", c.name(), cause(err))
	}
	return fmt.Errorf("asking %s to %s %s: %w", c.name(), verb, resource, err)
}

// forbidden names the very right that is missing, and how an administrator gives it.
func (c *Cluster) forbidden(resources []string, verb, namespace string) error {
	names := make([]string, len(resources))
	for i, r := range resources {
		names[i] = r + "." + v1alpha1.GroupVersion.Group
	}
	what := fmt.Sprintf("you may not %s %s", verb, strings.Join(names, ", "))
	if namespace == "" {
		return fmt.Errorf("%s in all namespaces: ask for a ClusterRoleBinding to ClusterRole gatehouse-view (verbs get, list and watch), or name a namespace with -n", what)
	}
	return fmt.Errorf("%s in namespace %s: ask for a RoleBinding there to ClusterRole gatehouse-view, view, edit or admin (verbs get, list and watch)", what, namespace)
}

func (c *Cluster) noKinds(resource string) error {
	return fmt.Errorf("%s does not know %s.%s: Gatehouse is not installed there (install it with `make deploy`, or choose the cluster that has it with --context)",
		c.name(), resource, v1alpha1.GroupVersion.Group)
}

// name is the cluster in messages.
func (c *Cluster) name() string {
	if c.Context == "" {
		return "the API server at " + c.server
	}
	return fmt.Sprintf("the API server at %s (context %s)", c.server, c.Context)
}

// cause is the error without the URL that was asked, which net/http puts in front.
func cause(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}

func isNetwork(err error) bool {
	_, op := errors.AsType[*net.OpError](err)
	_, u := errors.AsType[*url.Error](err)
	return op || u
}
