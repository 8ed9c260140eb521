// SPDX-License-Identifier: Apache-2.0

package issue

import (
	"cmp"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

const (
	// CacheFor is how long the JWKS may be cached: the max-age that the server sends.
	CacheFor = 10 * time.Minute
	// PublishLead is how long a key is published before it signs: CacheFor and 5 minutes for the file to reach every replica.
	PublishLead = CacheFor + 5*time.Minute
	// RetireMargin is how long a key stays published after its last token has expired: for leeway and for clocks that disagree.
	RetireMargin = 10 * time.Minute
	// MaxKeys bounds the list; a server whose algorithm is changed again and again keeps its present key until an old one goes.
	MaxKeys = 8
)

// Settings are the AuthServer's tokens.* that keys depend on.
type Settings struct {
	// Algorithm is tokens.signingAlgorithm.
	Algorithm string
	// RotationInterval is tokens.keyRotationInterval; zero or less means that keys are never rotated for age.
	RotationInterval time.Duration
	// AccessTokenLifetime is tokens.accessTokenLifetime.
	AccessTokenLifetime time.Duration
}

// Planned is the outcome of Plan.
type Planned struct {
	// Keys are those to keep, oldest first.
	Keys []config.SigningKey
	// Changed says that Keys differ from what was given.
	Changed bool
	// Next is when planning again may change something.
	Next time.Time
}

// Plan decides at now which keys the server has: it drops what has retired or cannot be read, adds the next key PublishLead
// before the present one is due or when the algorithm changed, and notes when each predecessor retires. It changes
// nothing that it is given, and returns what it is given if all is well, so it may be called as often as one likes. generate is Generate outside tests.
func Plan(keys []config.SigningKey, s Settings, now time.Time, generate func(algorithm string, activeFrom time.Time) (config.SigningKey, error)) (Planned, error) {
	kept := slices.DeleteFunc(slices.Clone(keys), func(k config.SigningKey) bool { return retired(&k, now) || unreadable(&k) })
	slices.SortStableFunc(kept, func(a, b config.SigningKey) int {
		return cmp.Or(a.ActiveFrom.Compare(b.ActiveFrom), cmp.Compare(a.KeyID, b.KeyID))
	})
	if at, due := next(kept, s, now); due {
		key, err := generate(s.Algorithm, at)
		if err != nil {
			return Planned{}, err
		}
		kept = append(kept, key)
	}
	settle(kept, s, now)
	return Planned{Keys: kept, Changed: !slices.EqualFunc(keys, kept, same), Next: wake(kept, s, now)}, nil
}

func retired(k *config.SigningKey, now time.Time) bool {
	return !k.RetireAfter.IsZero() && now.After(k.RetireAfter)
}

func unreadable(k *config.SigningKey) bool {
	_, _, err := parse(k)
	return err != nil
}

// next says whether a key has to be made, and when it begins to sign. Keys are sorted.
func next(keys []config.SigningKey, s Settings, now time.Time) (activeFrom time.Time, due bool) {
	if len(keys) == 0 {
		return now, true
	}
	if len(keys) >= MaxKeys {
		return time.Time{}, false
	}
	latest := &keys[len(keys)-1]
	if latest.Algorithm != s.Algorithm {
		// A key that waits to sign, with an algorithm that is wanted no more, is left in place: a replica that is behind may
		// use it. It is superseded like any other.
		return later(now.Add(PublishLead), latest.ActiveFrom.Add(time.Second)), true
	}
	if s.RotationInterval <= 0 || latest.ActiveFrom.After(now) {
		return time.Time{}, false
	}
	end := latest.ActiveFrom.Add(s.RotationInterval)
	if now.Before(end.Add(-PublishLead)) {
		return time.Time{}, false
	}
	return later(now.Add(PublishLead), end), true
}

// settle notes, for each key that signs or will, the longest lifetime of its tokens, and for each with a successor when the
// last of them has expired.
func settle(keys []config.SigningKey, s Settings, now time.Time) {
	for i := range keys {
		k := &keys[i]
		last := i == len(keys)-1
		if last || keys[i+1].ActiveFrom.After(now) || k.TokenLifetime == 0 {
			k.TokenLifetime = max(k.TokenLifetime, config.Duration(s.AccessTokenLifetime))
		}
		if !last {
			k.RetireAfter = later(k.RetireAfter, keys[i+1].ActiveFrom.Add(k.TokenLifetime.Value()+RetireMargin))
		}
	}
}

// wake is the earliest time after now at which a key retires or the next one has to be made.
func wake(keys []config.SigningKey, s Settings, now time.Time) time.Time {
	at := now.Add(24 * time.Hour) // nothing is known to happen
	sooner := func(t time.Time) {
		if t.Before(at) {
			at = t
		}
	}
	for i := range keys {
		if r := keys[i].RetireAfter; !r.IsZero() {
			sooner(r.Add(time.Second))
		}
	}
	if s.RotationInterval > 0 && len(keys) < MaxKeys {
		sooner(keys[len(keys)-1].ActiveFrom.Add(max(s.RotationInterval-PublishLead, 0)))
	}
	return later(at, now.Add(time.Second))
}

func same(a, b config.SigningKey) bool {
	return a.ActiveFrom.Equal(b.ActiveFrom) && a.RetireAfter.Equal(b.RetireAfter) && a.TokenLifetime == b.TokenLifetime &&
		a.KeyID == b.KeyID && a.Algorithm == b.Algorithm && a.PrivateKey == b.PrivateKey
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
