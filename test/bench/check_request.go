// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// checkRequest writes the question as Envoy does with the defaults of its ext_authz filter: where the request comes from
// and goes to, and all of its headers, pseudo-headers included. The route names the tenant in context_extensions.
func checkRequest(a question) ([]byte, error) {
	const host, path, id = "api.bench.example", "/v1/orders?page=2", "6f1a7c8e-4e0f-4d3a-9d0b-0c6a3f2f9b11"
	headers := map[string]string{
		":authority": host, ":method": "GET", ":path": path, ":scheme": "https",
		"accept": "application/json", "accept-encoding": "gzip, deflate, br", "accept-language": "en-GB,en;q=0.9",
		"user-agent":        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
		"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.7", "x-request-id": id, "x-envoy-internal": "true",
	}
	if a.token != "" {
		headers["authorization"] = "Bearer " + a.token
	}
	for i := range a.ballast / 500 {
		headers[fmt.Sprintf("x-ballast-%d", i)] = strings.Repeat("x", 480)
	}
	b, err := proto.Marshal(&authv3.CheckRequest{Attributes: &authv3.AttributeContext{
		Source:      peer("203.0.113.7", 51234),
		Destination: peer("10.0.3.17", 8443),
		Request: &authv3.AttributeContext_Request{
			Time: &timestamppb.Timestamp{Seconds: 1_767_225_600, Nanos: 123_456_000},
			Http: &authv3.AttributeContext_HttpRequest{Id: "9264738261036192873", Method: "GET", Headers: headers,
				Path: path, Host: host, Scheme: "https", Protocol: "HTTP/2"},
		},
		ContextExtensions:    map[string]string{"tenant": a.tenant},
		MetadataContext:      &corev3.Metadata{},
		RouteMetadataContext: &corev3.Metadata{},
	}})
	if err != nil {
		return nil, fmt.Errorf("writing a CheckRequest: %w", err)
	}
	return b, nil
}

func peer(address string, port uint32) *authv3.AttributeContext_Peer {
	return &authv3.AttributeContext_Peer{Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address: address, PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port}}}}}
}
