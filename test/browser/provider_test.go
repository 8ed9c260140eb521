// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"bufio"
	"encoding/json"
	"io"
	"os/exec"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// openIDProvider is what provider.mjs is told.
type openIDProvider struct {
	ClientID             string              `json:"clientID"`
	ClientSecret         string              `json:"clientSecret"`
	Method               string              `json:"method"`
	JWKS                 *jose.JSONWebKeySet `json:"jwks"`
	RedirectURIs         []string            `json:"redirectURIs"`
	PostLogoutURIs       []string            `json:"postLogoutURIs"`
	BackChannelLogoutURI string              `json:"backChannelLogoutURI"`
	Machines             []machine           `json:"machines,omitempty"`
}

// machine is a client without people, that authenticates with private_key_jwt.
type machine struct {
	ClientID  string              `json:"clientID"`
	Algorithm string              `json:"algorithm"`
	JWKS      *jose.JSONWebKeySet `json:"jwks"`
}

// start runs the provider until the test ends and returns its issuer. It ends with its standard input, so also with a test process that is killed.
func (p openIDProvider) start(t testing.TB) (issuer string) {
	t.Helper()
	node := program(t, "apt-get install nodejs", "node", "nodejs")
	npmFile(t, "oidc-provider/package.json")
	options, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "provider/provider.mjs", string(options))
	hold, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told := make(chan struct{})
	go func() { // until its end
		defer close(told)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			t.Logf("provider: %s", lines.Text())
		}
	}()
	first := make(chan []byte, 1)
	go func() {
		line, _ := bufio.NewReader(stdout).ReadBytes('\n')
		first <- line
		_, _ = io.Copy(io.Discard, stdout)
	}()
	t.Cleanup(func() {
		_ = hold.Close()
		late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		<-told
		_ = cmd.Wait()
		late.Stop()
	})
	var ready struct{ Issuer string }
	select {
	case line := <-first:
		if err := json.Unmarshal(line, &ready); err != nil || ready.Issuer == "" {
			t.Fatalf("the provider does not start: it says %q", line)
		}
	case <-time.After(patience):
		t.Fatal("the provider does not start in time")
	}
	return ready.Issuer
}
