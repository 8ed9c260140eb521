// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/manifests"
)

// addPaths adds the flag -f.
func addPaths(cmd *cobra.Command, paths *[]string) {
	cmd.Flags().StringArrayVarP(paths, "filename", "f", nil,
		"file or folder of manifests, or - for standard input; may be repeated (required)\n"+
			"(folders are read recursively: *.yaml, *.yml and *.json, but no hidden files and no kustomizations)")
}

// checkPaths demands at least one path. A shell's glob gives its second and further names as arguments: they count too.
func checkPaths(paths, args []string) ([]string, error) {
	if len(paths) == 0 {
		return nil, errors.New("-f is required: name a file or folder of manifests, or - for standard input")
	}
	all := append(append([]string(nil), paths...), args...)
	stdin := 0
	for _, p := range all {
		if p == "" {
			return nil, errors.New("-f is empty")
		}
		if p == "-" {
			stdin++
		}
	}
	if stdin > 1 {
		return nil, errors.New("standard input can be read only once: give - once")
	}
	return all, nil
}

// defaultServer is the AuthServer that objects of namespace default belong to unless they say otherwise.
const defaultServer = "default/default"

// addServer adds the flag --auth-server.
func addServer(cmd *cobra.Command, server *string) {
	cmd.Flags().StringVar(server, "auth-server", defaultServer, "namespace/name of the AuthServer; \"default\" is implied if the manifests have none")
}

func parseServer(s string) (types.NamespacedName, error) {
	namespace, name, ok := strings.Cut(s, "/")
	if !ok || namespace == "" || name == "" || strings.Contains(name, "/") {
		return types.NamespacedName{}, fmt.Errorf("--auth-server is %q: want namespace/name, such as default/default", s)
	}
	return types.NamespacedName{Namespace: namespace, Name: name}, nil
}

// nothingFor says why there is nothing to serve for a server.
func nothingFor(set *manifests.Set, name types.NamespacedName) error {
	servers := set.Servers()
	var others []string
	for _, s := range servers {
		if s != name {
			others = append(others, s.String())
		}
	}
	switch {
	case set.Objects() == 0 && len(set.Findings) == 0:
		return unusable("nothing to serve: the manifests hold no AuthServer, IdentityProvider or TenantJWTPolicy (apiVersion auth.gatehouse.dev/v1alpha1)")
	case len(others) == len(servers) && len(others) > 0:
		return unusable("nothing to serve: no good document is for AuthServer %s; the manifests are for %s: choose one with --auth-server",
			name, strings.Join(others, ", "))
	default:
		return unusable("nothing to serve: every document for AuthServer %s has a mistake", name)
	}
}
