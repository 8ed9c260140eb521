// SPDX-License-Identifier: Apache-2.0

package jwe

import "crypto"

// keyAlgorithm is a key management algorithm (RFC 7518 §4.1).
type keyAlgorithm struct {
	// name is the value of the header parameter `alg`, compared exactly.
	name string
	// kty is the only key type that fits.
	kty string
	// kek is the number of bytes of the AES key that unwraps the content key; 0 for none.
	kek int
	// oaep is the hash of RSAES-OAEP and its MGF1.
	oaep crypto.Hash
}

// direct tells whether the shared key is the content key itself.
func (a *keyAlgorithm) direct() bool { return a.kty == "oct" && a.kek == 0 }

// keyAlgorithms is the one list of key management algorithms, in the order of RFC 7518
// §4.1. A row's position counts in Key.fits.
var keyAlgorithms = [...]keyAlgorithm{
	{"RSA-OAEP", "RSA", 0, crypto.SHA1},
	{"RSA-OAEP-256", "RSA", 0, crypto.SHA256},
	{"A128KW", "oct", 16, 0},
	{"A192KW", "oct", 24, 0},
	{"A256KW", "oct", 32, 0},
	{"dir", "oct", 0, 0},
	{"ECDH-ES", "EC", 0, 0},
	{"ECDH-ES+A128KW", "EC", 16, 0},
	{"ECDH-ES+A192KW", "EC", 24, 0},
	{"ECDH-ES+A256KW", "EC", 32, 0},
}

// contentAlgorithm is a content encryption algorithm (RFC 7518 §5.1).
type contentAlgorithm struct {
	// name is the value of the header parameter `enc`, compared exactly.
	name string
	// key, iv and tag are lengths in bytes.
	key, iv, tag int
	// cbc is AES-CBC with HMAC; else it is AES-GCM.
	cbc bool
}

// contentAlgorithms is the one list of content encryption algorithms. A row's position
// counts in Key.fits.
var contentAlgorithms = [...]contentAlgorithm{
	{"A128GCM", 16, 12, 16, false},
	{"A192GCM", 24, 12, 16, false},
	{"A256GCM", 32, 12, 16, false},
	{"A128CBC-HS256", 32, 16, 16, true},
	{"A256CBC-HS512", 64, 16, 32, true},
}

// KeyAlgorithms returns the name of every key management algorithm.
func KeyAlgorithms() []string {
	names := make([]string, len(keyAlgorithms))
	for i := range keyAlgorithms {
		names[i] = keyAlgorithms[i].name
	}
	return names
}

// ContentAlgorithms returns the name of every content encryption algorithm.
func ContentAlgorithms() []string {
	names := make([]string, len(contentAlgorithms))
	for i := range contentAlgorithms {
		names[i] = contentAlgorithms[i].name
	}
	return names
}

// IsSymmetric tells whether only those who share the key can encrypt with the key management
// algorithm of that name; false for an unknown one.
func IsSymmetric(keyAlg string) bool {
	i := keyAlgorithmIndex(keyAlg)
	return i >= 0 && keyAlgorithms[i].kty == "oct"
}

func keyAlgorithmIndex(name string) int {
	for i := range keyAlgorithms {
		if keyAlgorithms[i].name == name {
			return i
		}
	}
	return -1
}

func contentAlgorithmIndex(name string) int {
	for i := range contentAlgorithms {
		if contentAlgorithms[i].name == name {
			return i
		}
	}
	return -1
}
