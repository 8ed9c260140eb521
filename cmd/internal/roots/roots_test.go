// SPDX-License-Identifier: Apache-2.0

package roots

import (
	"crypto/x509"
	"os"
	"os/exec"
	"testing"
)

// childEnv makes the test binary look at what it carries, with a system that has nothing.
const childEnv = "GATEHOUSE_TEST_BARE_SYSTEM"

// TestBareSystem guards the image on `scratch`: without any certificate of the system there are still roots. (That the
// programs hold time zones too cannot be seen where the system has some; hack/verify looks at what they are built of.)
func TestBareSystem(t *testing.T) {
	if os.Getenv(childEnv) == "" {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBareSystem$")
		empty := t.TempDir()
		child.Env = []string{childEnv + "=1", "SSL_CERT_FILE=" + empty + "/none", "SSL_CERT_DIR=" + empty, "ZONEINFO=" + empty}
		if out, err := child.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		t.Fatal(err)
	}
	if pool.Equal(x509.NewCertPool()) {
		t.Error("the pool of CA certificates is empty")
	}
}
