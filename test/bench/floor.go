// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
)

// floorCommand is `bench floor`: the server that stands for the least a verifying server can cost. It is net/http with
// its defaults and a handler that does one raw signature verification per request, over a digest and a signature that
// it made at start, and nothing else: the token in the request is received and not looked at.
func floorCommand(args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("bench floor", flag.ContinueOnError)
	flags.SetOutput(stderr)
	mode := flags.String("mode", floorRSA, "what a request costs: rsa, ecdsa, empty, or grpc: nothing but gRPC")
	listen := flags.String("listen", "127.0.0.1:0", "address to listen on")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	handler, err := floorHandler(*mode)
	if err != nil {
		complain(stderr, err)
		return 2
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		complain(stderr, err)
		return 1
	}
	slog.New(slog.NewJSONHandler(stderr, nil)).Info("ready", "listen", listener.Addr().String())
	if *mode == floorGRPC {
		complain(stderr, serveGRPC(listener))
	} else {
		complain(stderr, http.Serve(listener, handler))
	}
	return 1
}

// yes lets everybody in over gRPC.
type yes struct {
	authv3.UnimplementedAuthorizationServer
}

func (yes) Check(context.Context, *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	return &authv3.CheckResponse{Status: &status.Status{}, HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: &authv3.OkHttpResponse{}}}, nil
}

// serveGRPC serves external authorization with grpc-go as it is and a handler that does nothing.
func serveGRPC(listener net.Listener) error {
	s := grpc.NewServer()
	authv3.RegisterAuthorizationServer(s, yes{})
	return s.Serve(listener)
}

func floorHandler(mode string) (http.Handler, error) {
	verify, err := floorVerify(mode)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !verify() {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}), nil
}

// floorVerify returns one verification. The digest is taken beforehand: hashing is not part of the floor.
func floorVerify(mode string) (func() bool, error) {
	digest := sha256.Sum256([]byte("gatehouse"))
	switch mode {
	case floorEmpty, floorGRPC:
		return func() bool { return true }, nil
	case floorRSA:
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, fmt.Errorf("drawing a key: %w", err)
		}
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
		if err != nil {
			return nil, fmt.Errorf("signing: %w", err)
		}
		return func() bool {
			return rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature) == nil
		}, nil
	case floorECDSA:
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("drawing a key: %w", err)
		}
		signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
		if err != nil {
			return nil, fmt.Errorf("signing: %w", err)
		}
		return func() bool { return ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature) }, nil
	}
	return nil, fmt.Errorf("-mode %q: must be %s, %s, %s or %s", mode, floorRSA, floorECDSA, floorEmpty, floorGRPC)
}
