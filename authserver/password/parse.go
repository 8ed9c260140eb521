// SPDX-License-Identifier: Apache-2.0

package password

import (
	"crypto/sha1" //nolint:gosec // for its length only
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/go-crypt/crypt/algorithm/pbkdf2"
	"github.com/go-crypt/crypt/algorithm/scrypt"
)

// parseArgon2id reads $argon2id$v=19$m=…,t=…,p=…$salt$key (RFC 9106).
func parseArgon2id(parts []string) (*hash, error) {
	if len(parts) != 5 || parts[1] != "v=19" {
		return nil, errors.New("argon2id is written $argon2id$v=19$m=…,t=…,p=…$salt$key")
	}
	values, err := parameters(parts[2], "m", "t", "p")
	if err != nil {
		return nil, err
	}
	memory := values["m"] << 10
	err = errors.Join(
		within("argon2id memory m (KiB)", values["m"], MinMemory>>10, MaxMemory>>10),
		within("argon2id passes t", values["t"], 1, MaxPasses),
		atMost("argon2id work m·t (KiB)", values["m"]*values["t"], MaxArgon2Work>>10),
		within("argon2id parallelism p", values["p"], 1, MaxThreads),
		saltAndKey(base64.RawStdEncoding, parts[3], parts[4]),
	)
	if err != nil {
		return nil, oneLine(err)
	}
	return decoded(argon2.DecodeVariant(argon2.VariantID), "$"+strings.Join(parts, "$"), hash{
		memory: memory, threads: int64(values["p"]),
		cost: fmt.Sprintf("argon2id m=%d t=%d p=%d", values["m"], values["t"], values["p"]),
	})
}

// parseBcrypt reads $2b$cost$, 22 characters of salt and 31 of key.
func parseBcrypt(parts []string) (*hash, error) {
	if len(parts) != 3 || len(parts[1]) != 2 || len(parts[2]) != 53 {
		return nil, errors.New("bcrypt is written $2b$, two digits of cost, $, and 53 characters")
	}
	cost, err := strconv.ParseUint(parts[1], 10, 8)
	if err != nil {
		return nil, errors.New("bcrypt's cost is not a number")
	}
	if err := within("bcrypt cost", cost, MinCost, MaxCost); err != nil {
		return nil, err
	}
	if strings.Trim(parts[2], "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return nil, errors.New("bcrypt's salt and key hold a character outside its alphabet")
	}
	return decoded(bcrypt.DecodeVariant(bcrypt.VariantStandard), "$"+strings.Join(parts, "$"), hash{
		threads: 1, cost: fmt.Sprintf("bcrypt cost=%d", cost),
	})
}

// parseScrypt reads $scrypt$ln=…,r=…,p=…$salt$key (RFC 7914; N is 2 to the power of ln).
func parseScrypt(parts []string) (*hash, error) {
	if len(parts) != 4 {
		return nil, errors.New("scrypt is written $scrypt$ln=…,r=…,p=…$salt$key")
	}
	values, err := parameters(parts[1], "ln", "r", "p")
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		within("scrypt ln", values["ln"], 10, 20),
		within("scrypt block size r", values["r"], 1, 32),
		within("scrypt parallelism p", values["p"], 1, MaxThreads),
		saltAndKey(base64.RawStdEncoding, parts[2], parts[3]),
	)
	if err != nil {
		return nil, oneLine(err)
	}
	memory := 128 * values["r"] << values["ln"]
	err = errors.Join(
		within("scrypt memory 128·N·r (bytes)", memory, MinMemory, MaxMemory),
		within("scrypt work 128·N·r·p (bytes)", memory*values["p"], MinMemory, MaxScryptWork),
	)
	if err != nil {
		return nil, oneLine(err)
	}
	return decoded(scrypt.DecodeVariant(scrypt.VariantScrypt), "$"+strings.Join(parts, "$"), hash{
		memory: memory, threads: 1, // the library computes p one after the other
		cost: fmt.Sprintf("scrypt ln=%d r=%d p=%d", values["ln"], values["r"], values["p"]),
	})
}

