// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// attemptTime bounds one attempt at a token, the reading of Secrets included.
const attemptTime = 20 * time.Second

// claimants are the providers that claim the same Secret, this one among them, as the caches have them: one of them is served, as render has it. They may not be changed.
func (c *credentials) claimants(ctx context.Context, p *v1alpha1.IdentityProvider) ([]*v1alpha1.IdentityProvider, error) {
	var list v1alpha1.IdentityProviderList
	err := c.r.client.List(ctx, &list, client.MatchingFields{indexOutput: p.Namespace + "/" + outputOf(p)}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, fmt.Errorf("listing who claims a Secret: %w", err)
	}
	out := []*v1alpha1.IdentityProvider{p}
	for i := range list.Items {
		if o := &list.Items[i]; o.UID != p.UID && o.DeletionTimestamp.IsZero() {
			out = append(out, o)
		}
	}
	slices.SortFunc(out[1:], func(a, b *v1alpha1.IdentityProvider) int { return cmp.Compare(a.UID, b.UID) })
	return out, nil
}

// demandOf tells what a token of the provider is to be made of, as the caches have it.
func (c *credentials) demandOf(ctx context.Context, p *v1alpha1.IdentityProvider) (demand, error) {
	server := &gathered{name: render.ServerOf(p.Spec.AuthServerRef, p.Namespace)}
	if err := c.r.gatherServer(ctx, server); err != nil {
		return demand{}, err
	}
	refs := referencesOf(p)
	rules := []any{}
	claimants, err := c.claimants(ctx, p)
	if err != nil {
		return demand{}, err
	}
	for _, o := range claimants {
		rules = append(rules, o.UID, o.Generation)
	}
	if server.server != nil {
		refs = append(refs, referencesOf(server.server)...)
		rules = append(rules, server.server.UID, server.server.Generation)
		if labels := c.r.input(ctx, server).NamespaceLabels; labels != nil && server.server.Spec.AllowedNamespaces.From == v1alpha1.NamespacesSelector {
			have, _ := labels(p.Namespace)
			rules = append(rules, have)
		}
	}
	versions := map[render.Ref]string{}
	for _, ref := range refs {
		m := metadataOf(string(ref.Kind))
		err := c.r.client.Get(ctx, types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}, m)
		if err != nil && !apierrors.IsNotFound(err) {
			return demand{}, fmt.Errorf("reading the metadata of %s: %w", ref, err)
		}
		versions[ref] = m.ResourceVersion
		rules = append(rules, ref.String(), m.ResourceVersion)
	}
	source, err := sourceHash(p, func(ref render.Ref) string { return versions[ref] })
	if err != nil {
		return demand{}, err
	}
	attempt, err := hashOf(append(rules, source)...)
	return demand{source: source, attempt: attempt}, err
}

// sourceHash is a hash of what a token is made of: the block without what does not shape the token, and the versions of the Secrets with its keys. There is
// no secret in it, nor a hash of one.
func sourceHash(p *v1alpha1.IdentityProvider, version func(render.Ref) string) (string, error) {
	block := p.Spec.JWTBearer.DeepCopy()
	block.OutputSecretName, block.AllowedCallers = "", ""
	secrets := []string{version(render.Ref{Kind: v1alpha1.BundleSecret, Namespace: p.Namespace, Name: block.KeySecretRef.Name})}
	if block.ClientSecretRef != nil {
		secrets = append(secrets, version(render.Ref{Kind: v1alpha1.BundleSecret, Namespace: p.Namespace, Name: block.ClientSecretRef.Name}))
	}
	return hashOf(block, secrets)
}

func hashOf(parts ...any) (string, error) {
	encoded, err := json.Marshal(parts)
	if err != nil {
		return "", fmt.Errorf("hashing what a token is made of: %w", err)
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:]), nil
}

// endpointHost is the host of the provider's token endpoint, "" where it has none.
func endpointHost(p *v1alpha1.IdentityProvider) string {
	u, err := url.Parse(string(p.Spec.JWTBearer.TokenEndpoint))
	if err != nil {
		return ""
	}
	return u.Host
}

