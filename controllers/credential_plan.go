// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// credentialPlan is what a token is to be obtained with, or why it cannot be.
type credentialPlan struct {
	maker   *assertion.Maker
	client  *http.Client
	source  string
	failure *failure
	wait    time.Duration
}

// plan reads what the provider names and renders it alone.
func (c *credentials) plan(ctx context.Context, l *credentialLook) (credentialPlan, error) {
	g := &gathered{name: render.ServerOf(l.provider.Spec.AuthServerRef, l.provider.Namespace)}
	var err error
	if g.providers, err = c.claimants(ctx, l.provider); err != nil {
		return credentialPlan{}, err
	}
	if err := c.r.gatherServer(ctx, g); err != nil {
		return credentialPlan{}, err
	}
	if fresh := c.r.options.Timing.Patience - c.r.options.Now().Sub(l.st.since); g.server == nil && fresh > 0 && c.r.mayCreate(g) {
		return credentialPlan{wait: fresh}, nil // the other reconciler is about to make it, and its event brings us back
	}
	rendered, resolved, err := c.rendered(ctx, l, c.r.input(ctx, g))
	if err != nil {
		return credentialPlan{}, err
	}
	if rendered.Credential == nil {
		return credentialPlan{failure: refusalOf(&rendered.Verdict)}, nil
	}
	out := credentialPlan{}
	if out.source, err = sourceHash(l.provider, func(ref render.Ref) string { return resolved[ref].ResourceVersion }); err != nil {
		return credentialPlan{}, err
	}
	if out.maker, err = assertion.Compile(rendered.Credential); err != nil {
		var field *assertion.FieldError
		if !errors.As(err, &field) {
			return credentialPlan{}, fmt.Errorf("compiling the credential of %s: %w", keyOf(l.provider), err)
		}
		return credentialPlan{failure: &failure{reason: v1alpha1.ReasonInvalid, message: "spec.jwtBearer." + field.Error()}}, nil
	}
	out.client, out.failure = c.client(&rendered.Outbound)
	return out, nil
}

// rendered renders the provider alone. Only while its AuthServer is not usable itself are the last good settings read too.
func (c *credentials) rendered(ctx context.Context, l *credentialLook, in render.Input) (*render.RenderedCredential, map[render.Ref]render.Resolved, error) {
	key := keyOf(l.provider)
	plan := render.NewPlan(in)
	resolved, err := c.r.resolve(ctx, &l.st.refused, plan.CredentialReferences(key))
	if err != nil {
		return nil, nil, err
	}
	out, err := plan.Credential(key, resolved)
	if err != nil || out.Credential != nil || !out.Verdict.Accepted.Status || !out.Verdict.ResolvedRefs.Status {
		return out, resolved, err
	}
	var last corev1.Secret
	err = c.r.live.Get(ctx, types.NamespacedName{Namespace: in.Name.Namespace, Name: configName(in.Name.Name)}, &last)
	if apierrors.IsNotFound(err) {
		return out, resolved, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the configuration in force: %w", err)
	}
	in.LastBase = last.Data[config.FileBase]
	out, err = render.NewPlan(in).Credential(key, resolved)
	return out, resolved, err
}

// refusalOf says why a provider is not rendered.
func refusalOf(v *render.Verdict) *failure {
	switch {
	case !v.Accepted.Status:
		return &failure{reason: v.Accepted.Reason, message: v.Accepted.Message}
	case !v.ResolvedRefs.Status:
		return &failure{reason: v.ResolvedRefs.Reason, message: v.ResolvedRefs.Message}
	}
	return &failure{reason: v1alpha1.ReasonNoMatchingAuthServer, message: "the AuthServer itself cannot be used: see its conditions"}
}

// client returns one that keeps to the AuthServer's rules, or says what is wrong with them. Equal rules share one.
func (c *credentials) client(o *config.Outbound) (*http.Client, *failure) {
	var client *http.Client
	cidrs, err := outbound.ParseCIDRs(o.AllowedCIDRs)
	if err == nil {
		client, err = c.clients.Get(outbound.Profile{AllowedCIDRs: outbound.FormatCIDRs(cidrs), CABundle: outbound.NewBundle(o.CABundle)})
	}
	if err != nil {
		return nil, &failure{reason: v1alpha1.ReasonInvalidSource, message: "the AuthServer's spec.outbound cannot be used: " + err.Error()}
	}
	return client, nil
}

// unstructuredOf is the object as it is applied.
func unstructuredOf(o runtime.Object) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil, fmt.Errorf("encoding a Secret: %w", err)
	}
	dropNulls(content)
	return &unstructured.Unstructured{Object: content}, nil
}
