// SPDX-License-Identifier: Apache-2.0

package migrating

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/test/served"
)

// cast are the keys that Secrets hold and tokens are made with.
type castOf struct {
	password   []byte // of HS256
	hs, rs     *served.Signer
	mallory    *served.Signer
	decryption *rsa.PrivateKey
	aes        []byte
}

var makeCast = sync.OnceValues(func() (*castOf, error) {
	c := &castOf{password: []byte("correct horse battery staple, and more"), aes: make([]byte, 32)}
	c.hs = served.HMAC("HS256", c.password)
	_, _ = rand.Read(c.aes)
	var err error
	c.decryption, err = rsa.GenerateKey(rand.Reader, 2048)
	return c, err
})

func cast(t *testing.T) *castOf {
	t.Helper()
	c, err := makeCast()
	if err != nil {
		t.Fatal(err)
	}
	signers.Do(func() { c.rs, c.mallory = served.NewSigner(t, "RS256", ""), served.NewSigner(t, "RS256", "") })
	return c
}

var signers sync.Once

// secret is the document of a Secret.
func secret(name string, values map[string]string) string {
	text := "---\napiVersion: v1\nkind: Secret\nmetadata: {name: " + name + ", namespace: default}\ndata:\n"
	for _, key := range slices.Sorted(maps.Keys(values)) {
		text += "  " + key + ": " + base64.StdEncoding.EncodeToString([]byte(values[key])) + "\n"
	}
	return text
}

// secrets are those that the page's manifests name, with good keys.
func (c *castOf) secrets(t *testing.T) string {
	t.Helper()
	public := c.rs.PEM(t)
	der, err := x509.MarshalPKCS8PrivateKey(c.decryption)
	if err != nil {
		t.Fatal(err)
	}
	private := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return secret("acme-jwt", map[string]string{"password": string(c.password), "public.pem": public}) +
		secret("globex-jwt", map[string]string{"public.pem": public}) +
		secret("tenant-5-jwt", map[string]string{"password": string(c.password)}) +
		secret("acme-decryption", map[string]string{"private.pem": private, "key": string(c.aes)})
}

// direct are claims as they stand inside an encryption.
func direct(t *testing.T, claims served.Claims) string {
	t.Helper()
	text, err := json.Marshal(served.Claims{"exp": time.Now().Add(time.Hour).Unix()}.With(claims))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// row is one request as clients of the old system send it, and what must come of it.
type row struct {
	name, token string
	headers     []string // further ones, such as x-jwt-nonce
	status      int      // default 200
	user        string   // X-Auth-Request-User, with 200
	told        map[string]string
}

// ask sends a request for tenant, which goes into x-jwt-tenant-id unless it is empty.
func ask(t *testing.T, address, tenant string, r row) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+address+"/verify", nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.token != "" {
		request.Header["x-jwt-token"] = []string{r.token} // as the old documentation writes it: lower case
	}
	if tenant != "" {
		request.Header["x-jwt-tenant-id"] = []string{tenant}
	}
	for _, h := range r.headers {
		name, value, _ := strings.Cut(h, ": ")
		request.Header[name] = append(request.Header[name], value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	want := r.status
	if want == 0 {
		want = http.StatusOK
	}
	if response.StatusCode != want {
		t.Fatalf("%d, want %d: %s", response.StatusCode, want, body)
	}
	told := map[string]string{"X-Auth-Request-User": r.user}
	maps.Copy(told, r.told)
	for name, value := range told {
		if got := strings.Join(response.Header.Values(name), "|"); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
}

// twice is a list of the same header.
func twice(name, value string) []string {
	return []string{fmt.Sprintf("%s: %s", name, value), fmt.Sprintf("%s: %s", name, value)}
}
