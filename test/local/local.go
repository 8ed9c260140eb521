// SPDX-License-Identifier: Apache-2.0

package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/test/kube"
	"github.com/gatehouse-auth/gatehouse/test/kubelet"
)

const (
	// namespace is the one whose Deployments are run.
	namespace = "default"
	// account is the operator's ServiceAccount in config/default.
	account = "system:serviceaccount:gatehouse-system:gatehouse-operator"
)

// Options say what runs and where.
type Options struct {
	// Bin is the folder of the programs operator and authserver.
	Bin string
	// PodIP is the loopback address of the pods; default 127.0.0.1.
	PodIP string
}

// Machine is a running control plane with what runs on it.
type Machine struct {
	// Control is the control plane, whose parts may be stopped, started and restored.
	Control *kube.ControlPlane
	// Dir holds logs and volumes; Stop removes it.
	Dir string

	options  Options
	operator *operator
	stopPods context.CancelFunc
	pods     sync.WaitGroup
}

// Start brings up the control plane and begins to run Deployments. The operator is started with StartOperator, after its rights have been applied.
func Start(ctx context.Context, options Options) (*Machine, error) {
	dir, err := os.MkdirTemp("", "gatehouse-local-")
	if err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	m := &Machine{Dir: dir, options: options}
	if m.Control, err = kube.Start(ctx, kube.Options{}); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the control plane: %w", err), os.RemoveAll(dir))
	}
	if err := m.startPods(); err != nil {
		return nil, errors.Join(err, m.Stop(true))
	}
	return m, nil
}

// startPods begins to play controller-manager and kubelet.
func (m *Machine) startPods() error {
	log, err := os.Create(filepath.Join(m.Dir, "kubelet.log"))
	if err != nil {
		return err
	}
	config := m.Control.RestConfig()
	config.QPS, config.Burst = 500, 1000
	c, err := client.New(config, client.Options{Scheme: scheme.Scheme})
	if err != nil {
		return errors.Join(err, log.Close())
	}
	k := &kubelet.Kubelet{
		Client: c, Namespace: namespace, Dir: m.Dir, PodIP: m.options.PodIP,
		Binaries: map[string]string{"/authserver": filepath.Join(m.options.Bin, "authserver")},
		Log:      slog.New(slog.NewTextHandler(log, nil)),
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.stopPods = func() { cancel(); m.pods.Wait(); _ = log.Close() }
	m.pods.Go(func() { k.Run(ctx) })
	return nil
}

// Stop ends everything in order, the control plane last. With keep the logs stay.
func (m *Machine) Stop(keep bool) error {
	m.StopOperator()
	if m.stopPods != nil {
		m.stopPods()
	}
	if err := m.Control.Stop(); err != nil || keep {
		return err
	}
	return os.RemoveAll(m.Dir)
}

// Kubectl runs kubectl against the machine's API server; its output is in the error.
func (m *Machine) Kubectl(ctx context.Context, args ...string) error {
	out, err := m.Control.Kubectl(ctx, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("kubectl %v: %w\n%s", args, err, out)
	}
	return nil
}

// Build makes the programs that Start needs in dir, from the module that the working directory is in.
func Build(ctx context.Context, dir string) error {
	command := exec.CommandContext(ctx, "go", "build", "-o", dir+string(filepath.Separator),
		"github.com/gatehouse-auth/gatehouse/cmd/operator", "github.com/gatehouse-auth/gatehouse/cmd/authserver")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("building the programs: %w\n%s", err, out)
	}
	return nil
}
