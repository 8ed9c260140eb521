// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// kubectl is the real one, but for port-forward, which needs a kubelet: here connections are passed on to the pods' address.
func kubectl(args []string) int {
	if len(args) < 3 || args[0] != "port-forward" {
		program := os.Getenv("DOCS_KUBECTL")
		fmt.Fprintln(os.Stderr, syscall.Exec(program, append([]string{program}, args...), os.Environ()))
		return 1
	}
	for _, ports := range args[2:] {
		local, remote, found := strings.Cut(ports, ":")
		if !found {
			remote = local
		}
		listener, err := net.Listen("tcp", net.JoinHostPort(os.Getenv("DOCS_ADDRESS"), local))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		go forward(listener, net.JoinHostPort(os.Getenv("DOCS_PODS"), remote))
		fmt.Printf("Forwarding from 127.0.0.1:%s -> %s\n", local, remote)
	}
	select {}
}

func forward(listener net.Listener, target string) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer client.Close()
			server, err := net.Dial("tcp", target)
			if err != nil {
				return
			}
			defer server.Close()
			go func() { _, _ = io.Copy(client, server); _ = client.Close() }()
			_, _ = io.Copy(server, client)
		}()
	}
}
