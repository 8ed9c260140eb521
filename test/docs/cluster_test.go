// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

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
	t.Cleanup(cluster.Unlock)
	if cluster.Machine == nil {
		if err := startCluster(t.Context(), built); err != nil {
			t.Fatal(err)
		}
	}
	clear := cluster.Control.Kubectl(t.Context(), "--namespace=default", "get", "gatehouse", "--output=name")
	if out, err := clear.CombinedOutput(); err != nil || len(out) > 0 && string(out) != "No resources found in default namespace.\n" {
		t.Logf("an earlier page left: %s %v", out, err)
	}
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

func stopCluster() {
	if cluster.Machine == nil {
		return
	}
	if err := cluster.Stop(false); err != nil {
		fmt.Fprintln(os.Stderr, "stopping the cluster:", err)
	}
}
