// SPDX-License-Identifier: Apache-2.0

package login

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// TestAnUntrustedProxyIsToldOnce guards that an administrator learns why everybody is locked out, and that the log is not filled by it.
func TestAnUntrustedProxyIsToldOnce(t *testing.T) {
	const words = "spec.login.trustedProxies"
	w := newWorld(t, "")
	w.base.Login.Lockout = config.Lockout{MaxFailures: 2}
	lock := func(address string, forwarded bool) int {
		t.Helper()
		for n := range networkFactor * 2 {
			_, err := w.Authenticate(t.Context(), w.snapshot(), Credentials{
				Email: fmt.Sprintf("nobody-%d@acme.example", n), Password: "wrong", Client: netip.MustParseAddr(address), Forwarded: forwarded,
			})
			if !errors.Is(err, ErrInvalidCredentials) {
				t.Fatalf("attempt %d from %s: %v", n, address, err)
			}
			if told := strings.Contains(w.log.String(), words); told && n < networkFactor*2-1 {
				t.Fatalf("told at attempt %d already", n)
			}
		}
		n := strings.Count(w.log.String(), words)
		w.log.Reset()
		return n
	}
	if n := lock("192.0.2.1", false); n != 0 {
		t.Errorf("a client without the header: told %d times", n)
	}
	if n := lock("192.0.2.2", true); n != 1 {
		t.Errorf("a proxy: told %d times", n)
	}
	if n := lock("192.0.2.3", true); n != 0 {
		t.Errorf("another one: told %d times more", n)
	}
}
