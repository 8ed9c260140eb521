// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// AddUser returns what a client needs to act as user with groups: a certificate signed by this control plane. The user
// has the rights that RBAC gives the name or a group, none by itself; group system:masters may do everything. A
// ServiceAccount's name (system:serviceaccount:NAMESPACE:NAME) works like the account itself.
func (c *ControlPlane) AddUser(user string, groups ...string) (*rest.Config, error) {
	pair, err := c.ca.client(user, groups)
	if err != nil {
		return nil, fmt.Errorf("adding user %s: %w", user, err)
	}
	return &rest.Config{
		Host:            "https://" + c.securePort.address(),
		TLSClientConfig: rest.TLSClientConfig{CAData: c.ca.pem, CertData: pair.cert, KeyData: pair.key},
		// The client's own throttling would hide how many requests a test makes, and slow it down.
		QPS: -1,
	}, nil
}

// RestConfig returns a new copy of the administrator's client configuration.
func (c *ControlPlane) RestConfig() *rest.Config { return rest.CopyConfig(c.admin) }

// Kubeconfig returns the path of the administrator's kubeconfig, which lies in Dir.
func (c *ControlPlane) Kubeconfig() string { return c.path("admin.kubeconfig") }

// Kubectl returns a kubectl of the API server's version that acts as the administrator. Its output is the caller's to
// set.
func (c *ControlPlane) Kubectl(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(c.assets, "kubectl"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig())
	return cmd
}

// WriteKubeconfig writes a config of [ControlPlane.AddUser] or [ControlPlane.RestConfig] as a kubeconfig file that only
// its owner can read.
func WriteKubeconfig(config *rest.Config, path string) error {
	const name = "gatehouse"
	file := clientcmdapi.NewConfig()
	file.Clusters[name] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	file.AuthInfos[name] = &clientcmdapi.AuthInfo{ClientCertificateData: config.CertData, ClientKeyData: config.KeyData}
	file.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	file.CurrentContext = name
	if err := clientcmd.WriteToFile(*file, path); err != nil {
		return fmt.Errorf("writing kubeconfig %s: %w", path, err)
	}
	return nil
}
