// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"

	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// deniedCIDRs are what the operator's Pod reaches and nobody else should through it: its own containers, and what is on its link, as a node's services are. A
// program that somebody runs outside a cluster, to try it, has no containers beside it, and all that it is tried with is on loopback: there linkCIDRs remain.
const (
	deniedCIDRs = "127.0.0.0/8,::1/128," + linkCIDRs
	linkCIDRs   = "169.254.0.0/16,fe80::/10"
)

// defaultDenied is the list where the flag is not given. The kubelet sets the variable in each container.
func defaultDenied(getenv func(string) string) string {
	if getenv("KUBERNETES_SERVICE_HOST") == "" {
		return linkCIDRs
	}
	return deniedCIDRs
}

// flags are the command line and the environment.
type flags struct {
	namespaces         []string
	requireSecretLabel bool
	image              string
	deniedCIDRs        []netip.Prefix
	metricsAddress     string
	probeAddress       string
	leaderElect        bool
	logLevel           slog.Level

	podName, podNamespace string
}

func parseFlags(args []string, getenv func(string) string, stderr io.Writer) (*flags, error) {
	f := &flags{podName: getenv("POD_NAME"), podNamespace: getenv("POD_NAMESPACE")}
	fs := flag.NewFlagSet("operator", flag.ContinueOnError)
	fs.SetOutput(stderr)
	var namespaces, denied string
	fs.StringVar(&namespaces, "namespaces", "", "comma-separated namespaces to watch, at least one; without the flag all, which needs a ClusterRole")
	fs.BoolVar(&f.requireSecretLabel, "require-secret-label", false, "read only Secrets labelled auth.gatehouse.dev/allow: \"true\"")
	fs.StringVar(&f.image, "image", "", "image of the auth servers (default: the image of the Pod that POD_NAMESPACE and POD_NAME name)")
	fs.StringVar(&denied, "credential-denied-cidrs", defaultDenied(getenv), "comma-separated networks that are never dialled for the token of an outputSecretName, whatever AuthServers allow; at least one. Outside a cluster loopback is not among the default ones")
	fs.StringVar(&f.metricsAddress, "metrics-bind-address", ":8080", "address of /metrics; 0 turns it off")
	fs.StringVar(&f.probeAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz; 0 turns them off")
	fs.BoolVar(&f.leaderElect, "leader-elect", false, "work only while holding the lease, so that several replicas can run")
	fs.TextVar(&f.logLevel, "log-level", slog.LevelInfo, "least level that is logged: debug, info, warn or error")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if f.image == "" && (f.podName == "" || f.podNamespace == "") {
		return nil, errors.New("--image is required where POD_NAME and POD_NAMESPACE are not set")
	}
	var err error
	if f.deniedCIDRs, err = splitCIDRs(denied); err != nil {
		return nil, err
	}
	given := false
	fs.Visit(func(set *flag.Flag) { given = given || set.Name == "namespaces" })
	if !given {
		return f, nil
	}
	f.namespaces, err = splitNamespaces(namespaces)
	return f, err
}

// splitNamespaces refuses a list that was meant to hold something and is empty, as from a shell variable that is not
// set: it would mean all namespaces.
func splitNamespaces(list string) ([]string, error) {
	if strings.TrimSpace(list) == "" {
		return nil, errors.New("--namespaces is empty: name at least one namespace, or leave the flag out to watch all")
	}
	var out []string
	for n := range strings.SplitSeq(list, ",") {
		n = strings.TrimSpace(n)
		if problems := content.IsDNS1123Label(n); len(problems) > 0 {
			return nil, fmt.Errorf("--namespaces: %q is not a namespace: %s", n, strings.Join(problems, "; "))
		}
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out, nil
}

// splitCIDRs refuses a list that was meant to hold something and is empty: it would deny nothing.
func splitCIDRs(list string) ([]netip.Prefix, error) {
	if strings.TrimSpace(list) == "" {
		return nil, errors.New("--credential-denied-cidrs is empty: name at least one network, or leave the flag out for " + deniedCIDRs)
	}
	parts := strings.Split(list, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	out, err := outbound.ParseCIDRs(parts)
	if err != nil {
		return nil, fmt.Errorf("--credential-denied-cidrs%w", err)
	}
	return out, nil
}
