// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// Credential is one of a set. Its methods may be called from several goroutines.
type Credential struct {
	from    *config.Credential
	way     outbound.Profile // to its token endpoint
	callers *policy.Callers
	source  *assertion.Source // nil: it cannot be used as it is written
	fault   *assertion.Error  // why
	since   time.Time         // since when there is a fault
	now     func() time.Time

	mu   sync.Mutex
	last *Attempt // that has ended
}

// Attempt is how one attempt to get a token ended.
type Attempt struct {
	// Failure is why there is none, nil if there is one. It must not be changed.
	Failure *assertion.Error
	// Took is how long it took.
	Took time.Duration
	// Turned tells that the one before ended differently, or that this is a first one that failed.
	Turned bool
	// ValidUntil is when the token at hand expires, be it of this attempt or of an earlier one; zero without a token.
	ValidUntil time.Time
}

func newCredential(from policy.Credential, way outbound.Profile, o *Options) *Credential {
	c := &Credential{from: from.Credential, way: way, now: o.Now}
	if err := c.compile(o); err != nil {
		c.source, c.since = nil, o.Now()
		c.fault = &assertion.Error{Reason: assertion.ReasonInvalidSource, Message: err.Error()}
	}
	return c
}

// compile makes what the credential works with. The error names the field.
func (c *Credential) compile(o *Options) error {
	text, err := json.Marshal(c.from)
	if err != nil { // it was read from JSON
		return errors.New("it cannot be written again: this is a fault of Gatehouse")
	}
	if c.callers, err = policy.NewCallers(c.from.AllowedCallers, c.from.Name, c.from.Object, string(text)); err != nil {
		return errors.New("allowedCallers: " + err.Error())
	}
	maker, err := assertion.Compile(c.from)
	if err != nil {
		return err
	}
	client, err := o.Clients.Get(c.way)
	if err != nil {
		return err
	}
	var took atomic.Int64 // of the last flight
	c.source = assertion.NewSource(assertion.SourceOptions{
		Obtain: func(ctx context.Context) (assertion.Token, error) {
			start := time.Now()
			defer func() { took.Store(int64(time.Since(start))) }()
			return maker.Obtain(ctx, client, o.Now, o.Random)
		},
		Now: o.Now, Jitter: o.Jitter,
		Done: func(err error) { c.ended(err, time.Duration(took.Load()), o.Ended) },
	})
	return nil
}

// ended notes how an attempt ended and tells of it.
func (c *Credential) ended(err error, took time.Duration, tell func(*Credential, Attempt)) {
	a := Attempt{Took: took, ValidUntil: c.source.Status().ValidUntil}
	if err != nil && !errors.As(err, &a.Failure) {
		a.Failure = &assertion.Error{Reason: assertion.ReasonInternalError}
	}
	c.mu.Lock()
	if c.last == nil {
		a.Turned = a.Failure != nil
	} else {
		a.Turned = reasonOf(a.Failure) != reasonOf(c.last.Failure)
	}
	c.last = &a
	c.mu.Unlock()
	if tell != nil {
		tell(c, a)
	}
}

func reasonOf(e *assertion.Error) string {
	if e == nil {
		return ""
	}
	return e.Reason
}

// Name is that of /credentials/{provider}.
func (c *Credential) Name() string { return c.from.Name }

// Object is "IdentityProvider/namespace/name".
func (c *Credential) Object() string { return c.from.Object }

// TokenWithin returns the token: from memory while there is one to use, else what the one request under way brings, for which it waits no longer than patience or until ctx
// ends; the request goes on. The error is an [*assertion.Error], or wraps the context's.
func (c *Credential) TokenWithin(ctx context.Context, patience time.Duration) (assertion.Token, error) {
	if c.source == nil {
		return assertion.Token{}, c.fault
	}
	if token, ok := c.source.Cached(c.now()); ok { // without a timer
		return token, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.source.Get(ctx)
}
