// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// errForm is all that is told of a decoding error that is not known to hold no value. Unknown fields end here too: their
// names are content.
var errForm = errors.New("content is not of this version's form: a field is not known, or a value has another form")

// Decoding errors that this package makes itself.
var (
	errDuration = errors.New("a duration is not a string such as \"15m0s\"")
	errTrailing = errors.New("data after the end of the JSON value")
)

// kinds are the words for a JSON value's kind in json.UnmarshalTypeError.
var kinds = []string{"string", "number", "bool", "array", "object", "null"}

// explain keeps of a decoding error what cannot hold a value: files hold private keys, shared secrets and password
// hashes, a file may have been put under another's name, and the error ends in a log and at /configz, which anybody may
// read. What is not on this list becomes errForm: decoders quote their input in ways that change with their versions.
func explain(err error) error {
	var syntax *json.SyntaxError
	var text *jsontext.SyntacticError
	var kind *json.UnmarshalTypeError
	var date *time.ParseError
	switch {
	case errors.Is(err, errDuration), errors.Is(err, errTrailing):
		return err
	case errors.Is(err, io.EOF):
		return errors.New("content is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("content is cut off")
	case errors.As(err, &syntax):
		return fmt.Errorf("JSON syntax error at byte %d", syntax.Offset)
	case errors.Is(err, jsontext.ErrDuplicateName):
		return errors.New("a member of an object is there twice")
	case errors.As(err, &text):
		return fmt.Errorf("JSON syntax error at byte %d", text.ByteOffset)
	case errors.As(err, &date):
		return errors.New("a time is not of the form 2006-01-02T15:04:05Z (RFC 3339)")
	case errors.As(err, &kind):
		return explainKind(kind)
	default:
		return errForm
	}
}

// explainKind names the field, whose path consists of this package's own names, and the kind found there without the
// number that the decoder appends to it.
func explainKind(err *json.UnmarshalTypeError) error {
	word, _, _ := strings.Cut(err.Value, " ")
	if !slices.Contains(kinds, word) || err.Field == "" {
		return errForm
	}
	return fmt.Errorf("field %s holds a %s of another form than this version's", err.Field, word)
}

// object is the form of Policy.Object and Provider.Object.
var object = regexp.MustCompile(`^(TenantJWTPolicy|IdentityProvider)/[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$`)

// where names an object for a message: by its key at /configz if it has the form of one, else by its place in the file.
func where(list string, i int, key string) string {
	if object.MatchString(key) {
		return key
	}
	return fmt.Sprintf("%s[%d]", list, i)
}
