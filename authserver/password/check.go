// SPDX-License-Identifier: Apache-2.0

package password

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-crypt/crypt/algorithm"
)

// The bounds of an accepted hash. The lower ones keep out hashes that a copy of the database would give away. The upper
// ones bound what one attempt costs, which anybody can cause: MaxMemory, and about one second of one core. What
// RFC 9106, OWASP and the usual libraries recommend lies well inside.
const (
	// MaxHashLength is the longest PHC string in bytes.
	MaxHashLength = 512
	// MinMemory and MaxMemory bound the bytes that argon2id (m) and scrypt (128·N·r) use. The least is the smallest
	// that OWASP recommends (argon2id with m=7168), which imports from other systems bring.
	MinMemory = 7 << 20
	MaxMemory = 128 << 20
	// MaxPasses bounds argon2id's t.
	MaxPasses = 16
	// MaxArgon2Work bounds argon2id's m·t in bytes: 64 MiB in 8 passes, 128 MiB in 4.
	MaxArgon2Work = 512 << 20
	// MaxThreads bounds p of argon2id and scrypt.
	MaxThreads = 16
	// MaxScryptWork bounds scrypt's 128·N·r·p in bytes.
	MaxScryptWork = 256 << 20
	// MinCost and MaxCost bound bcrypt's cost, a power of two.
	MinCost = 8
	MaxCost = 14
	// MinIterations is the least that PBKDF2 iterates. MaxIterations bounds its iterations times the blocks of its key (one for
	// each digest's length begun): that of SHA-1 and SHA-256, and that of SHA-384 and SHA-512, which take longer.
	MinIterations       = 100_000
	MaxIterations       = 5_000_000
	MaxIterationsSHA512 = 2_000_000

	minSaltLength, maxSaltLength = 8, 64
	minKeyLength, maxKeyLength   = 16, 64
)

// ErrUnsupported is in every error of Check.
var ErrUnsupported = errors.New("unusable password hash")

const advice = "make a new one with `gatehouse hash-password`"

// A hash is one parsed PHC string.
type hash struct {
	digest  algorithm.Digest
	memory  uint64 // bytes that computing it takes
	threads int64  // processors that computing it takes, if there are as many
	cost    string // see Cost
}

// Check says whether the server verifies passwords against this PHC string: a supported algorithm with parameters inside
// the bounds of this package. The error is an ErrUnsupported, names what is wrong and the fix, and holds nothing of the
// salt, the key, or of a text that is no hash at all (it could be a password).
func Check(phc string) error {
	_, err := parse(phc)
	return err
}

// Cost names what computing a hash costs: its algorithm and parameters, without salt and key. Hashes of one Cost take the
// same time and memory. Errors are those of Check.
func Cost(phc string) (string, error) {
	h, err := parse(phc)
	if err != nil {
		return "", err
	}
	return h.cost, nil
}

// parse reads a PHC string strictly. It computes nothing.
func parse(phc string) (*hash, error) {
	h, err := parseParts(phc)
	if err != nil {
		return nil, fmt.Errorf("%w: %w: %s", ErrUnsupported, err, advice)
	}
	return h, nil
}

func parseParts(phc string) (*hash, error) {
	switch {
	case phc == "":
		return nil, errors.New("it is empty")
	case len(phc) > MaxHashLength:
		return nil, fmt.Errorf("it has more than %d bytes", MaxHashLength)
	case strings.ContainsFunc(phc, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, errors.New("it holds spaces, line breaks or characters outside ASCII")
	case phc[0] != '$':
		return nil, errors.New("it is no PHC string (plain text is never accepted)")
	}
	parts := strings.Split(phc[1:], "$")
	if name, ok := refused[parts[0]]; ok {
		return nil, fmt.Errorf("%s is not accepted (argon2id, bcrypt, scrypt and pbkdf2 are)", name)
	}
	parser, ok := parsers[parts[0]]
	if !ok {
		return nil, errors.New("its algorithm is not one of argon2id, bcrypt, scrypt and pbkdf2")
	}
	return parser(parts)
}

// refused names well-known formats in errors. What is in neither table is not repeated in the message, as it could be a
// password that begins with "$".
var refused = map[string]string{
	"1": "md5-crypt", "apr1": "md5-crypt", "md5": "md5", "3": "NT hash", "sha1": "sha1-crypt", "5": "sha256-crypt", "6": "sha512-crypt",
	"2": "unversioned bcrypt", "2x": "bcrypt 2x (made by a faulty implementation)", "bcrypt-sha256": "bcrypt-sha256",
	"argon2i": "argon2i", "argon2d": "argon2d", "y": "yescrypt", "gy": "gost-yescrypt", "7": "scrypt in the $7$ format",
	"plaintext": "plain text", "pbkdf2-sha224": "pbkdf2-sha224",
}

// parsers is the registration map: the identifier of a PHC string to what reads it.
var parsers = map[string]func(parts []string) (*hash, error){
	"argon2id": parseArgon2id,
	"2a":       parseBcrypt, "2b": parseBcrypt, "2y": parseBcrypt,
	"scrypt": parseScrypt,
	"pbkdf2": parsePBKDF2, "pbkdf2-sha1": parsePBKDF2, "pbkdf2-sha256": parsePBKDF2, "pbkdf2-sha384": parsePBKDF2, "pbkdf2-sha512": parsePBKDF2,
}
