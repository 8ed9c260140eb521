// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// service is the base URL of a server's Service: its cluster IP, so that kube-proxy chooses the pod.
func service(ctx context.Context, server string) string {
	GinkgoHelper()
	var s corev1.Service
	Expect(api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "gatehouse-" + server}, &s)).To(Succeed())
	return "http://" + s.Spec.ClusterIP + ":8080"
}

func podURL(p *corev1.Pod) string { return "http://" + p.Status.PodIP + ":8080" }

// browserless is a client that keeps no connection: each request is balanced anew.
func browserless() *http.Client {
	return &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
}

// verify asks for a decision and returns status and headers.
func verify(ctx context.Context, c *http.Client, base, tenant, token string) (int, http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/verify/"+tenant, http.NoBody)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := c.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0, nil, err
	}
	return response.StatusCode, response.Header, nil
}

type tokens struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	RefreshToken string `json:"refresh_token"`
	Error        string `json:"error"`
}

// login is ada's.
func login(ctx context.Context, base, password string) (int, tokens) {
	GinkgoHelper()
	status, _, answer := loginAs(ctx, base, email, password)
	return status, answer
}

func loginAs(ctx context.Context, base, email, password string) (int, http.Header, tokens) {
	GinkgoHelper()
	body, err := json.Marshal(map[string]string{"email": email, "password": password})
	Expect(err).NotTo(HaveOccurred())
	return post(ctx, base+"/api/v1/login", "application/json", bytes.NewReader(body))
}

func refresh(ctx context.Context, base, token string) (int, tokens) {
	GinkgoHelper()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
	status, _, answer := post(ctx, base+"/oauth2/token", "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	return status, answer
}

func post(ctx context.Context, address, kind string, body io.Reader) (int, http.Header, tokens) {
	GinkgoHelper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, body)
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", kind)
	response, err := browserless().Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	var answer tokens
	Expect(json.NewDecoder(response.Body).Decode(&answer)).To(Succeed(), fmt.Sprint(response.Status))
	return response.StatusCode, response.Header, answer
}
