// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// here is this machine's address as pods reach it: the one from which it reaches their node. What the suite runs beside the
// cluster listens there.
func here(ctx context.Context) netip.Addr {
	GinkgoHelper()
	var nodes corev1.NodeList
	Expect(api.List(ctx, &nodes)).To(Succeed())
	Expect(nodes.Items).NotTo(BeEmpty())
	for _, a := range nodes.Items[0].Status.Addresses {
		if a.Type != corev1.NodeInternalIP {
			continue
		}
		conn, err := new(net.Dialer).DialContext(ctx, "udp", net.JoinHostPort(a.Address, "9")) // which sends nothing
		Expect(err).NotTo(HaveOccurred())
		defer conn.Close()
		address, err := netip.ParseAddrPort(conn.LocalAddr().String())
		Expect(err).NotTo(HaveOccurred())
		return address.Addr()
	}
	Fail("the node has no InternalIP")
	return netip.Addr{}
}

// only allows a server to dial one address.
func only(address netip.Addr) *v1alpha1.Outbound {
	return &v1alpha1.Outbound{AllowedCIDRs: []v1alpha1.CIDR{v1alpha1.CIDR(netip.PrefixFrom(address, address.BitLen()).String())}}
}

// browser is a person's browser in front of an ingress that ends TLS: what it asks of origin, the server's https externalURL,
// goes to base, its Service, by http. It keeps cookies, Secure ones too, follows redirects and remembers where they led.
type browser struct {
	*http.Client
	origin, base string
	visited      []*url.URL
}

func newBrowser(origin, base string) *browser {
	GinkgoHelper()
	jar, err := cookiejar.New(nil)
	Expect(err).NotTo(HaveOccurred())
	b := &browser{origin: origin, base: base}
	b.Client = &http.Client{Timeout: browserless().Timeout, Jar: jar, Transport: b, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		b.visited = append(b.visited, r.URL)
		return nil
	}}
	return b
}

// RoundTrip implements [http.RoundTripper].
func (b *browser) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := r.Clone(r.Context())
	if r.URL.Scheme+"://"+r.URL.Host == b.origin {
		to, err := url.Parse(b.base)
		if err != nil {
			return nil, err
		}
		sent.Host, sent.URL.Scheme, sent.URL.Host = r.URL.Host, to.Scheme, to.Host
		sent.Header.Set("X-Forwarded-Proto", "https")
	}
	response, err := browserless().Transport.RoundTrip(sent)
	if response != nil {
		response.Request = r
	}
	return response, err
}

// open asks for a path of the server and returns the page that it came to in the end.
func (b *browser) open(ctx context.Context, path string) *http.Response {
	GinkgoHelper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.origin+path, http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Accept", "text/html")
	b.visited = nil
	response, err := b.Do(request)
	Expect(err).NotTo(HaveOccurred())
	Expect(response.Body.Close()).To(Succeed())
	return response
}
