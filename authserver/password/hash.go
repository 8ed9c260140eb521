// SPDX-License-Identifier: Apache-2.0

package password

import (
	"errors"
	"fmt"
	"io"

	"github.com/go-crypt/crypt/algorithm/argon2"
)

// The parameters of new hashes, and what a password may be.
const (
	// DefaultMemory is argon2id's memory in KiB.
	DefaultMemory = 19456
	// DefaultTime is argon2id's number of passes.
	DefaultTime = 2
	// DefaultThreads is argon2id's degree of parallelism.
	DefaultThreads = 1
	// MaxLength is the longest password in bytes. A longer one never matches and cannot be hashed.
	MaxLength = 1024

	saltLength = 16
	keyLength  = 32
)

// ErrLength is the answer to hashing an empty password or one of more than MaxLength bytes.
var ErrLength = errors.New("a password has 1 to 1024 bytes")

// Hash returns the argon2id PHC string of password under the default parameters. The salt's 16 bytes are read from rand,
// which is crypto/rand.Reader outside tests.
func Hash(password []byte, rand io.Reader) (string, error) {
	if len(password) == 0 || len(password) > MaxLength {
		return "", ErrLength
	}
	salt := make([]byte, saltLength)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return "", fmt.Errorf("reading random bytes for a salt: %w", err)
	}
	hasher, err := argon2.New(argon2.WithVariantID(), argon2.WithM(DefaultMemory), argon2.WithT(DefaultTime),
		argon2.WithP(DefaultThreads), argon2.WithK(keyLength))
	if err != nil {
		return "", fmt.Errorf("preparing argon2id: %w", err)
	}
	digest, err := hasher.HashWithSalt(string(password), salt)
	if err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	return digest.Encode(), nil
}
