// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/process"
)

// keyServer is an issuer's key server, a process of its own on the generator's core, so that it answers while the
// generator is busy.
type keyServer struct {
	server *process.Process
	url    string // of the key set
}

func startKeyServer(ctx context.Context, b *bench, set []byte) (*keyServer, error) {
	file := filepath.Join(b.scratch, "jwks.json")
	if err := os.WriteFile(file, set, 0o600); err != nil {
		return nil, fmt.Errorf("writing the key set: %w", err)
	}
	p, err := process.Start(ctx, b.cores[1], b.self, "keys", "-set", file)
	if err != nil {
		return nil, err
	}
	return &keyServer{server: p, url: "http://" + p.Ready.Listen + "/jwks.json"}, nil
}

// fetches returns how often the key set was asked for so far.
func (k *keyServer) fetches(ctx context.Context) (int, error) {
	body, err := get(ctx, "http://"+k.server.Ready.Listen+"/fetches")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(body))
}

// keysCommand is `bench keys`: it serves a key set, and how often it did.
func keysCommand(args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("bench keys", flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("set", "", "`file` with the key set")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	set, err := os.ReadFile(*file)
	if err != nil {
		complain(stderr, err)
		return 2
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		complain(stderr, err)
		return 1
	}
	slog.New(slog.NewJSONHandler(stderr, nil)).Info("ready", "listen", listener.Addr().String())
	complain(stderr, http.Serve(listener, keysHandler(set)))
	return 1
}

func keysHandler(set []byte) http.Handler {
	var fetched atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/jwks.json", func(w http.ResponseWriter, _ *http.Request) {
		fetched.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(set)
	})
	mux.HandleFunc("/fetches", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, fetched.Load())
	})
	return mux
}

// get reads a small document of one of the servers.
func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no connection stays that a window would count
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s", url, response.Status)
	}
	return body, err
}
