// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/cmd/gatehouse/internal/status"
	"github.com/gatehouse-auth/gatehouse/test/kube"
)

// cluster is a control plane and what asks it.
type cluster struct {
	*kube.ControlPlane
	t *testing.T
}

// kubectl runs kubectl as the administrator, with a document on its standard input.
func (c *cluster) kubectl(stdin string, args ...string) {
	c.t.Helper()
	cmd := c.Kubectl(c.t.Context(), args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		c.t.Fatalf("kubectl %v: %v\n%s", args, err, out)
	}
}

// apply makes an object whose status says that it is ready, or refused for a reason.
func (c *cluster) apply(kind, namespace, name, spec, refused string) {
	c.t.Helper()
	c.kubectl(fmt.Sprintf("apiVersion: auth.gatehouse.dev/v1alpha1\nkind: %s\nmetadata: {namespace: %s, name: %s}\nspec: %s\n", kind, namespace, name, spec), "apply", "-f", "-")
	ready, reason := "True", "Ready"
	if refused != "" {
		ready, reason = "False", refused
	}
	condition := func(kind, status string) string {
		return fmt.Sprintf(`{"type":%q,"status":%q,"reason":%q,"message":"told","observedGeneration":1,"lastTransitionTime":"2026-11-22T08:00:00Z"}`, kind, status, reason)
	}
	conditions := condition("Ready", ready) + "," + condition("Accepted", ready)
	if refused != "" {
		conditions += "," + condition("Stalled", "True")
	}
	c.kubectl("", "patch", kind, name, "-n", namespace, "--subresource=status", "--type=merge", "-p", `{"status":{"observedGeneration":1,"conditions":[`+conditions+`]}}`)
}

const keyed = "{tenantID: %s, algorithms: [HS256], issuers: [{keys: [{secretRef: {name: k, key: k}, format: Symmetric}]}]}"

// TestStatusOfCluster guards status against a real API server: before and after Gatehouse is installed, as users with different rights, with and without pods, by
// watch, and when the API server goes away.
func TestStatusOfCluster(t *testing.T) {
	control, err := kube.Start(t.Context(), kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := control.Stop(); err != nil {
			t.Error(err)
		}
	})
	c := &cluster{control, t}
	admin := control.Kubeconfig()

	code, _, errs := cli(t, "", "status", "--kubeconfig", admin)
	expect(t, "without CRDs", code, exitUsage, errs, "Gatehouse is not installed there")
	if err := control.InstallCRDs(t.Context(), "../../config/crd/bases"); err != nil {
		t.Fatal(err)
	}
	code, out, _ := cli(t, "", "status", "--kubeconfig", admin)
	expect(t, "empty", code, exitFine, out, "There is no AuthServer, IdentityProvider or TenantJWTPolicy in namespace default; -A looks in all namespaces.")

	c.kubectl("", "create", "namespace", "team-a")
	c.apply("AuthServer", "default", "default", "{}", "")
	c.apply("TenantJWTPolicy", "default", "acme", fmt.Sprintf(keyed, "acme"), "")
	c.apply("TenantJWTPolicy", "team-a", "team-a", strings.Replace(fmt.Sprintf(keyed, "team-a"), "{", "{authServerRef: {name: default, namespace: default}, ", 1), "")
	code, out, _ = cli(t, "", "status", "--kubeconfig", admin)
	expect(t, "ready", code, exitFine, out, "1 AuthServer, 1 TenantJWTPolicy: all ready")
	c.apply("IdentityProvider", "default", "sso", "{type: Password, password: {}}", "PasswordProviderConflict")
	code, out, _ = cli(t, "", "status", "--kubeconfig", admin, "-A")
	expect(t, "not ready", code, exitFailed, out, "1 AuthServer, 1 IdentityProvider, 2 TenantJWTPolicies: 1 not ready")
	code, out, _ = cli(t, "", "status", "--kubeconfig", admin, "-n", "team-a")
	expect(t, "of another namespace's server", code, exitFine, out, "team-a/team-a") // beneath default/default, which is not team-a's
	code, out, errs = cli(t, "", "status", "--kubeconfig", admin, "tjp/nobody")
	expect(t, "absent", code, exitFailed, errs, "there is no tjp/nobody in namespace default (-A looks in all)")
	expect(t, "absent", code, exitFailed, out+"|", "|")

	t.Run("rights", func(t *testing.T) { statusRights(t, c) })
	t.Run("pods", func(t *testing.T) { statusPods(t, c) })
	t.Run("names", func(t *testing.T) {
		_, out, _ := cli(t, "", "__complete", "status", "--kubeconfig", admin, "tjp/")
		if !strings.HasPrefix(out, "tjp/acme\n:4") {
			t.Errorf("completes to %q", out)
		}
		_, out, _ = cli(t, "", "__complete", "status", "--kubeconfig", admin, "-n", "te")
		if !strings.Contains(out, "team-a\n") {
			t.Errorf("namespaces complete to %q", out)
		}
	})
	t.Run("watch", func(t *testing.T) { statusWatch(t, c) })
}

func expect(t *testing.T, what string, code, wantCode int, text, want string) {
	t.Helper()
	if code != wantCode || !strings.Contains(text, want) {
		t.Errorf("%s: exit code %d, want %d; %q is not in:\n%s", what, code, wantCode, want, text)
	}
}

