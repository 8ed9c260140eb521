// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Options are what an installation decides about its operator.
type Options struct {
	// Namespaces are watched; none means all of them (the cluster-wide install).
	Namespaces []string
	// RequireSecretLabel makes Secrets need the label auth.gatehouse.dev/allow: "true" to be read.
	RequireSecretLabel bool
	// Image runs where an AuthServer names none. Required.
	Image string
	// OperatorNamespace may reach the pods' operations port. Empty where the operator runs outside the cluster.
	OperatorNamespace string
	// CredentialDeniedCIDRs are networks that this process never dials for a token, whatever an AuthServer allows: it asks from its own place in the network, past the
	// policies of the AuthServer's namespace. Default none.
	CredentialDeniedCIDRs []netip.Prefix

	// Now is the clock that lifetimes are measured with. Default time.Now.
	Now func() time.Time
	// Rand is where keys and tokens come from. Default crypto/rand.Reader.
	Rand io.Reader
	// HTTP asks pods for /configz. Default: a client without proxy, redirects or keep-alive limits of its own.
	HTTP *http.Client
	// Metrics takes the operator's own metrics, beside controller-runtime's. Default: they are told nowhere.
	Metrics prometheus.Registerer
	// Suspicion, if set, was told of requests to the API server without an answer; see [Suspicion].
	Suspicion *Suspicion
	// Timing paces the work. Zero fields take their defaults.
	Timing Timing
}

// Timing paces the operator.
type Timing struct {
	// Batch is how long changes are gathered before a pass. Default 100ms.
	Batch time.Duration
	// Poll is the pause between two questions to pods that have not confirmed. Default 75ms.
	Poll time.Duration
	// Ask bounds one question to a pod. Default 1s.
	Ask time.Duration
	// Nudge is how long a pod may lag before its annotation is changed again. Default 1s.
	Nudge time.Duration
	// Patience is how long a change may be on its way before Propagating is written. Default 2s.
	Patience time.Duration
	// Watch is the pause between two looks at the pods when nothing is pending. Default 15s.
	Watch time.Duration
	// Forbidden is how long every read must have been refused before that counts as the answer. Default 30s.
	Forbidden time.Duration
	// Trouble is how long passes must have failed before conditions tell of it. Default 10s.
	Trouble time.Duration
	// Unreferenced is how long nothing may have referred to an auto-created AuthServer before it is removed. Default 10m.
	Unreferenced time.Duration
	// Credentials is the longest pause between two looks at a provider's output Secret, also where its next token is due later: clocks jump. Default 5m.
	Credentials time.Duration
	// Audit is the pause between two comparisons of the caches with the API server. Default 20s.
	Audit time.Duration
	// Doubt is how long a cache may lack what the API server has before it counts as wrong: longer than a watch takes to come
	// back after an outage of the API server. Default 90s.
	Doubt time.Duration
	// Suspect is the same after a request got no answer, while nothing is written. Default 10s.
	Suspect time.Duration
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	t := &o.Timing
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.Batch, 100 * time.Millisecond},
		{&t.Poll, 75 * time.Millisecond},
		{&t.Ask, time.Second},
		{&t.Nudge, time.Second},
		{&t.Patience, 2 * time.Second},
		{&t.Watch, 15 * time.Second},
		{&t.Forbidden, 30 * time.Second},
		{&t.Trouble, 10 * time.Second},
		{&t.Unreferenced, 10 * time.Minute},
		{&t.Credentials, 5 * time.Minute},
		{&t.Audit, 20 * time.Second},
		{&t.Doubt, 90 * time.Second},
		{&t.Suspect, 10 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if o.HTTP == nil {
		o.HTTP = newPodClient(t.Ask)
	}
	return o
}

// retry is the pause between two attempts at what has failed for long.
func (o Options) retry() time.Duration { return min(o.Timing.Watch, lastRetry) }

// clusterWide tells whether every namespace is watched.
func (o Options) clusterWide() bool { return len(o.Namespaces) == 0 }

// watches tells whether objects of a namespace are seen at all.
func (o Options) watches(namespace string) bool {
	return o.clusterWide() || slices.Contains(o.Namespaces, namespace)
}
