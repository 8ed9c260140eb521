// SPDX-License-Identifier: Apache-2.0

package served

import (
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// Seal encrypts a payload, a token or claims, with a library that is not the server's own (RFC 7516). An empty cty is left out of the header.
func Seal(t testing.TB, alg jose.KeyAlgorithm, enc jose.ContentEncryption, key any, cty, payload string) string {
	t.Helper()
	options := &jose.EncrypterOptions{}
	if cty != "" {
		options = options.WithContentType(jose.ContentType(cty))
	}
	encrypter, err := jose.NewEncrypter(enc, jose.Recipient{Algorithm: alg, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	object, err := encrypter.Encrypt([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
