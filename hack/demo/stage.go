// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/test/kube"
	"github.com/gatehouse-auth/gatehouse/test/kubelet"
)

const (
	public = "http://127.0.0.1:8080"
	// namespace of the samples, and of the one pod.
	namespace = "default"
	// account is the operator's ServiceAccount in config/default: the operator runs with its rights and no others.
	account = "system:serviceaccount:gatehouse-system:gatehouse-operator"
)

// stage is what runs during the demo.
type stage struct {
	dir      string
	control  *kube.ControlPlane
	operator *exec.Cmd
	stopPods context.CancelFunc
	pods     sync.WaitGroup

	access  string // the access token of the login
	refresh string
}

// start brings up the control plane and the kubelet's stand-in; the steps do the rest.
func start(ctx context.Context) (*stage, error) {
	for _, address := range []string{":8080", ":9090"} {
		if err := free(address); err != nil {
			return nil, fmt.Errorf("the auth server needs port %s of this machine, as its pod would: %w", address[1:], err)
		}
	}
	dir, err := os.MkdirTemp("", "gatehouse-demo-")
	if err != nil {
		return nil, err
	}
	s := &stage{dir: dir}
	fmt.Printf("%-72s", "Starting etcd and the API server")
	began := time.Now()
	if s.control, err = kube.Start(ctx, kube.Options{}); err != nil {
		return nil, fmt.Errorf("starting the control plane: %w", err)
	}
	fmt.Println(seconds(time.Since(began)))
	if err := s.startPods(); err != nil {
		return nil, errors.Join(err, s.stop(true))
	}
	return s, nil
}

// startPods begins to play controller-manager and kubelet.
func (s *stage) startPods() error {
	log, err := os.Create(filepath.Join(s.dir, "kubelet.log"))
	if err != nil {
		return err
	}
	config := s.control.RestConfig()
	config.QPS, config.Burst = 500, 1000
	c, err := client.New(config, client.Options{Scheme: scheme.Scheme})
	if err != nil {
		return err
	}
	k := &kubelet.Kubelet{
		Client: c, Namespace: namespace, Dir: s.dir,
		Binaries: map[string]string{"/authserver": "bin/authserver"},
		Log:      slog.New(slog.NewTextHandler(log, nil)),
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stopPods = func() { cancel(); _ = log.Close() }
	s.pods.Go(func() { k.Run(ctx) })
	return nil
}

// startOperator runs bin/operator with the rights of its ServiceAccount.
func (s *stage) startOperator() error {
	config, err := s.control.AddUser(account, "system:serviceaccounts", "system:serviceaccounts:gatehouse-system", "system:authenticated")
	if err != nil {
		return err
	}
	return s.run(config)
}

func (s *stage) run(config *rest.Config) error {
	path := filepath.Join(s.dir, "operator.kubeconfig")
	if err := kube.WriteKubeconfig(config, path); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(s.dir, "operator.log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the operator has its own descriptor
	s.operator = exec.Command("bin/operator", "--image", "localhost/gatehouse:dev", "--metrics-bind-address", "0", "--health-probe-bind-address", "0")
	s.operator.Env = append(os.Environ(), "KUBECONFIG="+path, "POD_NAMESPACE=gatehouse-system")
	s.operator.Stdout, s.operator.Stderr = log, log
	return s.operator.Start()
}

// stop ends everything in order, the control plane last. The logs stay if anything went wrong.
func (s *stage) stop(failed bool) error {
	var problems []error
	if s.operator != nil && s.operator.Process != nil {
		_ = s.operator.Process.Signal(os.Interrupt) // it may have ended
		if err := s.operator.Wait(); err != nil {
			problems = append(problems, fmt.Errorf("the operator ended badly: %w; see %s", err, filepath.Join(s.dir, "operator.log")))
		}
	}
	if s.stopPods != nil {
		s.stopPods()
		s.pods.Wait()
	}
	if s.control != nil {
		problems = append(problems, s.control.Stop())
	}
	if err := errors.Join(problems...); err != nil || failed {
		return err
	}
	return os.RemoveAll(s.dir)
}

// kubectl runs the matching kubectl against the demo's API server.
func (s *stage) kubectl(ctx context.Context, args ...string) error {
	out, err := s.control.Kubectl(ctx, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("kubectl %v: %w\n%s", args, err, out)
	}
	return nil
}

// show runs kubectl and prints what it prints.
func (s *stage) show(ctx context.Context, args ...string) error {
	command := s.control.Kubectl(ctx, args...)
	out, err := command.CombinedOutput()
	_, _ = io.WriteString(os.Stdout, indent(string(out)))
	return err
}

// free tells whether an address can be listened on.
func free(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}