// renew obtains a token and writes it. What the user, or the other side, can mend is noted in the state; an error is of the API server, and what failed is tried
// again. A wait above zero is for something that will happen by itself.
func (c *credentials) renew(ctx context.Context, l *credentialLook) (wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	plan, err := c.plan(ctx, l)
	if err != nil || plan.wait > 0 {
		return plan.wait, err
	}
	if plan.failure != nil {
		l.st.fail(*plan.failure, c.r.options.Now(), 0, c.jitter())
		return 0, nil
	}
	if h := l.found.held; h != nil && h.source == plan.source && c.r.options.Now().Before(h.renewAt) {
		l.demand.source = plan.source // the caches are behind, and this is what the token was made of already
		return c.r.options.Timing.Poll, nil
	}
	token, err := plan.maker.Obtain(ctx, plan.client, c.r.options.Now, c.r.options.Rand)
	if err == nil {
		err = tooShort(token, c.r.options.Now())
	}
	c.metrics.asked(err)
	if err != nil {
		return 0, c.failed(ctx, l, err)
	}
	h := &held{source: plan.source, issuedAt: token.IssuedAt, renewAt: token.RenewAt(c.jitter()), expiresAt: token.ExpiresAt}
	return c.keepToken(ctx, l, token, h)
}

// tooShort refuses a token that is not worth a Secret: it would be renewed all along, and end before whoever mounts the Secret sees it.
func tooShort(t assertion.Token, now time.Time) error {
	switch life := t.ExpiresAt.Sub(t.IssuedAt); {
	case life < minLife:
		return &assertion.Error{Reason: assertion.ReasonBadContent, Message: fmt.Sprintf(
			"tokenEndpoint: its tokens live %v, too short for a Secret: have it give tokens of %v or more (better 10m), or ask GET /credentials instead of outputSecretName", life, minLife)}
	case !now.Before(t.ExpiresAt):
		return &assertion.Error{Reason: assertion.ReasonBadContent, Message: "tokenEndpoint: the token had ended when it came"}
	}
	return nil
}

// failed notes why there is no token.
func (c *credentials) failed(ctx context.Context, l *credentialLook, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err() // this process ends
	}
	f, after := failure{reason: v1alpha1.ReasonInternalError, message: "the token could not be obtained"}, time.Duration(0)
	var told *assertion.Error
	if errors.As(err, &told) {
		f, after = failure{reason: told.Reason, message: told.Message, timeout: told.Timeout()}, told.RetryAfter
	}
	c.r.log.V(1).Info("no token could be obtained", "object", keyOf(l.provider).String(), "reason", f.reason, "message", f.message)
	l.st.fail(f, c.r.options.Now(), after, c.jitter())
	return nil
}

// keepToken writes the token into the Secret. Where that has changed meanwhile it is looked at again: the token is not lost for a conflict.
func (c *credentials) keepToken(ctx context.Context, l *credentialLook, token assertion.Token, h *held) (time.Duration, error) {
	absent := l.found.held == nil
	var err error
	for range 3 {
		err = c.store(ctx, l.found, outputSecret(l.provider, token, h))
		if !errors.Is(err, errGone) {
			break
		}
		if l.found, err = c.find(ctx, l.provider); err != nil {
			return 0, err
		}
		if l.found.foreign != "" {
			return c.r.options.Timing.Poll, nil
		}
		err = errGone
	}
	var refused *refusedSecret
	switch {
	case errors.As(err, &refused):
		l.st.fail(failure{reason: v1alpha1.ReasonSecretNotWritten, message: refused.Error()}, c.r.options.Now(), 0, c.jitter())
		return 0, nil
	case errors.Is(err, errGone):
		return c.r.options.Timing.Poll, nil
	case err != nil:
		return 0, err
	}
	l.st.wrote(c.r.options.Now(), absent)
	l.found.held, l.demand.source = h, h.source
	c.r.log.Info("wrote a token", "object", keyOf(l.provider).String(), "secret", outputOf(l.provider), "until", h.expiresAt.UTC().Format(time.RFC3339))
	return 0, nil
}
