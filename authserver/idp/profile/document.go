// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"github.com/gatehouse-auth/gatehouse/authserver/expression"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// MaxDocument bounds a userinfo answer, in bytes.
const MaxDocument = 64 << 10

// Document is a JSON object that a provider sent. It is immutable. A nil *Document is empty.
type Document struct{ members expression.Members }

// ReadDocument reads an answer of at most [MaxDocument] bytes. An error says what is wrong and holds nothing of the text.
func ReadDocument(text []byte) (*Document, error) {
	object, err := token.ReadObject(text, MaxDocument)
	if err != nil {
		return nil, err
	}
	return &Document{object}, nil
}

// FromClaims makes a Document of the claims of a verified ID token.
func FromClaims(c *token.Claims) *Document { return &Document{c} }

// Lookup returns the top-level member with exactly that name, as it was sent.
func (d *Document) Lookup(name string) (token.Value, bool) {
	if d == nil {
		return token.Value{}, false
	}
	return d.members.Lookup(name)
}

// Identifier returns a member that identifies somebody: a non-empty string, or an integer with every digit it was sent with. Of any other value it returns false.
func (d *Document) Identifier(name string) (string, bool) {
	value, _ := d.Lookup(name)
	return identifier(value)
}

// all returns what expressions see.
func (d *Document) all() expression.Members {
	if d == nil {
		return &token.Object{}
	}
	return d.members
}

// identifier returns a non-empty string or an integer without fraction and exponent, as written. -0 is none.
func identifier(value token.Value) (string, bool) {
	if text, ok := value.Text(); ok {
		return text, text != ""
	}
	number, ok := value.Number()
	if !ok || number == "-0" {
		return "", false
	}
	for i := range len(number) {
		if c := number[i]; (c < '0' || c > '9') && (c != '-' || i > 0) {
			return "", false
		}
	}
	return number, true
}
