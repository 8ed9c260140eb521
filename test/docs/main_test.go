// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	repository = "../.."
	// patience is how long a step may take on a busy machine.
	patience = 10 * time.Minute
)

// scratch holds the programs and goes with the last test.
var scratch string

// TestMain also is the kubectl of pages, by which name they find this program.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "kubectl" {
		os.Exit(kubectl(os.Args[1:]))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "gatehouse-docs-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	defer stopCluster()
	return m.Run()
}

// programs builds gatehouse, operator and authserver once, unless GATEHOUSE_DOCS_BIN names the folder of built ones, and returns
// their folder.
func programs(t *testing.T) string {
	t.Helper()
	dir, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

var build = sync.OnceValues(func() (string, error) {
	if dir := os.Getenv("GATEHOUSE_DOCS_BIN"); dir != "" {
		return dir, nil
	}
	dir := filepath.Join(scratch, "bin")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "go", "build", "-o", dir+string(filepath.Separator), "./cmd/...")
	command.Dir = repository
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the programs: %w\n%s", err, out)
	}
	return dir, nil
})

// needs skips the test where a program is not installed. With CI=true it has to be.
func needs(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err == nil {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed, and with CI=true it has to be", name)
		}
		t.Skipf("skipped: %s is not installed", name)
	}
}

var addresses atomic.Int32

// loopback is an address of this machine that nothing else uses, so that pages can have the ports that they name. Only Linux has
// more than one.
func loopback() string {
	if runtime.GOOS != "linux" {
		return "127.0.0.1"
	}
	pid := os.Getpid()
	return fmt.Sprintf("127.%d.%d.%d", 100+addresses.Add(1), pid>>8&0xff, pid&0xff)
}
