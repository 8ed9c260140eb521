// SPDX-License-Identifier: Apache-2.0

// Command demo shows Gatehouse at work on this machine: an embedded etcd and API server, the CRDs, the operator, the samples applied with
// kubectl, and the auth server that the operator asks for, run as a process where a cluster would run a pod. It logs in, verifies
// tokens of two tenants, changes a policy and shows how soon the change counts; then it lists what to try next and waits.
//
// With --check it ends after the last step, and its exit code is 1 if anything was not as it should be.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	check := flag.Bool("check", false, "end after the last step; exit 1 on any mismatch")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := demo(ctx, *check); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// demo starts everything, runs the steps and, unless check is set, waits for the end of ctx.
func demo(ctx context.Context, check bool) (err error) {
	s, err := start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop(err != nil)) }()
	for _, step := range steps {
		if err := s.do(ctx, step); err != nil {
			return fmt.Errorf("%s: %w\nlogs: %s", step.title, err, s.Dir)
		}
	}
	if check {
		fmt.Println("\nEverything was as it should be.")
		return nil
	}
	s.next()
	<-ctx.Done()
	fmt.Println("\nStopping.")
	return nil
}
