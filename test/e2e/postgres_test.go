// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/test/postgres"
)

// startPostgreSQL runs a private server at an address, beside loopback, until the spec ends, and returns the DSN for those who reach it there.
func startPostgreSQL(address netip.Addr) (server *postgres.Server, dsn string) {
	GinkgoHelper()
	dir, err := os.MkdirTemp("", "gatehouse-e2e-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, dir)
	Expect(os.Chmod(dir, 0o755)).To(Succeed()) // the server runs as another user
	rules := filepath.Join(dir, "pg_hba.conf")
	Expect(os.WriteFile(rules, []byte("host all all all scram-sha-256\n"), 0o644)).To(Succeed())
	server = postgres.New(GinkgoTB(), postgres.Options{Settings: []string{"listen_addresses=127.0.0.1," + address.String(), "hba_file=" + rules}})
	u, err := url.Parse(server.DSN(GinkgoTB()))
	Expect(err).NotTo(HaveOccurred())
	u.Host = netip.AddrPortFrom(address, netip.MustParseAddrPort(u.Host).Port()).String()
	return server, u.String()
}

// Guards that replicas in pods are one server through their database, and what becomes of them without it.
var _ = Describe("two replicas over PostgreSQL", func() {
	It("share logins and lockouts, and outlive the database: verification goes on, logins come back by themselves", func(ctx SpecContext) {
		database, dsn := startPostgreSQL(here(ctx))
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "database", Namespace: namespace}, StringData: map[string]string{"dsn": dsn}}
		server := &v1alpha1.AuthServer{
			ObjectMeta: metav1.ObjectMeta{Name: "shared", Namespace: namespace},
			Spec: v1alpha1.AuthServerSpec{
				Replicas: ptr.To[int32](2),
				Store: v1alpha1.Store{Type: v1alpha1.StorePostgreSQL, PostgreSQL: &v1alpha1.PostgreSQLStore{
					DSNSecretRef: v1alpha1.SecretKeyReference{Name: secret.Name, Key: "dsn"},
				}},
				Login: v1alpha1.Login{Lockout: v1alpha1.Lockout{MaxFailures: ptr.To[int32](3)}},
			},
		}
		people := append(staff(server.Name, "eve"), secret)
		create(ctx, append(people, server)...)
		DeferCleanup(func(ctx SpecContext) { removeServer(ctx, server, people...) }, NodeTimeout(patience))
		waitReady(ctx, server, people[1])
		rolledOut(ctx, server.Name, 2)
		Expect(meta.FindStatusCondition(conditions(ctx, server), v1alpha1.ConditionStorePersistent)).To(HaveField("Status", metav1.ConditionTrue))
		replicas := pods(ctx, server.Name)
		one, two := podURL(&replicas[0]), podURL(&replicas[1])
		before := identity(replicas)

		By("sharing a login")
		status, ada := login(ctx, one, phrase)
		Expect(status).To(Equal(http.StatusOK))
		status, ada = refresh(ctx, two, ada.RefreshToken)
		Expect(status).To(Equal(http.StatusOK))
		status, ada = refresh(ctx, one, ada.RefreshToken)
		Expect(status).To(Equal(http.StatusOK))

		By("sharing a lockout")
		for range 3 {
			status, _, _ = loginAs(ctx, one, "eve@example.com", "wrong")
			Expect(status).To(Equal(http.StatusUnauthorized))
		}
		status, headers, _ := loginAs(ctx, two, "eve@example.com", phrase)
		Expect(status).To(Equal(http.StatusTooManyRequests))
		Expect(headers.Get("Retry-After")).NotTo(BeEmpty())

		By("going on without the database")
		database.Stop(GinkgoTB())
		for _, base := range []string{one, two} {
			status, headers, answer := loginAs(ctx, base, email, phrase)
			Expect(status).To(Equal(http.StatusServiceUnavailable))
			Expect(headers.Get("Retry-After")).NotTo(BeEmpty())
			Expect(answer.Error).To(Equal("temporarily_unavailable"))
			status, _ = refresh(ctx, base, ada.RefreshToken)
			Expect(status).To(Equal(http.StatusServiceUnavailable))
			verified(ctx, base, ada.AccessToken)
		}
		Expect(pods(ctx, server.Name)).To(HaveLen(2), "a replica is not ready without the database")

		By("coming back with it")
		database.Restart(GinkgoTB())
		back := time.Now()
		for _, base := range []string{one, two} {
			Eventually(func() int { status, _ := login(ctx, base, phrase); return status }).WithTimeout(30 * time.Second).Should(Equal(http.StatusOK))
		}
		AddReportEntry("logins work after the database is back", ReportEntryVisibilityAlways, time.Since(back).Round(time.Millisecond).String())
		status, ada = refresh(ctx, two, ada.RefreshToken)
		Expect(status).To(Equal(http.StatusOK), "the refresh token was spent without the database")
		verified(ctx, one, ada.AccessToken)
		Expect(identity(pods(ctx, server.Name))).To(Equal(before), "a pod was replaced or restarted")
		Expect(logs(ctx, namespace)).NotTo(ContainSubstring(postgres.Password))
	}, SpecTimeout(2*patience))
})

// verified expects a token of ada's to pass.
func verified(ctx context.Context, base, token string) {
	GinkgoHelper()
	status, headers, err := verify(ctx, browserless(), base, "default", token)
	Expect(err).NotTo(HaveOccurred())
	Expect(status).To(Equal(http.StatusOK))
	Expect(headers.Get("X-Auth-Request-User")).To(Equal("ada"))
}