// statusRights guards that somebody with the rights of one namespace sees it, and is told what else there is to ask for.
func statusRights(t *testing.T, c *cluster) {
	user := filepath.Join(t.TempDir(), "kubeconfig")
	config, err := c.AddUser("ada")
	if err != nil {
		t.Fatal(err)
	}
	if err := kube.WriteKubeconfig(config, user); err != nil {
		t.Fatal(err)
	}
	code, _, errs := cli(t, "", "status", "--kubeconfig", user, "-n", "team-a")
	expect(t, "no rights", code, exitUsage, errs, "you may not list authservers.auth.gatehouse.dev, identityproviders.auth.gatehouse.dev, tenantjwtpolicies.auth.gatehouse.dev in namespace team-a")
	c.kubectl("", "apply", "-f", "../../config/rbac/users/roles.yaml")
	c.kubectl("", "create", "rolebinding", "ada", "-n", "team-a", "--clusterrole=gatehouse-view", "--user=ada")
	var out string
	until(t, func() bool { // the API server's view of rights follows
		code, out, errs = cli(t, "", "status", "--kubeconfig", user, "-n", "team-a")
		return code == exitFine
	}, func() string { return "still refused: " + errs })
	for _, want := range []string{"default/default  AuthServer  Unknown", "team-a/team-a  tenant team-a  Ready", "you may not get authservers in namespace default", "Note: events are not shown: you may not list them in namespace team-a"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in:\n%s%s", want, out, errs)
		}
	}
	code, _, errs = cli(t, "", "status", "--kubeconfig", user, "-A")
	expect(t, "all namespaces", code, exitUsage, errs, "in all namespaces: ask for a ClusterRoleBinding to ClusterRole gatehouse-view")
	code, _, errs = cli(t, "", "status", "--kubeconfig", user, "-n", "team-a", "--watch", "--as", "nobody")
	expect(t, "impersonation", code, exitUsage, errs, "you may not list")
}

// statusPods guards that --pods tells what a pod says of itself, through the API server.
func statusPods(t *testing.T, c *cluster) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	pod := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/configz" {
			_, _ = io.WriteString(w, `{"files":{"base.json":{"mounted":"b","serving":"a","error":"it is no JSON"}},"objects":{}}`)
		}
	}))
	_ = pod.Listener.Close() // another one is used
	pod.Listener = listener
	pod.Start()
	defer pod.Close()
	address := outwardAddress()
	if address == "" {
		t.Skip("skipped: this machine has no address but loopback ones, which an API server forwards nothing to")
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	c.kubectl(`apiVersion: v1
kind: Pod
metadata: {name: gatehouse-default-0, labels: {auth.gatehouse.dev/server: default}}
spec: {automountServiceAccountToken: false, containers: [{name: authserver, image: none, ports: [{name: ops, containerPort: `+port+`}]}]}
`, "apply", "-f", "-")
	c.kubectl("", "patch", "pod", "gatehouse-default-0", "--subresource=status", "-p", `{"status":{"phase":"Running","podIP":"`+address+`","podIPs":[{"ip":"`+address+`"}],"conditions":[{"type":"Ready","status":"True"}]}}`)
	_, out, errs := cli(t, "", "status", "--kubeconfig", c.Kubeconfig(), "--pods")
	if want := "! pod gatehouse-default-0  Running, ready, 1 of 1 files are not yet what is mounted: file base.json is not served: it is no JSON\n"; !strings.Contains(out, want) {
		t.Errorf("%q is not in:\n%s%s", want, out, errs)
	}
}

// outwardAddress is an IPv4 address of this machine that is no loopback one, "" without one.
func outwardAddress() string {
	addresses, _ := net.InterfaceAddrs()
	for _, a := range addresses {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && ip.IP.IsGlobalUnicast() {
			return ip.IP.String()
		}
	}
	return ""
}

// statusWatch guards that --watch shows a change once it happens, says that the cluster went away, goes on when it is back, and ends well.
func statusWatch(t *testing.T, c *cluster) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out, stdout := io.Pipe()
	errs, stderr := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"status", "--kubeconfig", c.Kubeconfig(), "--watch", "-o", "json"}, strings.NewReader(""), stdout, stderr)
		_, _ = stdout.Close(), stderr.Close() // they only end the readers
	}()
	told := bufio.NewScanner(errs)
	frames := json.NewDecoder(out)
	next := func() *status.Report {
		t.Helper()
		var r status.Report
		if err := frames.Decode(&r); err != nil {
			t.Fatal(err)
		}
		return &r
	}
	has := func(r *status.Report, name string) bool {
		return slices.ContainsFunc(r.AuthServers[0].TenantJWTPolicies, func(p status.Tenant) bool { return p.Name == name })
	}
	if r := next(); !has(r, "acme") || has(r, "globex") {
		t.Errorf("the first report is %+v", r)
	}
	c.apply("TenantJWTPolicy", "default", "globex", fmt.Sprintf(keyed, "globex"), "")
	for !has(next(), "globex") {
		continue
	}
	if err := c.StopAPIServer(); err != nil {
		t.Fatal(err)
	}
	for told.Scan() && !strings.HasPrefix(told.Text(), "gatehouse: what is shown may be out of date: the API server at ") {
		continue
	}
	if err := c.StartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	for told.Scan() && told.Text() != "gatehouse: the cluster answers again" {
		continue
	}
	c.kubectl("", "delete", "tjp", "globex")
	for has(next(), "globex") {
		continue
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	go func() { _, _ = io.Copy(io.Discard, errs) }()
	interrupt()
	if code := <-ended; code != exitFine {
		t.Errorf("exit code %d, want 0", code)
	}
}
