// SPDX-License-Identifier: Apache-2.0

package local

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/test/kube"
)

// restartPause is how long an operator that ended stays ended, as a kubelet's first back-off.
const restartPause = time.Second

// operator is the operator's process, started again when it ends by itself as a Deployment would: it does so when
// its caches cannot be trusted any more.
type operator struct {
	start func() (*exec.Cmd, error)
	over  chan struct{}
	done  sync.WaitGroup

	mu      sync.Mutex
	current *exec.Cmd
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
	o := &operator{over: make(chan struct{}), start: func() (*exec.Cmd, error) { return m.runOperator(path) }}
	if o.current, err = o.start(); err != nil {
		return fmt.Errorf("starting the operator: %w", err)
	}
	o.done.Go(o.supervise)
	m.operator = o
	return nil
}

func (m *Machine) runOperator(kubeconfig string) (*exec.Cmd, error) {
	log, err := os.OpenFile(filepath.Join(m.Dir, "operator.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the process has its own descriptor
	c := exec.Command(filepath.Join(m.options.Bin, "operator"),
		"--image", "localhost/gatehouse:dev", "--metrics-bind-address", "0", "--health-probe-bind-address", "0",
		"--credential-denied-cidrs", "169.254.0.0/16,fe80::/10") // without loopback, which is this machine's whole network
	c.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "POD_NAMESPACE=gatehouse-system")
	c.Stdout, c.Stderr = log, log
	c.SysProcAttr = processAttributes()
	return c, c.Start()
}

func (o *operator) supervise() {
	for {
		_ = o.current.Wait() // its log tells why it ended
		select {
		case <-o.over:
			return
		case <-time.After(restartPause):
		}
		o.mu.Lock()
		select {
		case <-o.over:
			o.mu.Unlock()
			return
		default:
		}
		next, err := o.start()
		if err != nil {
			o.mu.Unlock()
			return // the next wait for a condition tells
		}
		o.current = next
		o.mu.Unlock()
	}
}

// StopOperator ends the operator for good and waits for it.
func (m *Machine) StopOperator() {
	if m.operator == nil {
		return
	}
	o := m.operator
	m.operator = nil
	o.mu.Lock()
	close(o.over)
	_ = o.current.Process.Signal(os.Interrupt) // it may have ended
	o.mu.Unlock()
	o.done.Wait()
}
