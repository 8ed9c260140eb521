// SPDX-License-Identifier: Apache-2.0

package outage_test

import (
	"net/http"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("a running auth server", Ordered, func() {
	var w *watcher

	BeforeAll(func() { w = watch() })
	AfterAll(func() {
		w.stop()
		w.group.Wait()
		AddReportEntry("outage", ReportEntryVisibilityAlways, map[string]int{"requests": w.asked, "dropped or wrongly decided": len(w.problems)})
	})
	AfterEach(func() { w.fine() })

	It("does not need the operator, and follows it when it is back", func(ctx SpecContext) {
		machine.StopOperator()
		Expect(apply(ctx, "globex")).To(Succeed())
		w.fine()
		Expect(verdict(ctx, "globex")()).To(Equal(http.StatusUnauthorized))
		Expect(machine.StartOperator()).To(Succeed())
		Expect(waitReady(ctx, "globex")).To(Succeed())
		Expect(verdict(ctx, "globex")()).To(Equal(http.StatusOK), "Ready, but not enforced")
	}, SpecTimeout(2*time.Minute))

	It("does not need the API server", func(ctx SpecContext) {
		Expect(machine.Control.StopAPIServer()).To(Succeed())
		w.fine()
		Expect(verdict(ctx, "globex")()).To(Equal(http.StatusOK))
		Expect(machine.Control.StartAPIServer(ctx)).To(Succeed())
		Expect(apply(ctx, "initech")).To(Succeed())
		Expect(waitReady(ctx, "initech")).To(Succeed())
		Expect(verdict(ctx, "initech")()).To(Equal(http.StatusOK))
	}, SpecTimeout(3*time.Minute))

	It("does not need etcd", func(ctx SpecContext) {
		Expect(machine.Control.StopEtcd()).To(Succeed())
		w.fine()
		Expect(machine.Control.StartEtcd(ctx)).To(Succeed())
		Eventually(func() error { return machine.Kubectl(ctx, "delete", "--ignore-not-found", "tjp/initech") }).Should(Succeed())
		Eventually(verdict(ctx, "initech")).Should(Equal(http.StatusUnauthorized))
	}, SpecTimeout(3*time.Minute))

	It("serves what a restored etcd holds, and nothing that it does not", func(ctx SpecContext) {
		snapshot := filepath.Join(GinkgoT().TempDir(), "etcd")
		Expect(machine.Control.SnapshotEtcd(ctx, snapshot)).To(Succeed())
		Eventually(func() error { return apply(ctx, "umbrella") }).Should(Succeed())
		Expect(waitReady(ctx, "umbrella")).To(Succeed())
		Expect(verdict(ctx, "umbrella")()).To(Equal(http.StatusOK))

		Expect(machine.Control.RestoreEtcd(ctx, snapshot)).To(Succeed())
		Eventually(verdict(ctx, "umbrella")).Should(Equal(http.StatusUnauthorized))
		w.fine()
		// A stale cache would bring it back with the next change.
		Eventually(func() error { return apply(ctx, "hooli") }).Should(Succeed())
		Expect(waitReady(ctx, "hooli")).To(Succeed())
		Expect(verdict(ctx, "hooli")()).To(Equal(http.StatusOK))
		Expect(verdict(ctx, "globex")()).To(Equal(http.StatusOK))
		Consistently(verdict(ctx, "umbrella"), "3s").Should(Equal(http.StatusUnauthorized))
	}, SpecTimeout(3*time.Minute))
})
