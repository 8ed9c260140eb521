// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// picture is what passes for a PNG.
var picture = []byte("\x89PNG\r\n\x1a\n")

func oidcProvider(namespace, name string) *v1alpha1.IdentityProvider {
	return &v1alpha1.IdentityProvider{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.IdentityProviderSpec{Type: v1alpha1.ProviderOIDC, OIDC: &v1alpha1.OIDCProvider{
			Issuer: "https://idp.example", ClientID: "gatehouse", ClientSecretRef: &v1alpha1.SecretKeyReference{Name: name, Key: "clientSecret"},
		}},
	}
}

// httpsServer is one that browsers log in at.
func httpsServer(namespace string) *v1alpha1.AuthServer {
	s := authServer(namespace, "default")
	s.Spec.ExternalURL = "https://auth.example.com"
	return s
}

// rendered is the base.json in force.
func rendered(ctx context.Context, server types.NamespacedName) *config.Base {
	var files corev1.Secret
	if admin.Get(ctx, types.NamespacedName{Namespace: server.Namespace, Name: "gatehouse-" + server.Name + "-config"}, &files) != nil {
		return &config.Base{}
	}
	base, err := config.ParseBase(files.Data[config.FileBase])
	Expect(err).NotTo(HaveOccurred())
	return base
}

var _ = Describe("An identity provider", func() {
	var ns string
	BeforeEach(func(ctx context.Context) { ns = newNamespace(ctx) })

	It("follows its client secret and its icon, and tells how its upstream is", func(ctx context.Context) {
		Expect(admin.Create(ctx, httpsServer(ns))).To(Succeed())
		p := oidcProvider(ns, "sso")
		p.Spec.Icon = &v1alpha1.Image{ConfigMapRef: &v1alpha1.ConfigMapKeyReference{Name: "icons", Key: "sso.png"}}
		Expect(admin.Create(ctx, p)).To(Succeed())
		expectRefused(ctx, p, v1alpha1.ConditionResolvedRefs, v1alpha1.ReasonRefNotFound, "spec.icon.configMapRef")
		icons := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "icons"}, BinaryData: map[string][]byte{"sso.png": picture}}
		Expect(admin.Create(ctx, icons)).To(Succeed())
		expectRefused(ctx, p, v1alpha1.ConditionResolvedRefs, v1alpha1.ReasonRefNotFound, "spec.oidc.clientSecretRef")
		s := secret(ns, "sso", "clientSecret", "first secret\n")
		Expect(admin.Create(ctx, s)).To(Succeed())

		pod := startPod(ctx, admin, defaultServer(ns))
		pod.says("IdentityProvider/"+ns+"/sso", "False", v1alpha1.ReasonUnreachable)
		Eventually(fresh(ctx, p)).Should(beReady())
		Expect(p.Status.References).To(HaveLen(2))
		Eventually(fresh(ctx, p)).Should(haveCondition(v1alpha1.ConditionUpstreamReady, metav1.ConditionFalse, v1alpha1.ReasonUnreachable, ""))
		Expect(rendered(ctx, defaultServer(ns)).Providers[0].OIDC.Client.Secret).To(Equal("first secret"))
		Expect(rendered(ctx, defaultServer(ns)).Providers[0].Icon.Data).To(Equal(picture))

		s.StringData = map[string]string{"clientSecret": "second secret"}
		Expect(admin.Update(ctx, s)).To(Succeed())
		Eventually(func() string {
			return rendered(ctx, defaultServer(ns)).Providers[0].OIDC.Client.Secret
		}).Should(Equal("second secret"))
		Eventually(fresh(ctx, p)).Should(HaveField("Status.References", ContainElement(HaveField("ResourceVersion", s.ResourceVersion))))
	})

	It("at which anybody can have an account waits for a rule", func(ctx context.Context) {
		Expect(admin.Create(ctx, httpsServer(ns))).To(Succeed())
		p := oidcProvider(ns, "google")
		p.Spec.OIDC.Issuer, p.Spec.OIDC.ClientSecretRef = "https://accounts.google.com", nil
		Expect(admin.Create(ctx, p)).To(Succeed())
		expectRefused(ctx, p, v1alpha1.ConditionAccepted, v1alpha1.ReasonOpenToEveryone, "claims.hd == 'example.com'")
		update(ctx, p, func(p *v1alpha1.IdentityProvider) {
			p.Spec.ClaimValidationRules = []v1alpha1.ProviderValidationRule{{Expression: "claims.hd == 'example.com'"}}
		})
		startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, p)).Should(beReady())
	})

	It("waits for https, which a password by JSON does not", func(ctx context.Context) {
		p, staff := oidcProvider(ns, "sso"), passwordProvider(ns, "staff", "")
		p.Spec.OIDC.ClientSecretRef, staff.Spec.Password.UsersSecretRef = nil, nil
		Expect(admin.Create(ctx, p)).To(Succeed())
		Expect(admin.Create(ctx, staff)).To(Succeed())
		expectRefused(ctx, p, v1alpha1.ConditionAccepted, v1alpha1.ReasonHTTPSRequired, "spec.externalURL")
		startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, staff)).Should(beReady())
	})
})

