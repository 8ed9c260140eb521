// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// findNginx returns the machine's nginx. Packages put it where only administrators' paths lead.
func findNginx(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("nginx is not installed, and with CI=true it has to be: apt-get install nginx")
	}
	t.Skip("skipped: nginx is not installed")
	return ""
}

// startNginx runs nginx with the page's configuration and returns its address.
func startNginx(t *testing.T, l *lab) string {
	t.Helper()
	return startNginxWith(t, l, func(site string) string { return site })
}

// startNginxWith does so with a configuration that is changed before.
func startNginxWith(t *testing.T, l *lab, change func(site string) string) string {
	t.Helper()
	address := freeAddress(t)
	runNginx(t, address, place(t, change(block(t, "nginx.md", "nginx")), map[string]string{
		"server " + pageAuth: "server " + l.auth.address, "server " + pageApp: "server " + l.app.address, "listen 8000;": l.nginxListen(address),
	}))
	return address
}

// startPublicNginx runs nginx with the page's public host beside its gateway, and returns the host's address.
func startPublicNginx(t *testing.T, l *lab) string {
	t.Helper()
	address := freeAddress(t)
	runNginx(t, address, place(t, block(t, "nginx.md", "nginx")+public(t, "nginx.md", "nginx"), map[string]string{
		"server " + pageAuth: "server " + l.auth.address, "server " + pageApp: "server " + l.app.address, "listen 8000;": l.nginxListen(freeAddress(t)),
		"listen 8001;": l.nginxListen(address),
	}))
	return address
}

// runNginx runs nginx with a site that listens at the address.
func runNginx(t *testing.T, address, site string) {
	t.Helper()
	program, dir := findNginx(t), t.TempDir()
	// What distributions put around a site. One process, so that it needs no user of its own.
	main := `daemon off;
master_process off;
error_log stderr notice;
pid ` + dir + `/pid;
events {}
http {
    access_log off;
    client_body_temp_path ` + dir + `/body;
    proxy_temp_path ` + dir + `/proxy;
    fastcgi_temp_path ` + dir + `/fastcgi;
    uwsgi_temp_path ` + dir + `/uwsgi;
    scgi_temp_path ` + dir + `/scgi;
    include ` + dir + `/site.conf;
}
`
	for name, text := range map[string]string{"nginx.conf": main, "site.conf": site} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	runProgram(t, address, program, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr")
}

// nginxListen is how nginx listens at an address, with TLS where the lab has a certificate.
func (l *lab) nginxListen(address string) string {
	if l.certificate == "" {
		return "listen " + address + ";"
	}
	return "listen " + address + " ssl; ssl_certificate " + l.certificate + "; ssl_certificate_key " + l.key + ";"
}
