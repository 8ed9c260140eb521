// SPDX-License-Identifier: Apache-2.0

package password

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestUnknownUserCostsWhatADefaultHashCosts(t *testing.T) {
	made, err := Hash([]byte("x"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	prefix := made[:strings.LastIndex(made, ",")]
	if !strings.HasPrefix(decoyHash, prefix) || len(decoyHash) != len(made) {
		t.Errorf("the decoy %q differs from a made hash %q in parameters or sizes", decoyHash, made)
	}
	v := NewVerifier(1)
	if ok, err := v.Verify(t.Context(), "", []byte("x")); ok || err != nil {
		t.Errorf("unknown user: %v, %v", ok, err)
	}
	// The work is really done: 19 MiB are allocated, for an unknown user and for a password of any length alike.
	for name, password := range map[string][]byte{"usual": []byte("x"), "empty": nil, "too long": bytes.Repeat([]byte("x"), MaxLength+1)} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if ok, err := v.Verify(t.Context(), "", password); ok || err != nil {
			t.Errorf("%s password: %v, %v", name, ok, err)
		}
		runtime.ReadMemStats(&after)
		if work := after.TotalAlloc - before.TotalAlloc; work < SlotMemory {
			t.Errorf("%s password: %d bytes of work, want at least %d", name, work, SlotMemory)
		}
	}
}

func TestTooLongPasswordNeverMatches(t *testing.T) {
	v, long := NewVerifier(1), bytes.Repeat([]byte("x"), MaxLength+1)
	// bcrypt reads 72 bytes, which this hash (by libxcrypt) is of: without the cap any longer password of them would match.
	const truncated = "$2b$08$abcdefghijklmnopqrstuujyJJZFHxfP7uFcWoV4k5KREorUKVI2K"
	for n, want := range map[int]bool{72: true, MaxLength: true, MaxLength + 1: false} {
		if ok, err := v.Verify(t.Context(), truncated, long[:n]); ok != want || err != nil {
			t.Errorf("%d bytes: got %v, %v, want %v", n, ok, err, want)
		}
	}
	// A hash of the stand-in that too long passwords are replaced with must not let them in either.
	phc, err := Hash([]byte("x"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, password := range [][]byte{long, nil} {
		if ok, err := v.Verify(t.Context(), phc, password); ok || err != nil {
			t.Errorf("%d bytes: got %v, %v", len(password), ok, err)
		}
	}
}

func TestVerifyAnswersBusyAfterABoundedWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := NewVerifier(1)
		release, err := v.acquire(t.Context(), v.decoy)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := v.Verify(t.Context(), "", []byte("x")); !errors.Is(err, ErrBusy) {
			t.Errorf("got %v, want ErrBusy", err)
		}
		if waited := time.Since(start); waited != MaxWait {
			t.Errorf("waited %v, want %v", waited, MaxWait)
		}
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := v.Verify(cancelled, "", []byte("x")); !errors.Is(err, context.Canceled) {
			t.Errorf("a caller that went away: %v", err)
		}
		release()
		if _, err := v.Verify(t.Context(), "", []byte("x")); err != nil {
			t.Errorf("after release: %v", err)
		}
		if n := v.callers.Load(); n != 0 {
			t.Errorf("%d callers are still counted", n)
		}
	})
}

func TestVerifyBoundsTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := NewVerifier(1)
		release, err := v.acquire(t.Context(), v.decoy)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var queue sync.WaitGroup
		for range waitersPerSlot {
			queue.Go(func() { _, _ = v.Verify(ctx, "", []byte("x")) })
		}
		synctest.Wait()
		start := time.Now()
		if _, err := v.Verify(t.Context(), "", []byte("x")); !errors.Is(err, ErrBusy) || time.Since(start) != 0 {
			t.Errorf("got %v after %v, want ErrBusy at once", err, time.Since(start))
		}
		cancel()
		queue.Wait()
		release()
	})
}

func TestMemoryIsCountedInSlots(t *testing.T) {
	large := &hash{memory: 64 << 20, threads: 1} // four slots
	v := NewVerifier(4)
	release, err := v.acquire(t.Context(), large)
	if err != nil {
		t.Fatal(err)
	}
	if v.memory.TryAcquire(1) {
		t.Error("a hash of 64 MiB left a slot of 76 MiB free")
	}
	release()
	if _, err := NewVerifier(3).acquire(t.Context(), large); !errors.Is(err, ErrTooCostly) {
		t.Errorf("three slots: %v, want ErrTooCostly", err)
	}
}

// TestAProcessorIsLeftForOtherRequests guards that logins alone never take all processors.
func TestAProcessorIsLeftForOtherRequests(t *testing.T) {
	for processors, want := range map[int]int{1: 1, 2: 1, 4: 3} {
		before := runtime.GOMAXPROCS(processors)
		v := NewVerifier(8)
		runtime.GOMAXPROCS(before)
		for _, h := range []*hash{{threads: 1}, {threads: 16}} { // the second takes all there are
			var releases []func()
			for v.compute.TryAcquire(min(h.threads, v.threads)) {
				v.compute.Release(min(h.threads, v.threads))
				release, err := v.acquire(t.Context(), h)
				if err != nil {
					t.Fatal(err)
				}
				releases = append(releases, release)
			}
			if got := len(releases) * int(min(h.threads, v.threads)); got != want {
				t.Errorf("%d processors: hashes of %d threads take %d, want %d", processors, h.threads, got, want)
			}
			for _, release := range releases {
				release()
			}
		}
	}
}

func TestSlotsFollowTheMemoryLimit(t *testing.T) {
	for limit, want := range map[int64]int{256 << 20: 8, 96 << 20: 1, 1 << 20: 1, 115 << 20: 1, 134 << 20: 2, 1 << 30: 48} {
		if got := Slots(limit); got != want {
			t.Errorf("%d MiB: %d slots, want %d", limit>>20, got, want)
		}
	}
	if Slots(0) < 4 || Slots(1<<62) < 4 {
		t.Error("no limit must not mean a single slot")
	}
}

func BenchmarkVerify(b *testing.B) {
	phc, err := Hash([]byte("correct horse"), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	for name, hash := range map[string]string{"argon2id": phc, "unknown": ""} {
		b.Run(name, func(b *testing.B) {
			v := NewVerifier(4)
			for b.Loop() {
				if _, err := v.Verify(b.Context(), hash, []byte("correct horse")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestHashingTakesASlotToo guards that new hashes are made within the bounds of verified ones, at the cost that rehashing looks for.
func TestHashingTakesASlotToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := NewVerifier(1)
		release, err := v.acquire(t.Context(), v.decoy)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Hash(t.Context(), []byte("x"), rand.Reader); !errors.Is(err, ErrBusy) {
			t.Errorf("without a slot: %v", err)
		}
		release()
		phc, err := v.Hash(t.Context(), []byte("x"), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if cost, err := Cost(phc); err != nil || cost != DefaultCost {
			t.Errorf("cost %q, want %q, %v", cost, DefaultCost, err)
		}
		if ok, err := v.Verify(t.Context(), phc, []byte("x")); !ok || err != nil {
			t.Errorf("the new hash: %v, %v", ok, err)
		}
		if _, err := v.Hash(t.Context(), nil, rand.Reader); !errors.Is(err, ErrLength) {
			t.Errorf("an empty password: %v", err)
		}
		if n := v.callers.Load(); n != 0 {
			t.Errorf("%d callers are still counted", n)
		}
	})
}
