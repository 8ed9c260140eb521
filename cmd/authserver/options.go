// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/gatehouse-auth/gatehouse/authserver"
)

// options checks the flags and turns them into the server's options.
func (f *flags) options(log *slog.Logger) (authserver.Options, error) {
	if f.configDir == "" {
		return authserver.Options{}, errors.New("--config-dir is required")
	}
	info, err := os.Stat(f.configDir)
	if err != nil {
		return authserver.Options{}, fmt.Errorf("--config-dir: %w", err)
	}
	if !info.IsDir() {
		return authserver.Options{}, fmt.Errorf("--config-dir: %s is not a directory", f.configDir)
	}
	for _, a := range []struct{ flag, address string }{
		{"--listen", f.listen}, {"--ops-listen", f.opsListen}, {"--ext-authz-listen", f.extAuthzListen},
	} {
		if _, _, err := net.SplitHostPort(a.address); err != nil {
			return authserver.Options{}, fmt.Errorf("%s: want host:port or :port: %w", a.flag, err)
		}
	}
	secret, err := authserver.ReadOpsToken(f.opsTokenFile)
	if err != nil {
		return authserver.Options{}, fmt.Errorf("--ops-token-file: %w", err)
	}
	return authserver.Options{
		Listen: f.listen, OpsListen: f.opsListen, ExtAuthzListen: f.extAuthzListen,
		ConfigDir: f.configDir, DataDir: f.dataDir,
		MemoryLimit: hashingLimit(memoryLimit(cgroupLimit)),
		OpsToken:    secret, Logger: log,
	}, nil
}
