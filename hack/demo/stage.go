// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/gatehouse-auth/gatehouse/test/local"
)

const public = "http://127.0.0.1:8080"

// stage is what runs during the demo, and what its steps leave for each other.
type stage struct {
	*local.Machine

	access  string // the access token of the login
	refresh string
}

// start brings up the control plane and the kubelet's stand-in; the steps do the rest.
func start(ctx context.Context) (*stage, error) {
	for _, address := range []string{"127.0.0.1:8080", "127.0.0.1:9090"} {
		if err := free(address); err != nil {
			return nil, fmt.Errorf("the auth server needs %s, as its pod would: %w", address, err)
		}
	}
	fmt.Printf("%-72s", "Starting etcd and the API server")
	began := time.Now()
	m, err := local.Start(ctx, local.Options{Bin: "bin"})
	if err != nil {
		return nil, err
	}
	fmt.Println(seconds(time.Since(began)))
	return &stage{Machine: m}, nil
}

// show runs kubectl and prints what it prints.
func (s *stage) show(ctx context.Context, args ...string) error {
	out, err := s.Control.Kubectl(ctx, args...).CombinedOutput()
	fmt.Print(indent(string(out)))
	return err
}

// free tells whether an address can be listened on.
func free(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}
