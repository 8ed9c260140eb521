// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

const (
	// firstPause and lastPause bound the wait after failures in a row: half to all of 1 s, 2 s, 4 s … 1 min.
	firstPause = time.Second
	lastPause  = time.Minute
	// spread is over how long the renewals are dealt that fell due while no operator ran.
	spread = 30 * time.Second
	// minLife is the shortest life of a token that is kept in a Secret; minPause is the least time from one write to a renewal, whatever life a Secret tells of.
	minLife  = 10 * time.Second
	minPause = 5 * time.Second
	// calm is how long a Secret must have stayed as it was written for the next edit of it to count as the first.
	calm = 10 * time.Minute
)

// demand is what a provider's token should be made of now.
type demand struct {
	// source is the hash of what a token is made of: another one makes the token of before stale.
	source string
	// attempt is the hash of everything that decides whether one can be had, the AuthServer's rules included: after a change of it, waiting is over.
	attempt string
}

// failure is why the last attempt brought no token.
type failure struct {
	reason, message string
	// timeout tells that the endpoint did not answer in time.
	timeout bool
	// next is when to try again.
	next time.Time
}

// credentialState is what the operator remembers of one provider between two looks: no token, no key. All of it can be lost.
type credentialState struct {
	uid     types.UID
	since   time.Time // first seen
	refused refusals
	// attempt is that of the last look; failures counts those in a row since it changed, of which failure is the last.
	attempt  string
	failures int
	failure  *failure
	// notBefore postpones a renewal that was overdue when this process first saw it.
	notBefore time.Time
	// written is when the Secret was last written, restores how often in a row somebody had edited or deleted it soon after.
	written  time.Time
	restores int

	// ends and failing are for [credentialStates.count] alone, which another goroutine calls: under the lock of credentialStates.
	ends    time.Time
	failing bool
}

// credentialStates holds the state of every provider that wants a Secret. One worker at a time looks at a provider.
type credentialStates struct {
	mu sync.Mutex
	m  map[types.NamespacedName]*credentialState
}

// of returns the state of a provider, a new one for one that was put in the place of another.
func (s *credentialStates) of(p *v1alpha1.IdentityProvider, now time.Time) *credentialState {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := types.NamespacedName{Namespace: p.Namespace, Name: p.Name}
	st, ok := s.m[name]
	if !ok || st.uid != p.UID {
		st = &credentialState{uid: p.UID, since: now, refused: refusals{}}
		s.m[name] = st
	}
	return st
}

// note keeps of a look what is counted: h is what is in the Secret.
func (s *credentialStates) note(st *credentialState, h *held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.ends, st.failing = time.Time{}, st.failure != nil
	if h != nil {
		st.ends = h.expiresAt
	}
}

// count tells how many providers have a token that is valid, one that is valid while attempts at a newer one fail, and none that is valid.
func (s *credentialStates) count(now time.Time) (valid, failing, expired int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.m {
		switch {
		case !now.Before(st.ends):
			expired++
		case st.failing:
			failing++
		default:
			valid++
		}
	}
	return valid, failing, expired
}

func (s *credentialStates) drop(name types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m, name)
}

// due returns when a token has to be obtained: now or earlier for at once. jitter in [0, 1) spreads what was overdue at first sight. What failed with another demand
// is forgotten.
func (st *credentialState) due(h *held, d demand, now time.Time, jitter float64) time.Time {
	if st.attempt != d.attempt {
		st.attempt, st.failures, st.failure = d.attempt, 0, nil
	}
	switch {
	case st.failure != nil:
		return st.failure.next
	case h == nil:
		return st.restoreAt()
	case h.source != d.source:
		return now
	case now.Before(h.renewAt):
		return h.renewAt
	case now.Before(st.pausedUntil(h)):
		return st.pausedUntil(h)
	}
	if st.notBefore.IsZero() {
		st.notBefore = now
		if left := h.expiresAt.Sub(now); left > 0 && st.written.IsZero() {
			st.notBefore = now.Add(time.Duration(jitter * float64(min(spread, left/2))))
		}
	}
	return st.notBefore
}

// pausedUntil is when a token may be renewed at the earliest: none so often that writing it is all that the operator does.
func (st *credentialState) pausedUntil(h *held) time.Time {
	last := st.written
	if h.issuedAt.After(last) {
		last = h.issuedAt // by the Secret, for a process that has not written it
	}
	return last.Add(minPause)
}

// restoreAt is when a Secret may be made that is not there, or not as it was written: at once, and with growing pauses when somebody undoes that again and again.
func (st *credentialState) restoreAt() time.Time {
	if st.restores == 0 {
		return time.Time{}
	}
	return st.written.Add(pause(st.restores, 1))
}

// wrote notes a token that has been written. restored tells that there was no Secret to renew.
func (st *credentialState) wrote(now time.Time, restored bool) {
	if restored && !st.written.IsZero() && now.Sub(st.written) < calm {
		st.restores++
	} else {
		st.restores = 0
	}
	st.written, st.failures, st.failure, st.notBefore = now, 0, nil, time.Time{}
}

// fail notes an attempt that brought no token. after is what the endpoint asked for, 0 for nothing.
func (st *credentialState) fail(f failure, now time.Time, after time.Duration, jitter float64) {
	st.failures++
	f.next = now.Add(max(pause(st.failures, jitter), after))
	st.failure = &f
}

// pause after so many events in a row.
func pause(events int, jitter float64) time.Duration {
	full := lastPause
	if events < 7 {
		full = firstPause << (events - 1)
	}
	return time.Duration(float64(full) * (0.5 + 0.5*jitter))
}

// next is when to look again although nothing has happened: when a token is due, or when the one in force ends and that has to be told.
func (st *credentialState) next(h *held, due, now time.Time) time.Time {
	if st.failure != nil && h.valid(now) && h.expiresAt.Before(due) {
		return h.expiresAt
	}
	return due
}

// condition is CredentialReady for what is in the Secret; ok is false while there is nothing to say yet. It names no attempts and no times but those of the token:
// it would be rewritten all along.
func (st *credentialState) condition(secret string, h *held, now time.Time) (c metav1.Condition, ok bool) {
	c = metav1.Condition{Status: metav1.ConditionFalse}
	until := ""
	if h != nil {
		until = h.expiresAt.UTC().Format(time.RFC3339)
	}
	switch f := st.failure; {
	case f == nil && h.valid(now):
		c.Status, c.Reason = metav1.ConditionTrue, v1alpha1.ReasonIssued
		c.Message = fmt.Sprintf("Secret %s holds a token that is valid until %s", secret, until)
	case f == nil && h == nil && st.restores > 0:
		c.Reason = v1alpha1.ReasonSecretNotWritten
		c.Message = fmt.Sprintf("Secret %s was deleted or edited again soon after it was written: it is made anew after pauses of up to %v", secret, lastPause)
	case f == nil:
		return c, false
	case h.valid(now):
		c.Status, c.Reason = metav1.ConditionTrue, f.reason
		c.Message = fmt.Sprintf("Secret %s holds a token that is valid until %s, and there is no newer one: %s", secret, until, f.message)
	case h != nil:
		c.Reason, c.Message = f.reason, fmt.Sprintf("the token in Secret %s ended at %s, and there is no newer one: %s", secret, until, f.message)
	default:
		c.Reason, c.Message = f.reason, fmt.Sprintf("there is no token for Secret %s: %s", secret, f.message)
	}
	return c, true
}
