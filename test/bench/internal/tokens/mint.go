// SPDX-License-Identifier: Apache-2.0

package tokens

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// What the tokens say; the policy under test demands it.
const (
	Issuer   = "https://idp.bench.example"
	Audience = "https://api.bench.example"
	KeyID    = "bench-1"
)

// RS256Size is the length of every RS256 token in characters. An ES256 token holds the same claims and is shorter by
// the difference of the signatures, so that the two differ in nothing else.
const RS256Size = 832

// Token is a signed token and the user it names in its claim `upn`.
type Token struct {
	Raw, User string
}

// Minter signs tokens of one algorithm with one key. It never signs the same claims twice. It is safe for concurrent
// use.
type Minter struct {
	algorithm string
	key       crypto.PublicKey
	sign      func(signingString string) ([]byte, error)
	run       string // random, part of every jti: two runs share no token
	count     atomic.Uint64
	issuedAt  time.Time
	lifetime  time.Duration
}

// NewMinter draws a key for algorithm, RS256 or ES256. The tokens are issued now and expire after lifetime.
func NewMinter(algorithm string, now time.Time, lifetime time.Duration) (*Minter, error) {
	m, err := newMinter(algorithm, now, lifetime)
	if err != nil {
		return nil, err
	}
	switch algorithm {
	case "RS256":
		k, err := newRSAKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		m.use(k)
	case "ES256":
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("drawing a key: %w", err)
		}
		m.key = &k.PublicKey
		m.sign = func(s string) ([]byte, error) { return jwt.SigningMethodES256.Sign(s, k) }
	default:
		return nil, fmt.Errorf("minting tokens: algorithm %q, must be RS256 or ES256", algorithm)
	}
	return m, nil
}

// NewMinters draws n keys for RS256, a few thousand a second.
func NewMinters(n int, now time.Time, lifetime time.Duration) ([]*Minter, error) {
	pool, err := drawPool(rand.Reader, 32*rsaWords)
	if err != nil {
		return nil, err
	}
	list := make([]*Minter, n)
	for i := range list {
		if list[i], err = newMinter("RS256", now, lifetime); err != nil {
			return nil, err
		}
	}
	err = inParallel(n, func(i int) error {
		of := make([]prime, rsaWords)
		for j, at := range mathrand.Perm(len(pool))[:rsaWords] {
			of[j] = pool[at]
		}
		list[i].use(assemble(of))
		return nil
	})
	return list, err
}

func newMinter(algorithm string, now time.Time, lifetime time.Duration) (*Minter, error) {
	var run [8]byte
	if _, err := rand.Read(run[:]); err != nil {
		return nil, fmt.Errorf("drawing a run ID: %w", err)
	}
	return &Minter{algorithm: algorithm, run: hex.EncodeToString(run[:]), issuedAt: now, lifetime: lifetime}, nil
}

func (m *Minter) use(k *rsaKey) {
	m.key = &k.public
	m.sign = func(s string) ([]byte, error) { return k.signPKCS1v15(sha256.Sum256([]byte(s))), nil }
}

// PublicKey returns the key that verifies the tokens: *rsa.PublicKey or *ecdsa.PublicKey.
func (m *Minter) PublicKey() crypto.PublicKey { return m.key }

// Mint signs n tokens, on all cores that the program may use.
func (m *Minter) Mint(n int) ([]Token, error) {
	list := make([]Token, n)
	err := inParallel(n, func(i int) (err error) {
		list[i], err = m.mint(m.count.Add(1))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("minting tokens: %w", err)
	}
	return list, nil
}

// Sign signs claims of the caller's making, which name the user.
func (m *Minter) Sign(claims, user string) (Token, error) {
	return m.signed(m.header(KeyID), claims, user)
}

// inParallel calls do for 0 to n-1 on all cores that the program may use, until one call fails.
func inParallel(n int, do func(i int) error) error {
	workers := min(runtime.GOMAXPROCS(0), max(n, 1))
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n && errs[w] == nil; i += workers {
				errs[w] = do(i)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (m *Minter) mint(serial uint64) (Token, error) {
	user := fmt.Sprintf("user-%08x@bench.example", serial)
	header := m.header(KeyID)
	claims, err := m.claims(serial, user, payloadSize(len(header)))
	if err != nil {
		return Token{}, err
	}
	return m.signed(header, claims, user)
}

func (m *Minter) signed(header, claims, user string) (Token, error) {
	signing := signingInput(header, claims)
	signature, err := m.sign(signing)
	if err != nil {
		return Token{}, err
	}
	return Token{Raw: signing + "." + base64.RawURLEncoding.EncodeToString(signature), User: user}, nil
}

// header returns the JOSE header, encoded.
func (m *Minter) header(kid string) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":%q,"kid":%q,"typ":"JWT"}`, m.algorithm, kid))
}

// claims returns claims that no other call returns, of exactly size bytes.
func (m *Minter) claims(serial uint64, user string, size int) (string, error) {
	claims := fmt.Sprintf(`{"iss":%q,"aud":%q,"sub":"%016x","upn":%q,"exp":%d,"iat":%d,"jti":"%s-%016x","roles":["reader","writer"],"org":"`,
		Issuer, Audience, serial*0x9e3779b97f4a7c15, user, m.issuedAt.Add(m.lifetime).Unix(), m.issuedAt.Unix(), m.run, serial)
	fill := size - len(claims) - len(`"}`)
	if fill < 0 {
		return "", fmt.Errorf("claims are %d bytes too long for a token of %d characters", -fill, RS256Size)
	}
	return claims + strings.Repeat("x", fill) + `"}`, nil
}

func signingInput(header, claims string) string {
	return header + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
}

// payloadSize returns how many bytes of claims make an RS256 token of RS256Size characters behind such a header.
func payloadSize(header int) int {
	characters := RS256Size - header - len("..") - base64.RawURLEncoding.EncodedLen(rsaBits/8)
	return base64.RawURLEncoding.DecodedLen(characters)
}

// signPKCS1v15 signs a SHA-256 digest (RFC 8017 section 8.2.1).
func (k *rsaKey) signPKCS1v15(digest [sha256.Size]byte) []byte {
	const info = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20" // DigestInfo of SHA-256, section 9.2
	var em [rsaBits / 8]byte
	em[1] = 1
	tail := em[len(em)-len(info)-len(digest):]
	for i := 2; i < len(em)-len(tail)-1; i++ {
		em[i] = 0xff
	}
	copy(tail, info)
	copy(tail[len(info):], digest[:])
	signature := k.power(&em)
	return signature[:]
}
