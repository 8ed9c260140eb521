// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// step is one thing that the demo does, told in one line.
type step struct {
	title string
	do    func(context.Context, *stage) error
	// after shows what came of it.
	after func(context.Context, *stage) error
}

// stepTime bounds one step.
const stepTime = 2 * time.Minute

var steps = []step{
	{title: "kubectl apply -k config/default   (CRDs, rights, admission policy)", do: func(ctx context.Context, s *stage) error {
		return s.Kubectl(ctx, "apply", "--server-side", "-k", "config/default")
	}},
	{title: "Starting the operator with the rights of its ServiceAccount", do: func(_ context.Context, s *stage) error {
		return s.StartOperator()
	}},
	{title: "kubectl apply -k config/samples   (a Password provider, two tenants)", do: func(ctx context.Context, s *stage) error {
		return s.Kubectl(ctx, "apply", "-k", "config/samples")
	}},
	{title: "kubectl wait --for=condition=Ready idp/staff tjp/acme tjp/globex", do: func(ctx context.Context, s *stage) error {
		return s.Kubectl(ctx, "wait", "--for=condition=Ready", "--timeout=90s", "idp/staff", "tjp/acme", "tjp/globex")
	}, after: func(ctx context.Context, s *stage) error {
		return s.show(ctx, "get", "as,idp,tjp")
	}},
	{title: "POST /api/v1/login as ada@example.com", do: login},
	{title: "GET /verify with her access token: ada of organization default", do: func(ctx context.Context, s *stage) error {
		return expect(ctx, "", s.access, http.StatusOK, map[string]string{
			"X-Auth-Request-User": "ada", "X-Auth-Request-Email": "ada@example.com", "X-Auth-Request-Groups": "engineering,admins", "X-Auth-Tenant": "default",
		})
	}},
	{title: "POST /oauth2/token with her refresh token", do: refresh},
	{title: "GET /verify/acme with an ES256 token of acme: acme/bob", do: func(ctx context.Context, _ *stage) error {
		return expect(ctx, "acme", acmeToken("https://api.example"), http.StatusOK, map[string]string{
			"X-Auth-Request-User": "acme/bob", "X-Auth-Request-Preferred-Username": "bob", "X-Auth-Request-Groups": "dev", "X-Auth-Tenant": "acme",
		})
	}},
	{title: "GET /verify/globex with an HS256 token of globex: carol", do: func(ctx context.Context, _ *stage) error {
		return expect(ctx, "globex", globexToken(), http.StatusOK, map[string]string{"X-Auth-Request-User": "carol", "X-Auth-Tenant": "globex"})
	}},
	{title: "Refused: a wrong password, acme's token at globex, ada's at acme, no token", do: refusals},
	{title: "kubectl patch tjp acme: another audience", do: changeAudience},
	{title: "kubectl apply of a policy with a mistake: it is told, the rest is served", do: mistake, after: func(ctx context.Context, s *stage) error {
		return s.show(ctx, "get", "tjp", "broken", "-o", `jsonpath={range .status.conditions[?(@.type=="Accepted")]}{.reason}: {.message}{"\n"}{end}`)
	}},
	{title: "kubectl delete tjp globex: its tokens are refused", do: func(ctx context.Context, s *stage) error {
		if err := s.Kubectl(ctx, "delete", "tjp", "globex"); err != nil {
			return err
		}
		return until(ctx, func() error { return expect(ctx, "globex", globexToken(), http.StatusUnauthorized, nil) })
	}, after: func(ctx context.Context, s *stage) error {
		return s.Kubectl(ctx, "apply", "-k", "config/samples") // as it was, for whoever tries things next
	}},
}

// do runs a step and prints one line about it.
func (s *stage) do(ctx context.Context, step step) error {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	fmt.Printf("%-72s", step.title)
	began := time.Now()
	if err := step.do(ctx, s); err != nil {
		fmt.Println("failed")
		return err
	}
	fmt.Println(seconds(time.Since(began)))
	if step.after == nil {
		return nil
	}
	return step.after(ctx, s)
}

// changeAudience takes acme's audience away and waits until the token that passed is refused, then puts it back.
func changeAudience(ctx context.Context, s *stage) error {
	for _, change := range []struct {
		audience string
		want     int
	}{{"https://other.example", http.StatusUnauthorized}, {"https://api.example", http.StatusOK}} {
		patch := fmt.Sprintf(`{"spec":{"audiences":[%q]}}`, change.audience)
		if err := s.Kubectl(ctx, "patch", "tjp", "acme", "--type=merge", "-p", patch); err != nil {
			return err
		}
		if err := s.Kubectl(ctx, "wait", "--for=condition=Ready", "--timeout=30s", "tjp/acme"); err != nil {
			return err
		}
		// Ready means enforced: no second try.
		if err := expect(ctx, "acme", acmeToken("https://api.example"), change.want, nil); err != nil {
			return fmt.Errorf("the condition is Ready, but the change is not enforced: %w", err)
		}
	}
	return nil
}

const broken = `
apiVersion: auth.gatehouse.dev/v1alpha1
kind: TenantJWTPolicy
metadata: {name: broken, namespace: default}
spec:
  tenantID: acme
  issuers: [{issuer: https://idp.acme.example, jwksURI: https://idp.acme.example/keys}]
`

// mistake applies a second policy for tenant acme.
func mistake(ctx context.Context, s *stage) error {
	command := s.Control.Kubectl(ctx, "apply", "-f", "-")
	command.Stdin = strings.NewReader(broken)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	if err := s.Kubectl(ctx, "wait", "--for=condition=Accepted=false", "--timeout=30s", "tjp/broken"); err != nil {
		return err
	}
	return expect(ctx, "acme", acmeToken("https://api.example"), http.StatusOK, nil)
}

// next lists what to try.
func (s *stage) next() {
	fmt.Printf(`
The auth server listens on %[1]s. Try, in another terminal:

  export KUBECONFIG=%[2]s
  kubectl get gatehouse
  kubectl explain tjp.spec.issuers
  kubectl describe tjp acme

  curl -s %[1]s/api/v1/login -H 'Content-Type: application/json' \
    -d '{"email":"ada@example.com","password":"correct horse battery staple"}'
  curl -i %[1]s/verify -H 'Authorization: Bearer ACCESS_TOKEN'
  curl -i %[1]s/verify/acme -H 'Authorization: Bearer %[3]s'
  curl -s %[1]s/.well-known/openid-configuration
  curl -s http://127.0.0.1:9090/configz

  kubectl edit tjp acme        # and ask /verify/acme again

Ctrl-C stops everything.
`, public, s.Control.Kubeconfig(), acmeToken("https://api.example"))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%6.2f s", d.Seconds()) }

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ") + "\n"
}
