// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// maxClientSecret bounds a client secret in bytes.
const maxClientSecret = 4 << 10

// clientSpec is how an object names this server as a client of its provider.
type clientSpec struct {
	block  string // spec.oidc or spec.oauth2
	id     string
	secret *v1alpha1.SecretKeyReference
	method v1alpha1.ClientAuthenticationMethod
	pkce   v1alpha1.PKCE
	scopes []v1alpha1.Scope
}

// authentication is the method where the object names none: without a secret the client is public.
func (c *clientSpec) authentication() v1alpha1.ClientAuthenticationMethod {
	switch {
	case c.method != "":
		return c.method
	case c.secret == nil:
		return v1alpha1.ClientAuthenticationNone
	}
	return v1alpha1.ClientSecretBasic
}

func (o *providerPlan) planClient(c clientSpec) {
	methods := []v1alpha1.ClientAuthenticationMethod{v1alpha1.ClientSecretBasic, v1alpha1.ClientSecretPost, v1alpha1.PrivateKeyJWT, v1alpha1.ClientAuthenticationNone}
	method := c.authentication()
	switch {
	case !slices.Contains(methods, method):
		o.refuse(v1alpha1.ReasonInvalid, c.block+".clientAuthenticationMethod", "%s is not known: use one of %v", quoted(string(method)), methods)
	case (method == v1alpha1.ClientAuthenticationNone) != (c.secret == nil):
		o.refuse(v1alpha1.ReasonInvalid, c.block+".clientSecretRef", "clientSecretRef goes with every clientAuthenticationMethod but None")
	}
	if c.id == "" {
		o.refuse(v1alpha1.ReasonInvalid, c.block+".clientID", "it is required")
	}
	switch c.pkce {
	case "", v1alpha1.PKCERequired:
	case v1alpha1.PKCEOff:
		if method == v1alpha1.ClientAuthenticationNone {
			o.warn(c.block+".pkce", "without PKCE and without a client secret, whoever learns a code can use it: set pkce to Required, or give the client a secret")
		}
	default:
		o.refuse(v1alpha1.ReasonInvalid, c.block+".pkce", "%s is not known: use %s or %s", quoted(string(c.pkce)), v1alpha1.PKCERequired, v1alpha1.PKCEOff)
	}
	for i, s := range c.scopes {
		if !isScope(string(s)) {
			o.refuse(v1alpha1.ReasonInvalid, fmt.Sprintf("%s.scopes[%d]", c.block, i), "must be one scope, without spaces, quotes and backslashes: write each as an item of the list")
		}
	}
}

// isScope tells whether the text is one scope (RFC 6749 §3.3).
func isScope(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			return false
		}
	}
	return s != ""
}

// renderClient reads the client's secret or key.
func (o *providerPlan) renderClient(f *findings, r *resolver, c clientSpec) config.Client {
	out := config.Client{ID: c.id, Authentication: string(c.authentication()), PKCE: c.pkce != v1alpha1.PKCEOff}
	for _, s := range c.scopes {
		if !slices.Contains(out.Scopes, string(s)) {
			out.Scopes = append(out.Scopes, string(s))
		}
	}
	if c.secret == nil {
		return out
	}
	ref, field := secretRef(c.secret, o.key.Namespace), c.block+".clientSecretRef"
	data, ok := r.value(f, field, ref, c.secret.Key)
	if !ok {
		return out
	}
	read := readClientSecret
	if c.method == v1alpha1.PrivateKeyJWT {
		read = readClientKey
	}
	secret, err := read(data)
	if err != nil {
		f.refuseRef(v1alpha1.ReasonRefInvalid, field, "key %q of %s: %v", c.secret.Key, ref, err)
	}
	out.Secret = secret
	return out
}

// readClientSecret takes a secret as it is, but for one line break at its end: editors and `kubectl create secret --from-file` leave one, and no client secret
// can hold it (RFC 6749 appendix A.2: printable ASCII).
func readClientSecret(data []byte) (string, error) {
	data = bytes.TrimSuffix(bytes.TrimSuffix(data, []byte("\n")), []byte("\r"))
	switch {
	case len(data) == 0:
		return "", errors.New("it is empty: put the client secret there, or set clientAuthenticationMethod to None")
	case bytes.Contains(data, []byte("-----BEGIN ")):
		return "", errors.New("it holds PEM, which is no client secret: set clientAuthenticationMethod to PrivateKeyJWT")
	case len(data) > maxClientSecret:
		return "", fmt.Errorf("it has %d bytes, at most %d are allowed", len(data), maxClientSecret)
	case bytes.ContainsFunc(data, func(c rune) bool { return c < ' ' || c > '~' }):
		return "", errors.New("it holds a line break, control character or letter outside ASCII, which no client secret has: make the Secret again from the value alone")
	}
	return string(data), nil
}

// readClientKey makes one JWK of a private key.
func readClientKey(data []byte) (string, error) {
	key, err := assertion.ParseKey(data)
	if err != nil {
		return "", err
	}
	text, err := key.JWK()
	if err != nil { // cannot happen for a key that was accepted
		return "", errors.New("the key cannot be written as a JWK")
	}
	return string(text), nil
}
