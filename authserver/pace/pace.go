// SPDX-License-Identifier: Apache-2.0

package pace

import "time"

const (
	// slice is how long work goes on without a rest.
	slice = 200 * time.Microsecond
	// rest is how long it waits then. It is asleep for that and has not merely yielded: the scheduler looks for requests that have
	// come in over the network only when no goroutine wants to run. On an idle server a rest takes a millisecond, the
	// shortest that Linux sleeps in epoll_wait; on a busy one less.
	rest = 20 * time.Microsecond
)

// Pacer paces the work of one goroutine at a time. The zero value is ready to use; a nil one never rests.
type Pacer struct{ began time.Time }

// Pause rests if the work has gone on for long enough.
func (p *Pacer) Pause() {
	if p == nil || time.Since(p.began) < slice {
		return
	}
	time.Sleep(rest)
	p.began = time.Now()
}
