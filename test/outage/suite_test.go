// SPDX-License-Identifier: Apache-2.0

package outage_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gatehouse-auth/gatehouse/test/local"
)

const (
	key = "an example key of more than thirty-two bytes"
	// pause between two requests of one kind.
	pause = 10 * time.Millisecond
)

var (
	machine *local.Machine
	podIP   = loopback(os.Getpid())
	public  = "http://" + podIP + ":8080"
	// failed keeps the logs; it stands until the suite has begun.
	failed = true
)

// loopback is an address that two runs at the same time do not share. Only Linux has more than one without set-up.
func loopback(pid int) string {
	if runtime.GOOS != "linux" {
		return "127.0.0.1"
	}
	return fmt.Sprintf("127.83.%d.%d", pid>>8&0xff, pid&0xff)
}

func TestOutage(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(2 * time.Minute)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	RunSpecs(t, "outage suite")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	bin := GinkgoT().TempDir()
	Expect(local.Build(ctx, bin)).To(Succeed())
	var err error
	machine, err = local.Start(ctx, local.Options{Bin: bin, PodIP: podIP})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(machine.Stop(failed)).To(Succeed()) })
	Expect(machine.Kubectl(ctx, "apply", "--server-side", "-k", "../../config/default")).To(Succeed())
	Expect(machine.StartOperator()).To(Succeed())
	Expect(machine.Kubectl(ctx, "create", "secret", "generic", "hmac", "--from-literal=key="+key)).To(Succeed())
	Expect(apply(ctx, "acme")).To(Succeed())
	Expect(waitReady(ctx, "acme")).To(Succeed(), "see %s", machine.Dir)
	failed = false
}, NodeTimeout(6*time.Minute))

var _ = ReportAfterEach(func(report SpecReport) { failed = failed || report.Failed() })

// apply creates a tenant's policy; all share one HMAC key.
func apply(ctx context.Context, tenant string) error {
	command := machine.Control.Kubectl(ctx, "apply", "-f", "-")
	stdin, err := command.StdinPipe()
	if err != nil {
		return err
	}
	go func() {
		_, _ = fmt.Fprintf(stdin, `
apiVersion: auth.gatehouse.dev/v1alpha1
kind: TenantJWTPolicy
metadata: {name: %[1]s, namespace: default}
spec:
  tenantID: %[1]s
  issuers: [{issuer: 'https://%[1]s.example', keys: [{secretRef: {name: hmac, key: key}, format: Symmetric}]}]
  algorithms: [HS256]
  claimMappings: {username: {claim: sub}}
`, tenant)
		_ = stdin.Close()
	}()
	out, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

func waitReady(ctx context.Context, tenant string) error {
	return machine.Kubectl(ctx, "wait", "--for=condition=Ready", "--timeout=60s", "tjp/"+tenant)
}

func token(tenant string) string {
	GinkgoHelper()
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": "https://" + tenant + ".example", "sub": "bob", "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString([]byte(key))
	Expect(err).NotTo(HaveOccurred())
	return signed
}

// forged has everything right but the signature.
func forged(tenant string) string {
	t := token(tenant)
	return t[:len(t)-43] + base64.RawURLEncoding.EncodeToString(make([]byte, 32))
}

// ask returns the status of one decision.
func ask(ctx context.Context, c *http.Client, tenant, token string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, public+"/verify/"+tenant, http.NoBody)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := c.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

// verdict of a tenant's good token, for Eventually.
func verdict(ctx context.Context, tenant string) func() (int, error) {
	t := token(tenant)
	return func() (int, error) { return ask(ctx, http.DefaultClient, tenant, t) }
}

// watcher asks about acme all the time.
type watcher struct {
	stop     context.CancelFunc
	group    sync.WaitGroup
	mu       sync.Mutex
	asked    int
	problems []string
}

func watch() *watcher {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{stop: cancel}
	for t, want := range map[string]int{token("acme"): http.StatusOK, forged("acme"): http.StatusUnauthorized} {
		w.group.Go(func() {
			tick := time.NewTicker(pause)
			defer tick.Stop()
			c := &http.Client{Timeout: time.Minute}
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				status, err := ask(context.WithoutCancel(ctx), c, "acme", t)
				w.note(status, want, err)
			}
		})
	}
	return w
}

func (w *watcher) note(status, want int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	if err != nil || status != want {
		w.problems = append(w.problems, fmt.Sprintf("request %d: status %d, want %d, error %v", w.asked, status, want, err))
	}
}

func (w *watcher) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked
}

// fine waits for a hundred further answers and expects that none was wrong so far.
func (w *watcher) fine() {
	GinkgoHelper()
	after := w.count() + 100
	Eventually(w.count).Should(BeNumerically(">=", after))
	w.mu.Lock()
	defer w.mu.Unlock()
	Expect(w.problems).To(BeEmpty())
}
