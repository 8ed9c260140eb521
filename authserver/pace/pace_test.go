// SPDX-License-Identifier: Apache-2.0

package pace

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestPause guards that work rests after each slice and not more often: each rest may take a millisecond.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pacer
		p.Pause()
		start := time.Now()
		for range 1000 {
			p.Pause()
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("rested %s within a slice", took)
		}
		time.Sleep(slice)
		start = time.Now()
		p.Pause()
		if took := time.Since(start); took != rest {
			t.Errorf("after a slice rested %s, want %s", took, rest)
		}
		(*Pacer)(nil).Pause()
	})
}
