// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// oidc is a good OIDC provider of the AuthServer default/default.
func oidc(name, issuer string) *v1alpha1.IdentityProvider {
	return &v1alpha1.IdentityProvider{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: v1alpha1.IdentityProviderSpec{
			AuthServerRef: v1alpha1.AuthServerReference{Name: "default", Namespace: "default"}, Type: v1alpha1.ProviderOIDC,
			OIDC: &v1alpha1.OIDCProvider{Issuer: v1alpha1.EndpointURL(issuer), ClientID: "gatehouse"},
		},
	}
}

func providerKey(o *v1alpha1.IdentityProvider) render.Key {
	return render.Key{Kind: v1alpha1.KindIdentityProvider, Namespace: o.Namespace, Name: o.Name}
}

// base is what a server would read.
func base(t *testing.T, out *render.Output) *config.Base {
	t.Helper()
	b, err := config.ParseBase(out.Files[config.FileBase])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestOpenToEveryone guards who may log in at providers where anybody can have an account, however their address is written: an unnoticed one
// would let the world in.
func TestOpenToEveryone(t *testing.T) {
	for address, open := range map[string]bool{
		"https://accounts.google.com":                                                        true,
		"https://ACCOUNTS.GOOGLE.COM":                                                        true,
		"https://accounts.google.com.":                                                       true,
		"https://accounts.google.com:443/":                                                   true,
		"https://accounts.google.com.example.com":                                            false,
		"https://accounts.google.example.com":                                                false,
		"https://login.microsoftonline.com/common/v2.0":                                      true,
		"https://login.microsoftonline.com/COMMON/v2.0":                                      true,
		"https://login.microsoftonline.com/organizations/v2.0/":                              true,
		"https://login.microsoftonline.com/consumers/v2.0":                                   true,
		"https://login.microsoftonline.com/%63ommon/v2.0":                                    true,
		"https://login.microsoftonline.com//common/v2.0":                                     true,
		"https://login.microsoftonline.com/./a/../common":                                    true,
		"https://login.microsoftonline.com/common":                                           true,
		"https://login.windows.net/common":                                                   true,
		"https://login.microsoftonline.com/9188040D-6c67-4c5b-b112-36a304b66dad/v2.0":        true,
		"https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0":        false,
		"https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0":                     false,
		"https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0/common": false,
		"https://github.com":                                                                 true, "https://www.github.com": true, "https://api.github.com/user": true,
		"https://gitlab.com": true, "https://www.gitlab.com": true, "https://gitlab.example.com": false,
		"https://www.facebook.com": true, "https://graph.facebook.com": true, "https://notfacebook.com": false,
		"https://idp.example/realms/common": false, "https://idp.example/?at=github.com": false,
	} {
		for kind, o := range map[string]*v1alpha1.IdentityProvider{
			"issuer":   oidc("a", address),
			"userinfo": oidc("b", "https://idp.example"),
			"oauth2":   oidc("c", ""),
		} {
			switch kind {
			case "userinfo":
				o.Spec.OIDC.UserInfoEndpoint = v1alpha1.EndpointURL(address)
			case "oauth2":
				o.Spec.Type, o.Spec.OIDC = v1alpha1.ProviderOAuth2, nil
				o.Spec.OAuth2 = &v1alpha1.OAuth2Provider{ClientID: "a", SubjectAttribute: "id", AuthorizationEndpoint: v1alpha1.EndpointURL(address),
					TokenEndpoint: "https://idp.example/t", UserInfoEndpoint: "https://idp.example/u"}
			}
			verdict := func() render.Verdict {
				return mustRender(t, render.Input{Providers: []*v1alpha1.IdentityProvider{o}}, nil).Verdicts[providerKey(o)]
			}
			v := verdict()
			if got := v.Accepted.Reason == v1alpha1.ReasonOpenToEveryone; got != open || got && (v.Served || !isSafeAdvice(v.Accepted.Message)) {
				t.Errorf("%s as %s: %+v", address, kind, v.Accepted)
			}
			o.Spec.AllowAnyone = new(bool)
			if v := verdict(); (v.Accepted.Reason == v1alpha1.ReasonOpenToEveryone) != open {
				t.Errorf("%s as %s with allowAnyone: false: %+v", address, kind, v.Accepted)
			}
			*o.Spec.AllowAnyone = true
			if v := verdict(); v.Accepted.Reason == v1alpha1.ReasonOpenToEveryone {
				t.Errorf("%s as %s with allowAnyone: %+v", address, kind, v.Accepted)
			}
			o.Spec.AllowAnyone, o.Spec.ClaimValidationRules = nil, []v1alpha1.ProviderValidationRule{{Expression: "claims.a == 'b'"}}
			if v := verdict(); v.Accepted.Reason == v1alpha1.ReasonOpenToEveryone {
				t.Errorf("%s as %s with a rule: %+v", address, kind, v.Accepted)
			}
		}
	}
}

// isSafeAdvice tells whether a message shows a way out, and none by what others can take: an address or a login name.
func isSafeAdvice(message string) bool {
	if strings.Contains(message, "mail") || strings.Contains(message, "userinfo.login") || strings.Contains(message, "username") {
		return false
	}
	return strings.Contains(message, "spec.claimValidationRules: [{expression: ") || strings.Contains(message, "name one directory")
}

// TestOpenToEveryoneShowsWhatWorks guards the way out that the message shows for github.com: members of one organization, by an endpoint that has to be asked.
func TestOpenToEveryoneShowsWhatWorks(t *testing.T) {
	o := oidc("github", "")
	o.Spec.Type, o.Spec.OIDC = v1alpha1.ProviderOAuth2, nil
	o.Spec.OAuth2 = &v1alpha1.OAuth2Provider{ClientID: "a", SubjectAttribute: "id", AuthorizationEndpoint: "https://github.com/login/oauth/authorize",
		TokenEndpoint: "https://github.com/login/oauth/access_token", UserInfoEndpoint: "https://api.github.com/user"}
	verdict := func() render.Verdict {
		return mustRender(t, render.Input{Providers: []*v1alpha1.IdentityProvider{o}}, nil).Verdicts[providerKey(o)]
	}
	const url, expression, rule = "https://api.github.com/user/orgs?per_page=100", "groups.map(o, o.login)", "'my-organization' in groups"
	message := verdict().Accepted.Message
	for _, part := range []string{url, expression, rule, "read:org", "spec.allowAnyone: true"} {
		if !strings.Contains(message, part) {
			t.Errorf("%q is not in %q", part, message)
		}
	}
	o.Spec.OAuth2.GroupsEndpoint = &v1alpha1.GroupsEndpoint{URL: url, Expression: expression}
	o.Spec.ClaimValidationRules = []v1alpha1.ProviderValidationRule{{Expression: rule}}
	if v := verdict(); v.Accepted.Reason == v1alpha1.ReasonOpenToEveryone || v.Accepted.Reason == v1alpha1.ReasonInvalid {
		t.Errorf("as the message says: %+v", v.Accepted)
	}
}

// TestHTTPSRequired guards cookies that a network could read: logins in a browser need https, or this machine itself.
func TestHTTPSRequired(t *testing.T) {
	for url, trusted := range map[string]bool{
		"https://auth.example.com": true, "http://localhost:8080": true, "http://LOCALHOST": true, "http://127.0.0.1:8080": true, "http://127.8.0.1": true, "http://[::1]:8080": true,
		"http://auth.example.com": false, "": false, "http://localhost.example.com": false, "http://10.0.0.1": false, "http://0.0.0.0:8080": false, "http://[::ffff:10.0.0.1]": false,
	} {
		s := server()
		s.Spec.ExternalURL = url
		o, password := oidc("sso", "https://idp.example"), provider("staff", "")
		password.Spec.Password.UsersSecretRef = nil
		out := mustRender(t, render.Input{Server: s, Providers: []*v1alpha1.IdentityProvider{o, password}}, nil)
		if v := out.Verdicts[providerKey(o)]; v.Served != trusted || !trusted && v.Accepted.Reason != v1alpha1.ReasonHTTPSRequired {
			t.Errorf("%q: %+v", url, v.Accepted)
		}
		if v := out.Verdicts[providerKey(password)]; !v.Served {
			t.Errorf("%q: the Password provider is not served: %+v", url, v.Accepted)
		}
	}
}

// TestOrderOfProviders guards the login page, which shows them as they come: by display name without case, then by name.
func TestOrderOfProviders(t *testing.T) {
	var providers []*v1alpha1.IdentityProvider
	for name, display := range map[string]string{"d": "acme", "a": "Zulu", "b": "Acme", "c": "", "e": "acme", "f": "beta"} {
		o := oidc(name, "https://"+name+".example")
		o.Spec.DisplayName = display
		providers = append(providers, o)
	}
	var got []string
	for _, p := range base(t, mustRender(t, render.Input{Providers: providers}, nil)).Providers {
		got = append(got, p.DisplayName+" "+p.Name)
	}
	if diff := cmp.Diff([]string{"Acme b", "acme d", "acme e", "beta f", "OIDC c", "Zulu a"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestProvidersFillTheBase guards the Secret that holds base.json, and the server's memory: the last claimants are left out, with a reason, and the others are served.
func TestProvidersFillTheBase(t *testing.T) {
	icons := map[render.Ref]render.Resolved{configMap("icons"): found("a.png", "\x89PNG\r\n\x1a\n"+strings.Repeat("x", 40<<10))}
	for name, fill := range map[string]func(int, *v1alpha1.IdentityProvider){
		"icons": func(_ int, o *v1alpha1.IdentityProvider) {
			o.Spec.Icon = &v1alpha1.Image{ConfigMapRef: &v1alpha1.ConfigMapKeyReference{Name: "icons", Key: "a.png"}}
		},
		"expressions": func(i int, o *v1alpha1.IdentityProvider) {
			for j := range 16 {
				text := fmt.Sprintf("claims.a == '%0500d'", i*16+j)
				o.Spec.ClaimValidationRules = append(o.Spec.ClaimValidationRules, v1alpha1.ProviderValidationRule{Expression: text})
			}
		},
		"bundles": func(i int, o *v1alpha1.IdentityProvider) {
			o.Spec.CABundleRef = &v1alpha1.CABundleReference{Kind: v1alpha1.BundleConfigMap, Name: fmt.Sprint("ca", i)}
			icons[configMap(o.Spec.CABundleRef.Name)] = found("ca.crt", authority(t, 40_000))
		},
	} {
		var providers []*v1alpha1.IdentityProvider
		for i := range 40 {
			o := oidc(fmt.Sprintf("p%02d", i), "https://idp.example")
			fill(i, o)
			providers = append(providers, o)
		}
		out := mustRender(t, render.Input{Providers: providers}, icons)
		n := 0
		for i, o := range providers {
			v := out.Verdicts[providerKey(o)]
			switch {
			case v.Served && n == i:
				n++
			case v.Served:
				t.Errorf("%s: %s is served, an older one is not", name, o.Name)
			case v.Accepted.Reason != v1alpha1.ReasonTooLarge || v.Fingerprint != "" || !strings.Contains(v.Accepted.Message, "the AuthServer is full"):
				t.Fatalf("%s: %s: %+v", name, o.Name, v)
			}
		}
		if size := len(out.Files[config.FileBase]); n < 5 || n == len(providers) || size > config.MaxShard {
			t.Errorf("%s: %d providers are served in %d bytes", name, n, size)
		}
	}
}

// TestSharedBundle guards that what providers share is there once.
func TestSharedBundle(t *testing.T) {
	ca := authority(t, 30_000)
	var providers []*v1alpha1.IdentityProvider
	for i := range 40 {
		o := oidc(fmt.Sprintf("p%02d", i), "https://idp.example")
		o.Spec.CABundleRef = &v1alpha1.CABundleReference{Kind: v1alpha1.BundleConfigMap, Name: "ca"}
		providers = append(providers, o)
	}
	b := base(t, mustRender(t, render.Input{Providers: providers}, map[render.Ref]render.Resolved{configMap("ca"): found("ca.crt", ca)}))
	hash := config.Hash([]byte(ca))
	if len(b.Providers) != len(providers) || len(b.Bundles) != 1 || b.Bundles[hash] != ca || b.Providers[7].CABundle != hash {
		t.Errorf("%d providers, %d bundles", len(b.Providers), len(b.Bundles))
	}
}
