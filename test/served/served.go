// SPDX-License-Identifier: Apache-2.0

package served

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/authserver"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/manifests"
)

// patience is how long a server may take to begin or to end on a busy machine.
const patience = 2 * time.Minute

// noStore is the AuthServer of suites that verify tokens and let nobody log in.
const noStore = `apiVersion: auth.gatehouse.dev/v1alpha1
kind: AuthServer
metadata: {name: default, namespace: default}
spec: {store: {type: None}}
`

// Render makes the files of AuthServer default/default. A finding, warnings included, fails the test.
func Render(t testing.TB, documents string) map[string][]byte {
	t.Helper()
	findings, files := render(t, documents)
	for _, finding := range findings {
		t.Error(finding)
	}
	if len(findings) > 0 || files == nil {
		t.Fatal("the manifests cannot be served as they are")
	}
	return files
}

// Findings is what lint would tell of the documents.
func Findings(t testing.TB, documents string) []string {
	t.Helper()
	findings, _ := render(t, documents)
	return findings
}

func render(t testing.TB, documents string) (findings []string, files map[string][]byte) {
	t.Helper()
	loader, err := manifests.NewLoader()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(documents, "kind: AuthServer") {
		documents = noStore + "---\n" + documents
	}
	set, err := loader.Load([]string{"-"}, strings.NewReader(documents))
	if err != nil {
		t.Fatal(err)
	}
	out, err := set.Render(loader, types.NamespacedName{Namespace: "default", Name: "default"}, manifests.RenderOptions{Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range append(set.Findings, set.Tell(out, true)...) {
		findings = append(findings, finding.String())
	}
	return findings, out.Files
}

// Start serves the documents until the test ends, and returns the address of the public listener, host:port. The server may fetch
// keys from loopback addresses.
func Start(t testing.TB, documents string) string {
	t.Helper()
	return StartAt(t, "127.0.0.1:0", documents)
}

// StartAt is like Start at a chosen address, for documents that name it in externalURL.
func StartAt(t testing.TB, listen, documents string) string {
	t.Helper()
	return start(t, listen, Render(t, documents))
}

// StartWarned is like StartAt for documents of which exactly one finding is told, a warning that holds the text.
func StartWarned(t testing.TB, listen, documents, warning string) string {
	t.Helper()
	findings, files := render(t, documents)
	if len(findings) != 1 || !strings.Contains(findings[0], "warning: ") || !strings.Contains(findings[0], warning) || files == nil {
		t.Fatalf("want one warning with %q: %q", warning, findings)
	}
	return start(t, listen, files)
}

func start(t testing.TB, listen string, files map[string][]byte) string {
	t.Helper()
	server, err := authserver.New(authserver.Options{
		Listen: listen, OpsListen: "127.0.0.1:0", ExtAuthzListen: "127.0.0.1:0", Logger: logs.New(testWriter{t}, slog.LevelInfo),
		ExtraAllowedCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		ShutdownDelay:     time.Millisecond, DrainTimeout: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	addKey(t, files)
	if err := server.Load(files); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	if err := server.Listen(ctx); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the auth server: %v", err)
			}
		case <-time.After(patience):
			t.Error("the auth server does not end")
		}
	})
	return server.Addr().String()
}

// addKey lets a server at which people log in sign tokens of its own.
func addKey(t testing.TB, files map[string][]byte) {
	t.Helper()
	base, err := config.ParseBase(files[config.FileBase])
	if err != nil {
		t.Fatal(err)
	}
	if base.Store.Type == config.StoreNone {
		return
	}
	key, err := issue.Generate("ES256", time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if files[config.FileKeys], err = (&config.Keys{Version: config.Version, Keys: []config.SigningKey{key}}).Encode(); err != nil {
		t.Fatal(err)
	}
}

// testWriter passes what a server logs to the test's log.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("auth server: %s", strings.TrimSpace(string(p)))
	return len(p), nil
}
