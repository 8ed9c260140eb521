// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/process"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/stats"
)

// leastHash is how much of a login's CPU the hash has to be.
const leastHash = 0.9

// hashesCommand is the floor: a process that does nothing but argon2id hashes with the server's parameters, for as long as it is asked to.
func hashesCommand(stderr io.Writer) int {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
	_ = json.NewEncoder(stderr).Encode(process.Ready{Message: "ready", Listen: listener.Addr().String()})
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		window, err := time.ParseDuration(r.URL.Query().Get("for"))
		if err != nil {
			http.Error(w, "for must be a duration", http.StatusBadRequest)
			return
		}
		n := 0
		for end := time.Now().Add(window); time.Now().Before(end); n++ {
			argon2.IDKey([]byte(phrase), []byte("0123456789abcdef"), password.DefaultTime, password.DefaultMemory, password.DefaultThreads, 32)
		}
		_, _ = fmt.Fprint(w, n)
	})}
	_, _ = fmt.Fprintln(stderr, server.Serve(listener))
	return 1
}

// cpu compares the CPU of a login with that of the bare hash, in windows that alternate on one core.
func (b *bench) cpu(ctx context.Context) error {
	dir, err := b.site(ctx, "")
	if err != nil {
		return err
	}
	cores, err := process.Cores()
	if err != nil {
		return err
	}
	one := process.Settings{Pinned: true, CPU: cores[0], Procs: 1}
	floor, err := process.StartWith(ctx, one, b.self, "hashes")
	if err != nil {
		return err
	}
	defer floor.Stop()
	server, err := b.server(ctx, dir, one)
	if err != nil {
		return err
	}
	defer server.Stop()
	var bare, ours []float64
	for range b.pairs {
		f, err := spent(floor, func() (int, error) { return hashes(ctx, floor.Ready.Listen, b.window) })
		if err != nil {
			return err
		}
		o, err := spent(server, func() (int, error) { return logins(ctx, server.Ready.Listen, 4, b.window) })
		if err != nil {
			return err
		}
		bare, ours = append(bare, f), append(ours, o)
	}
	ratios, err := stats.Ratios(bare, ours)
	if err != nil {
		return err
	}
	r := stats.Summarize(ratios)
	b.score.Tell(r.Median >= leastHash, "CPU of a password login: the bare argon2id hash is %.3f of it (quartiles %.3f to %.3f, target %.2f); %.1f ms of %.1f ms",
		r.Median, r.Q1, r.Q3, leastHash, stats.Summarize(bare).Median/1e3, stats.Summarize(ours).Median/1e3)
	return nil
}

// spent returns the CPU microseconds of a process for each of the things that it did.
func spent(p *process.Process, do func() (int, error)) (float64, error) {
	before, err := p.CPUTime()
	if err != nil {
		return 0, err
	}
	n, err := do()
	if err != nil {
		return 0, err
	}
	after, err := p.CPUTime()
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, fmt.Errorf("%s did nothing in a window", p)
	}
	return float64((after - before).Microseconds()) / float64(n), nil
}

func hashes(ctx context.Context, address string, window time.Duration) (n int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/?for=%s", address, window), http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = fmt.Fscan(resp.Body, &n)
	return n, err
}

// logins keeps so many callers logging in for a window, each as another user, and returns how many did; all have to.
func logins(ctx context.Context, address string, callers int, window time.Duration) (int, error) {
	var done atomic.Int64
	var wg sync.WaitGroup
	failed := make(chan error, callers)
	c := client(callers)
	defer c.CloseIdleConnections()
	end := time.Now().Add(window)
	for i := range callers {
		wg.Go(func() {
			for user := i; time.Now().Before(end); user += callers {
				_, status, err := login(ctx, c, address, user)
				if err == nil && status != http.StatusOK {
					err = fmt.Errorf("a login was answered %d", status)
				}
				if err != nil {
					failed <- err
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return 0, err
	default:
		return int(done.Load()), nil
	}
}
