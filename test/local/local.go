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
	operator *exec.Cmd
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
		return nil, fmt.Errorf("starting the control plane: %w", err)
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

// StartOperator runs the operator with the rights of its ServiceAccount. Its log is operator.log in Dir.
func (m *Machine) StartOperator() error {
	config, err := m.Control.AddUser(account, "system:serviceaccounts", "system:serviceaccounts:gatehouse-system", "system:authenticated")
	if err != nil {
		return fmt.Errorf("making the operator's user: %w", err)
	}
	path := filepath.Join(m.Dir, "operator.kubeconfig")
	if err := kube.WriteKubeconfig(config, path); err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(m.Dir, "operator.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the operator has its own descriptor
	m.operator = exec.Command(filepath.Join(m.options.Bin, "operator"),
		"--image", "localhost/gatehouse:dev", "--metrics-bind-address", "0", "--health-probe-bind-address", "0")
	m.operator.Env = append(os.Environ(), "KUBECONFIG="+path, "POD_NAMESPACE=gatehouse-system")
	m.operator.Stdout, m.operator.Stderr = log, log
	m.operator.SysProcAttr = processAttributes()
	if err := m.operator.Start(); err != nil {
		return fmt.Errorf("starting the operator: %w", err)
	}
	return nil
}

// StopOperator ends the operator and waits for it.
func (m *Machine) StopOperator() error {
	if m.operator == nil {
		return nil
	}
	operator := m.operator
	m.operator = nil
	_ = operator.Process.Signal(os.Interrupt) // it may have ended
	if err := operator.Wait(); err != nil {
		return fmt.Errorf("the operator ended badly: %w; see %s", err, filepath.Join(m.Dir, "operator.log"))
	}
	return nil
}

// Stop ends everything in order, the control plane last. With keep the logs stay.
func (m *Machine) Stop(keep bool) error {
	problems := []error{m.StopOperator()}
	if m.stopPods != nil {
		m.stopPods()
	}
	problems = append(problems, m.Control.Stop())
	if err := errors.Join(problems...); err != nil || keep {
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