// parsePBKDF2 reads $pbkdf2-sha256$iterations$salt$key, with the rounds as a bare number (crypt's form, "." for "+" in
// base64) or as i=…[,l=…] (the PHC form).
func parsePBKDF2(parts []string) (*hash, error) {
	if len(parts) != 4 {
		return nil, errors.New("pbkdf2 is written $pbkdf2-sha256$iterations$salt$key")
	}
	rounds, phc := strings.CutPrefix(parts[1], "i=")
	if phc {
		rounds, _, _ = strings.Cut(rounds, ",l=") // the length is that of the key
	}
	iterations, err := number(rounds)
	if err != nil {
		return nil, errors.New("pbkdf2's number of iterations is not a number")
	}
	salt, key := strings.ReplaceAll(parts[2], ".", "+"), strings.ReplaceAll(parts[3], ".", "+")
	digest := pbkdf2Digests[parts[0]]
	blocks := (uint64(base64.RawStdEncoding.DecodedLen(len(key))) + digest.size - 1) / digest.size
	err = errors.Join(
		within("pbkdf2 iterations", iterations, MinIterations, digest.most),
		saltAndKey(base64.RawStdEncoding, salt, key),
	)
	if err == nil { // else the number of blocks says nothing
		err = atMost("pbkdf2 iterations times blocks of the key", iterations*blocks, digest.most)
	}
	if err != nil {
		return nil, oneLine(err)
	}
	crypt := fmt.Sprintf("$%s$%d$%s$%s", parts[0], iterations, strings.ReplaceAll(salt, "+", "."), strings.ReplaceAll(key, "+", "."))
	return decoded(pbkdf2.Decode, crypt, hash{
		threads: 1, cost: fmt.Sprintf("pbkdf2 %s iterations=%d blocks=%d", digest.name, iterations, blocks),
	})
}

// pbkdf2Digests are PBKDF2's hash functions by identifier: the length in bytes, and what bounds iterations.
var pbkdf2Digests = map[string]struct {
	name       string
	size, most uint64
}{
	"pbkdf2": {"sha1", sha1.Size, MaxIterations}, "pbkdf2-sha1": {"sha1", sha1.Size, MaxIterations},
	"pbkdf2-sha256": {"sha256", sha256.Size, MaxIterations},
	"pbkdf2-sha384": {"sha384", sha512.Size384, MaxIterationsSHA512}, "pbkdf2-sha512": {"sha512", sha512.Size, MaxIterationsSHA512},
}

// decoded hands a text that passed our bounds to the library, and completes h. The library's errors quote the text, so they
// are not passed on.
func decoded(decode algorithm.DecodeFunc, phc string, h hash) (*hash, error) {
	digest, err := decode(phc)
	if err != nil {
		return nil, errors.New("it cannot be decoded")
	}
	h.digest = digest
	return &h, nil
}

// parameters reads "a=1,b=2": every name exactly once, in any order, and no other.
func parameters(text string, names ...string) (map[string]uint64, error) {
	values := make(map[string]uint64, len(names))
	for field := range strings.SplitSeq(text, ",") {
		name, digits, _ := strings.Cut(field, "=")
		value, err := number(digits)
		if _, twice := values[name]; err != nil || twice {
			return nil, fmt.Errorf("its parameters are not %s=<number> once each", strings.Join(names, "=<number>, "))
		}
		values[name] = value
	}
	for _, name := range names {
		if _, ok := values[name]; !ok || len(values) != len(names) {
			return nil, fmt.Errorf("its parameters are not %s=<number> once each", strings.Join(names, "=<number>, "))
		}
	}
	return values, nil
}

// number reads a decimal number of at most 32 bits without sign or leading zeros.
func number(digits string) (uint64, error) {
	value, err := strconv.ParseUint(digits, 10, 32)
	if err == nil && strconv.FormatUint(value, 10) != digits {
		err = strconv.ErrSyntax
	}
	return value, err
}

func within(what string, value, low, high uint64) error {
	if value < low || value > high {
		return fmt.Errorf("%s is %d, but must be between %d and %d", what, value, low, high)
	}
	return nil
}

// atMost bounds a product of two numbers: each has 32 bits, so it does not overflow.
func atMost(what string, value, high uint64) error {
	if value > high {
		return fmt.Errorf("%s is %d, but must be at most %d", what, value, high)
	}
	return nil
}

// saltAndKey checks both parts' encoding and length, without telling them.
func saltAndKey(encoding *base64.Encoding, salt, key string) error {
	s, err := encoding.Strict().DecodeString(salt)
	if err != nil {
		return errors.New("its salt is not unpadded base64")
	}
	k, err := encoding.Strict().DecodeString(key)
	if err != nil {
		return errors.New("its key is not unpadded base64")
	}
	return errors.Join(
		within("the salt's length (bytes)", uint64(len(s)), minSaltLength, maxSaltLength),
		within("the key's length (bytes)", uint64(len(k)), minKeyLength, maxKeyLength),
	)
}

// oneLine turns joined errors into one line.
func oneLine(err error) error {
	return errors.New(strings.ReplaceAll(err.Error(), "\n", "; "))
}
