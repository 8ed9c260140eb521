// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	machine "github.com/gatehouse-auth/gatehouse/test/local"
)

// cluster is a control plane with CRDs and operator, started when the first page asks for it. Pages have it one after the other.
var cluster struct {
	sync.Mutex
	*machine.Machine
	pods string
}

func useCluster(t *testing.T, s *shell, bin string) []string {
	t.Helper()
	built := programs(t)
	cluster.Lock()
	t.Cleanup(cluster.Unlock) // after emptyCluster
	if cluster.Machine == nil {
		if err := startCluster(t.Context(), built); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { emptyCluster(t) })
	this, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(this, filepath.Join(bin, "kubectl")); err != nil {
		t.Fatal(err)
	}
	s.environment = append(s.environment, "KUBECONFIG="+cluster.Control.Kubeconfig(), "DOCS_PODS="+cluster.pods,
		"DOCS_KUBECTL="+cluster.Control.Kubectl(t.Context()).Path)
	return nil
}

func startCluster(ctx context.Context, built string) error {
	log.SetLogger(logr.Discard()) // controller-runtime complains once without one
	cluster.pods = loopback()
	m, err := machine.Start(context.WithoutCancel(ctx), machine.Options{Bin: built, PodIP: cluster.pods})
	if err != nil {
		return err
	}
	cluster.Machine = m
	if err := m.Kubectl(ctx, "apply", "--server-side", "-k", repository+"/config/default"); err != nil {
		return err
	}
	return m.StartOperator()
}

// emptyCluster removes what a page left, so that the next one begins where its readers do. What was made for an AuthServer goes too, which
// in a cluster is the garbage collector's.
func emptyCluster(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if t.Failed() {
		state, _ := cluster.Control.Kubectl(ctx, "get", "authservers,identityproviders,tenantjwtpolicies,deployments,pods", "--namespace=default", "--output=yaml").CombinedOutput()
		t.Logf("%s\noperator:\n%s\nkubelet:\n%s", state, read(filepath.Join(cluster.Dir, "operator.log")), read(filepath.Join(cluster.Dir, "kubelet.log")))
	}
	for _, args := range [][]string{
		{"delete", "tenantjwtpolicies,identityproviders", "--all"}, {"delete", "authservers", "--all"},
		{"delete", "deployments,services,serviceaccounts,poddisruptionbudgets,networkpolicies,secrets", "--selector=auth.gatehouse.dev/server"},
		{"delete", "secrets", "--all"}, {"wait", "--for=delete", "pods", "--all", "--timeout=8m"},
	} {
		if err := cluster.Kubectl(ctx, append(args, "--namespace=default")...); err != nil {
			t.Error(err)
		}
	}
}

func stopCluster() {
	if cluster.Machine == nil {
		return
	}
	if err := cluster.Stop(false); err != nil {
		fmt.Fprintln(os.Stderr, "stopping the cluster:", err)
	}
}

// apply creates an object in the cluster before a page begins.
func apply(t *testing.T, manifest string) {
	t.Helper()
	command := cluster.Control.Kubectl(t.Context(), "apply", "--filename=-")
	command.Stdin = strings.NewReader(manifest)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
