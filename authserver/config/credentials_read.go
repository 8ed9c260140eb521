// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// credentialName is the form of Credential.Name: an object's name, which may be that of another namespace.
var credentialName = regexp.MustCompile(`^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?_)?[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$`)

// ownHeaders and ownClaims have a field of their own, are made for each JWT, or change what a signature means (RFC 7515 §4.1.11, RFC 7797).
var (
	ownHeaders = []string{"alg", "kid", "crit", "b64", "zip", "enc"}
	ownClaims  = []string{"iss", "sub", "aud", "iat", "exp", "jti"}
)

// credential takes one entry of the list.
func (f *frame) credential(text []byte) error {
	switch {
	case len(text) > MaxObject:
		return fmt.Errorf("credentials[%d] has more than %d bytes", len(f.Credentials), MaxObject)
	case len(f.Credentials) >= MaxCredentials:
		return fmt.Errorf("more than %d credentials", MaxCredentials)
	}
	var c Credential
	if err := decodeMember("credentials", text, &c); err != nil {
		return err
	}
	f.Credentials = append(f.Credentials, c)
	return nil
}

// atCredential names a credential for a message, as [Shard.At] does a policy.
func (s *Shard) atCredential(i int) string { return where("credentials", i, s.Credentials[i].Object) }

func (s *Shard) validateCredentials() error {
	seen := make(map[string]bool, len(s.Credentials))
	for i := range s.Credentials {
		c := &s.Credentials[i]
		switch {
		case c.Object == "":
			return fmt.Errorf("%s: object is empty", s.atCredential(i))
		case !credentialName.MatchString(c.Name):
			return fmt.Errorf("%s: name is not that of an IdentityProvider", s.atCredential(i))
		case seen[c.Name]:
			return fmt.Errorf("%s: a second credential of its name", s.atCredential(i))
		case ShardOf(c.Name, s.Count) != s.Number:
			return fmt.Errorf("%s: its name belongs to shard %d", s.atCredential(i), ShardOf(c.Name, s.Count))
		}
		seen[c.Name] = true
		if err := c.validate(); err != nil {
			return fmt.Errorf("%s: %w", s.atCredential(i), err)
		}
	}
	return nil
}

// validate names the field and never its value. Whether the key is one and fits the algorithm is for the package that signs, and whether the expression compiles for
// the one that evaluates it.
func (c *Credential) validate() error {
	switch {
	case !bytes.HasPrefix(c.Key, []byte("{")):
		return errors.New("key is not a JWK")
	case c.Algorithm == "":
		return errors.New("algorithm is required")
	case c.Issuer == "":
		return errors.New("issuer is required")
	case c.Lifetime <= 0:
		return errors.New("lifetime must be positive")
	}
	for _, name := range ownHeaders {
		if _, there := c.Headers[name]; there {
			return fmt.Errorf("headers holds %s, which is not its to set", name)
		}
	}
	for _, name := range ownClaims {
		if _, there := c.Claims[name]; there {
			return fmt.Errorf("claims holds %s, which is not its to set", name)
		}
	}
	return c.validateExchange()
}

// validateExchange checks what is for a token endpoint alone.
func (c *Credential) validateExchange() error {
	if c.TokenEndpoint == "" {
		if c.GrantType != "" || c.Client != nil || len(c.Parameters) > 0 || c.CABundle != "" {
			return errors.New("grantType, client, parameters and caBundle go with tokenEndpoint")
		}
		return nil
	}
	if c.Subject == "" || c.Audience == "" || c.GrantType == "" {
		return errors.New("tokenEndpoint goes with subject, audience and grantType")
	}
	if slices.ContainsFunc(c.Parameters, func(p Parameter) bool { return p.Name == "" }) {
		return errors.New("parameters: name is required")
	}
	if c.Client != nil {
		return c.Client.validate()
	}
	return nil
}
