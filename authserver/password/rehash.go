// SPDX-License-Identifier: Apache-2.0

package password

import (
	"context"
	"fmt"
	"io"
)

// DefaultCost is the Cost of what Hash makes.
var DefaultCost = fmt.Sprintf("argon2id m=%d t=%d p=%d", DefaultMemory, DefaultTime, DefaultThreads)

// Hash is the function Hash within the Verifier's bounds of memory, processors and waiting. Errors are ErrLength, ErrBusy, the
// context's, or a fault of rand.
func (v *Verifier) Hash(ctx context.Context, password []byte, rand io.Reader) (string, error) {
	release, err := v.acquire(ctx, v.decoy) // which costs what a new hash does
	if err != nil {
		return "", err
	}
	defer release()
	return Hash(password, rand)
}
