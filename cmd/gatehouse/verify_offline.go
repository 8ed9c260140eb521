// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
	"github.com/gatehouse-auth/gatehouse/manifests"
)

// offline asks the manifests, as `serve -f PATH…` with its default addresses would decide.
func (f *verifyFlags) offline(args []string) (explainer, error) {
	if f.tokenFile != "" {
		return nil, errors.New("--token-file goes with --ops: the token to explain comes on standard input")
	}
	paths, err := checkPaths(f.paths, args)
	if err != nil {
		return nil, err
	}
	if slices.Contains(paths, "-") {
		return nil, errors.New("-f - cannot be read: standard input holds the token")
	}
	name, err := parseServer(f.server)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, q *question, stderr io.Writer) (*policy.Report, error) {
		r, err := renderOffline(paths, name, func(r *rendered) { r.tellTenant(q.tenant(), paths, stderr) })
		if err != nil {
			return nil, err
		}
		report, err := q.explain(ctx, r.out.Files)
		if err != nil {
			return nil, failed(err)
		}
		if report.Reason == policy.ReasonUnknownTenant {
			if fix := r.leftOut(q.tenant()); fix != "" {
				report.Fix = fix
			}
		}
		return report, nil
	}, nil
}

// renderOffline makes the files that serve would hold in memory.
func renderOffline(paths []string, name types.NamespacedName, tell func(*rendered)) (*rendered, error) {
	adjust := func(o *v1alpha1.AuthServer) {
		if o.Spec.ExternalURL == "" {
			o.Spec.ExternalURL = "http://" + defaultListen
		}
	}
	r, err := renderPaths(paths, nil, name, func() (manifests.RenderOptions, error) {
		return manifests.RenderOptions{Adjust: adjust, Loopback: true}, nil
	}, tell)
	if err != nil {
		return nil, err
	}
	if signs(r.server) {
		planned, err := issue.Plan(nil, keySettings(r.server), time.Now(), issue.Generate)
		if err != nil {
			return nil, failed(fmt.Errorf("planning the signing keys: %w", err))
		}
		if r.out.Files[config.FileKeys], err = encodeKeys(planned.Keys); err != nil {
			return nil, failed(err)
		}
	}
	return r, nil
}

// tenant is the tenant that is named, "" for none.
func (q *question) tenant() string {
	if q.Tenant == nil {
		return ""
	}
	return *q.Tenant
}

// explain asks the rendered files.
func (q *question) explain(ctx context.Context, files map[string][]byte) (*policy.Report, error) {
	if !q.Assertion {
		return authserver.Explain(ctx, files, loopback(), q.facts(), time.Now())
	}
	a := &policy.Assertion{Raw: q.Token, Facts: *q.facts()}
	a.Facts.Token = nil
	if q.Scope != nil {
		a.Scope = *q.Scope
	}
	return authserver.ExplainAssertion(ctx, files, loopback(), a, time.Now())
}

// facts are what a request would say.
func (q *question) facts() *policy.Facts {
	sent := func(value *string) []string {
		if value == nil {
			return nil
		}
		return []string{*value}
	}
	return &policy.Facts{Token: []string{q.Token}, TenantID: sent(q.Tenant), Issuer: sent(q.Issuer), ClientID: sent(q.ClientID), Nonce: sent(q.Nonce)}
}
