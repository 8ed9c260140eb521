// SPDX-License-Identifier: Apache-2.0

package password

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// SlotMemory is what one slot stands for: the memory of one default hash, in bytes.
	SlotMemory = DefaultMemory << 10
	// MaxWait is how long Verify waits for a slot before it answers ErrBusy, unless Verifier.Wait says otherwise.
	MaxWait = 3 * time.Second

	reserved        = 96 << 20 // what the server needs beside password hashes
	waitersPerSlot  = 32
	unlimitedMemory = 1 << 40 // GOMEMLIMIT is math.MaxInt64 when unset
)

var (
	// ErrBusy says that no slot came free in time. Callers answer 503 with Retry-After.
	ErrBusy = errors.New("too many passwords are being checked at this moment")
	// ErrTooCostly says that a hash needs more memory than all slots together.
	ErrTooCostly = errors.New("the password hash needs more memory than the server may use: raise the memory limit or make a new hash with `gatehouse hash-password`")
)

// Slots returns the number of default hashes that fit a memory limit in bytes: (limit − 96 MiB) / 19 MiB, at least one.
// Without a limit (0, or an absurdly high one) it is four for every processor.
func Slots(memoryLimit int64) int {
	if memoryLimit <= 0 || memoryLimit > unlimitedMemory {
		return 4 * runtime.GOMAXPROCS(0)
	}
	return int(max(1, (memoryLimit-reserved)/SlotMemory))
}

// A Verifier compares passwords with hashes. It holds at most its slots' memory, computes on all processors but one (on that
// one, where there is no other), and lets a bounded number of callers wait for at most Wait. It is safe for concurrent use.
type Verifier struct {
	// Wait is how long Verify waits for a slot: MaxWait, unless changed before the first use.
	Wait time.Duration

	slots   int64
	memory  *semaphore.Weighted // in slots
	threads int64
	compute *semaphore.Weighted // in threads
	callers atomic.Int64
	most    int64
	decoy   *hash
}

// NewVerifier returns a Verifier with the memory of so many default hashes; fewer than one counts as one. See Slots.
func NewVerifier(slots int) *Verifier {
	slots = max(1, slots)
	decoy, err := parse(decoyHash)
	if err != nil {
		panic("the built-in decoy hash does not parse: " + err.Error()) // a constant; a test covers it
	}
	threads := int64(max(1, runtime.GOMAXPROCS(0)-1))
	return &Verifier{
		Wait:    MaxWait,
		slots:   int64(slots),
		memory:  semaphore.NewWeighted(int64(slots)),
		threads: threads,
		compute: semaphore.NewWeighted(threads),
		most:    int64(slots) * (1 + waitersPerSlot),
		decoy:   decoy,
	}
}

// decoyHash has the default parameters and belongs to no password: its key is 32 bytes of /dev/urandom.
const decoyHash = "$argon2id$v=19$m=19456,t=2,p=1$pUZhNB+eESunNQ0FYDWPhA$vRLUXhc67C9kM77KP/NlFXXvr5Xxl5bKX0V7q0ZCmqw"

// Verify reports whether password belongs to the PHC string. The empty string stands for an unknown user: the work of a
// default hash is done and the answer is false. An empty password, or one of more than MaxLength bytes, is false after the
// same work as any other. Errors are ErrBusy, ErrTooCostly, an ErrUnsupported as from Check, or the context's; the answer
// is then false. Keys are compared in constant time.
func (v *Verifier) Verify(ctx context.Context, phc string, password []byte) (bool, error) {
	h, match := v.decoy, false
	if phc != "" {
		parsed, err := parse(phc)
		if err != nil {
			return false, err
		}
		h, match = parsed, true
	}
	if len(password) == 0 || len(password) > MaxLength {
		password, match = []byte("x"), false
	}
	release, err := v.acquire(ctx, h)
	if err != nil {
		return false, err
	}
	defer release()
	equal, err := h.digest.MatchBytesAdvanced(password)
	if err != nil {
		return false, fmt.Errorf("computing a password hash: %w", errors.New("the algorithm refused its parameters"))
	}
	return equal && match, nil
}

// acquire takes the processors and the memory of one hash, in that order for everybody.
func (v *Verifier) acquire(ctx context.Context, h *hash) (release func(), err error) {
	threads := min(h.threads, v.threads)
	weight := max(1, (int64(h.memory)+SlotMemory-1)/SlotMemory)
	if weight > v.slots {
		return nil, ErrTooCostly
	}
	if v.callers.Add(1) > v.most {
		v.callers.Add(-1)
		return nil, ErrBusy
	}
	waiting, cancel := context.WithTimeoutCause(ctx, v.Wait, ErrBusy)
	defer cancel()
	if err := v.compute.Acquire(waiting, threads); err != nil {
		v.callers.Add(-1)
		return nil, context.Cause(waiting)
	}
	if err := v.memory.Acquire(waiting, weight); err != nil {
		v.compute.Release(threads)
		v.callers.Add(-1)
		return nil, context.Cause(waiting)
	}
	return func() {
		v.memory.Release(weight)
		v.compute.Release(threads)
		v.callers.Add(-1)
	}, nil
}
