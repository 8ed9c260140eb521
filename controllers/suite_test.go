// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"errors"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/gatehouse-auth/gatehouse/controllers"
	"github.com/gatehouse-auth/gatehouse/test/kube"
)

// account is the operator's user. The suite runs the operator with the rights of config/default and no others.
const account = "system:serviceaccount:gatehouse-system:gatehouse-operator"

var (
	control  *kube.ControlPlane
	admin    client.Client // the cluster's administrator
	operator *rest.Config
	line     *wire // what the operator sends
	clock    = &fakeClock{}
	stop     func()
)

func TestControllers(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(2 * time.Minute)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	SetDefaultConsistentlyDuration(time.Second)
	SetDefaultConsistentlyPollingInterval(20 * time.Millisecond)
	RunSpecs(t, "controllers")
}

var _ = BeforeSuite(func(ctx context.Context) {
	ctrl.SetLogger(logr.Discard())
	var err error
	control, err = kube.Start(ctx, kube.Options{})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(control.Stop()).To(Succeed()) })
	kubectl(ctx, control, "apply", "--server-side", "-k", "../config/default")
	admin = newClient(control.RestConfig())

	operator, err = control.AddUser(account, "system:serviceaccounts", "system:serviceaccounts:gatehouse-system", "system:authenticated")
	Expect(err).NotTo(HaveOccurred())
	line = &wire{}
	line.tap(operator)
	start(quick)
	DeferCleanup(func() { stop() })
})

// start runs the suite's operator at a pace.
func start(timing controllers.Timing) {
	GinkgoHelper()
	stop = operate(operator, controllers.Options{OperatorNamespace: "gatehouse-system", Now: clock.Now, Timing: timing})
}

// quick is the operator's pace in this suite: nothing that people wait for takes long.
var quick = controllers.Timing{
	Batch: 50 * time.Millisecond, Poll: 20 * time.Millisecond, Ask: 500 * time.Millisecond, Nudge: 200 * time.Millisecond,
	Patience: 400 * time.Millisecond, Watch: 300 * time.Millisecond, Audit: time.Hour, Credentials: 500 * time.Millisecond,
}

// patient is quick, but for what it makes of pods that take long to confirm: on a busy machine all do.
func patient() controllers.Timing {
	t := quick
	t.Nudge, t.Patience = time.Minute, time.Minute
	return t
}

// operate runs an operator until stop is called.
func operate(config *rest.Config, o controllers.Options) (stop func()) {
	stop, _ = operateUntil(config, o)
	return stop
}

// operateUntil also returns a channel that gets the manager's error when it ends.
func operateUntil(config *rest.Config, o controllers.Options) (stop func(), ended <-chan error) {
	GinkgoHelper()
	o.Image = "localhost/gatehouse:test"
	config = rest.CopyConfig(config)
	config.QPS = -1
	o.Suspicion = &controllers.Suspicion{}
	o.Suspicion.Observe(config)
	skip := true
	options := ctrl.Options{
		Scheme: controllers.NewScheme(), Cache: controllers.CacheOptions(o), Metrics: server.Options{BindAddress: "0"},
		Logger: GinkgoLogr,
	}
	options.Controller.SkipNameValidation = &skip // several managers in one process
	mgr, err := ctrl.NewManager(config, options)
	Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(context.Background())
	Expect(controllers.Setup(ctx, mgr, o)).To(Succeed())
	done := make(chan error, 1)
	var wg sync.WaitGroup
	wg.Go(func() { done <- mgr.Start(ctx) })
	return func() { cancel(); wg.Wait() }, done
}

func newClient(config *rest.Config) client.Client {
	GinkgoHelper()
	config = rest.CopyConfig(config)
	config.QPS = -1
	c, err := client.New(config, client.Options{Scheme: controllers.NewScheme()})
	Expect(err).NotTo(HaveOccurred())
	return c
}

func kubectl(ctx context.Context, c *kube.ControlPlane, args ...string) []byte {
	GinkgoHelper()
	out, err := c.Kubectl(ctx, args...).Output()
	if failed := new(exec.ExitError); errors.As(err, &failed) {
		Fail("kubectl " + args[0] + ": " + string(failed.Stderr))
	}
	Expect(err).NotTo(HaveOccurred())
	return out
}

// fakeClock is the real time and what it was advanced by.
type fakeClock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}
