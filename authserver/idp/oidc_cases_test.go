// SPDX-License-Identifier: Apache-2.0

package idp_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/idp/optest"
)

// TestRelyingPartyCases runs every case of package optest: who may log in does, every other login is refused for its reason, tells
// nothing of what the provider wrote, and leaves the token endpoint alone where it has to.
func TestRelyingPartyCases(t *testing.T) {
	for _, c := range optest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			op := optest.Start(t, optest.Options{})
			c.Set(op)
			l := newLab(t, op, func(p *config.Provider) {
				if c.Algorithms != nil {
					p.OIDC.Algorithms = c.Algorithms
				}
			})
			p, err := l.login(t)
			if got := reasonOf(t, err); got != c.Reason {
				t.Fatalf("reason %q (%v), want %q", got, err, c.Reason)
			}
			if called := op.Calls(optest.PathToken) > 0; called == c.NoTokenRequest {
				t.Errorf("token endpoint called: %v", called)
			}
			if (err != nil) != (p == nil) {
				t.Errorf("a profile with error %v: %v", err, p)
			}
			if away := errors.Is(err, idp.ErrUnavailable); away != (c.Reason == idp.ReasonUnavailable) {
				t.Errorf("ErrUnavailable: %v", away)
			}
			for _, word := range []string{"evil", "script>", "somebody else", "guessed", op.Client().Secret, verifier, nonce, "248289761001", "hello", "garbage"} {
				if err != nil && strings.Contains(shown(err), word) {
					t.Errorf("%q is told: %s", word, shown(err))
				}
			}
		})
	}
}

// TestCasesHaveNamesOfTheirOwn and cover what the conformance plan for relying parties does of the code flow.
func TestCasesHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range optest.Cases() {
		if seen[c.Name] {
			t.Errorf("%s is there twice", c.Name)
		}
		seen[c.Name] = true
	}
	for _, name := range []string{
		"", "-invalid-iss", "-missing-sub", "-invalid-aud", "-missing-iat", "-kid-absent-single-jwks", "-kid-absent-multiple-jwks",
		"-idtoken-sig-rs256", "-idtoken-sig-none", "-invalid-sig-rs256", "-invalid-sig-es256", "-invalid-sig-hs256", "-nonce-invalid",
		"-userinfo-invalid-sub", "-userinfo-bearer-header", "-client-secret-basic", "-discovery-issuer-mismatch",
		"-signing-key-rotation-just-before-signing",
	} {
		if !seen["oidcc-client-test"+name] {
			t.Errorf("oidcc-client-test%s is missing", name)
		}
	}
}

// TestProfileOfALogin compares the whole of it.
func TestProfileOfALogin(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, nil)
	p := l.mustLogin(t)
	if p.SessionHash == [32]byte{} || p.SubjectHash == [32]byte{} || p.SessionHash == p.SubjectHash {
		t.Error("session and subject have no hashes of their own")
	}
	if p.Upstream.IDToken == "" || p.Upstream.RefreshToken == "" || p.Upstream.Subject != p.Subject || p.Upstream.Issuer != op.Issuer() {
		t.Errorf("upstream is not whole")
	}
	if left := p.Upstream.ExpiresAt.Sub(l.clock.now()).Seconds(); left < 290 || left > 300 {
		t.Errorf("expires in %vs", left)
	}
	got := *p
	got.Upstream, got.SessionHash, got.SubjectHash = idp.Upstream{}, [32]byte{}, [32]byte{}
	want := idp.Profile{
		Issuer: op.Issuer(), Subject: "248289761001", Username: "jane", Email: "jane@corp.example", EmailVerified: true, Name: "Jane Doe",
		Groups: []string{"dev", "ops"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestACodeWorksOnce: the OP refuses the second use, and that is told as such.
func TestACodeWorksOnce(t *testing.T) {
	op := optest.Start(t, optest.Options{})
	l := newLab(t, op, nil)
	q, err := l.begin(t)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.provider().Exchange(t.Context(), l.answer(q)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.provider().Exchange(t.Context(), l.answer(q)); reasonOf(t, err) != idp.ReasonTokenEndpoint {
		t.Error(err)
	}
}