var _ = Describe("The store of an AuthServer", func() {
	var ns string
	var server *v1alpha1.AuthServer
	deployed := func(ctx context.Context) func() appsv1.DeploymentSpec {
		return func() appsv1.DeploymentSpec {
			var d appsv1.Deployment
			_ = admin.Get(ctx, types.NamespacedName{Namespace: ns, Name: "gatehouse-default"}, &d) // one that is not there has no spec
			return d.Spec
		}
	}
	volume := func(d appsv1.DeploymentSpec) corev1.VolumeSource {
		for _, v := range d.Template.Spec.Volumes {
			if v.Name == "data" {
				return v.VolumeSource
			}
		}
		return corev1.VolumeSource{}
	}
	rolls := And(HaveField("Strategy.Type", appsv1.RollingUpdateDeploymentStrategyType), HaveField("Strategy.RollingUpdate", Not(BeNil())),
		WithTransform(volume, And(HaveField("EmptyDir", Not(BeNil())), HaveField("PersistentVolumeClaim", BeNil()))))
	isRecreated := And(HaveField("Strategy.Type", appsv1.RecreateDeploymentStrategyType), HaveField("Strategy.RollingUpdate", BeNil()),
		WithTransform(volume, And(HaveField("EmptyDir", BeNil()), HaveField("PersistentVolumeClaim.ClaimName", "logins"))))

	BeforeEach(func(ctx context.Context) {
		ns = newNamespace(ctx)
		server = httpsServer(ns)
		Expect(admin.Create(ctx, server)).To(Succeed())
	})

	It("moves to a volume and away from it again", func(ctx context.Context) {
		Eventually(deployed(ctx)).Should(rolls)
		for range 2 {
			update(ctx, server, func(s *v1alpha1.AuthServer) {
				s.Spec.Store.Embedded = &v1alpha1.EmbeddedStore{PersistentVolumeClaim: "logins"}
			})
			Eventually(deployed(ctx)).Should(isRecreated)
			Eventually(fresh(ctx, server)).Should(haveCondition(v1alpha1.ConditionStorePersistent, metav1.ConditionTrue, v1alpha1.ReasonPersistent, "PersistentVolumeClaim logins"))
			Expect(rendered(ctx, defaultServer(ns)).Store.Persistent).To(BeTrue())
			update(ctx, server, func(s *v1alpha1.AuthServer) { s.Spec.Store.Embedded = nil })
			Eventually(deployed(ctx)).Should(rolls)
			Eventually(fresh(ctx, server)).Should(haveCondition(v1alpha1.ConditionStorePersistent, metav1.ConditionFalse, v1alpha1.ReasonEmptyWithEachPod, ""))
		}
		Expect(server).To(haveCondition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, ""))
	})

	It("moves to a database when its Secret is there, and not before", func(ctx context.Context) {
		const dsn = "postgres://gatehouse:hunter2@db.example/gatehouse"
		Eventually(deployed(ctx)).Should(rolls)
		update(ctx, server, func(s *v1alpha1.AuthServer) {
			s.Spec.Store = v1alpha1.Store{Type: v1alpha1.StorePostgreSQL, PostgreSQL: &v1alpha1.PostgreSQLStore{DSNSecretRef: v1alpha1.SecretKeyReference{Name: "db", Key: "dsn"}}}
			three := int32(3)
			s.Spec.Replicas = &three
		})
		expectRefused(ctx, server, v1alpha1.ConditionResolvedRefs, v1alpha1.ReasonRefNotFound, "spec.store.postgreSQL.dsnSecretRef")
		Expect(deployed(ctx)()).To(HaveField("Replicas", HaveValue(BeEquivalentTo(1))), "what is refused does not take effect")
		Expect(rendered(ctx, defaultServer(ns)).Store.Type).To(Equal(config.StoreEmbedded))

		db := secret(ns, "db", "dsn", "hunter2")
		Expect(admin.Create(ctx, db)).To(Succeed())
		expectRefused(ctx, server, v1alpha1.ConditionResolvedRefs, v1alpha1.ReasonRefInvalid, "it is no connection string")
		for _, c := range fresh(ctx, server)().Status.Conditions {
			Expect(c.Message).NotTo(ContainSubstring("hunter2"))
		}
		db.StringData = map[string]string{"dsn": dsn + "\n"}
		Expect(admin.Update(ctx, db)).To(Succeed())
		Eventually(deployed(ctx)).Should(And(rolls, HaveField("Replicas", HaveValue(BeEquivalentTo(3)))))
		Expect(rendered(ctx, defaultServer(ns)).Store.DSN).To(Equal(dsn))
		startPod(ctx, admin, client.ObjectKeyFromObject(server))
		Eventually(fresh(ctx, server)).Should(beReady())
		Expect(server).To(haveCondition(v1alpha1.ConditionStorePersistent, metav1.ConditionTrue, v1alpha1.ReasonPersistent, "PostgreSQL"))
		Expect(server.Status.References).To(ConsistOf(HaveField("ResourceVersion", db.ResourceVersion)))
	})
})
