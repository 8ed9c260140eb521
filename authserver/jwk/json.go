// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// object is a JSON object's members by exact name.
type object map[string]jsontext.Value

// readObject reads one JSON object and nothing after it. jsontext refuses duplicate
// names and invalid UTF-8 at every depth.
func readObject(text []byte) (object, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(text))
	if dec.PeekKind() != '{' {
		return nil, errors.New("the content is not a JSON object")
	}
	members := object{}
	_, err := dec.ReadToken()
	for err == nil && dec.PeekKind() != '}' {
		var name jsontext.Token
		if name, err = dec.ReadToken(); err != nil {
			break
		}
		key := name.String()
		var value jsontext.Value
		if value, err = dec.ReadValue(); err == nil {
			members[key] = slices.Clone(value)
		}
	}
	if err == nil {
		_, err = dec.ReadToken()
	}
	if err != nil {
		return nil, jsonError(dec, err)
	}
	return members, readEnd(dec)
}

// readArray splits a JSON array that readObject returned.
func readArray(text jsontext.Value) ([]jsontext.Value, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(text))
	if dec.PeekKind() != '[' {
		return nil, errors.New("it is not an array")
	}
	var values []jsontext.Value
	_, err := dec.ReadToken()
	for err == nil && dec.PeekKind() != ']' {
		var value jsontext.Value
		if value, err = dec.ReadValue(); err == nil {
			values = append(values, slices.Clone(value))
		}
	}
	if err != nil {
		return nil, jsonError(dec, err)
	}
	return values, nil
}

func readEnd(dec *jsontext.Decoder) error {
	if _, err := dec.ReadToken(); err != io.EOF {
		return errors.New("there is something after the JSON object")
	}
	return nil
}

// jsonError says where the text is wrong without quoting it: it may hold a secret.
func jsonError(dec *jsontext.Decoder, err error) error {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return errors.New("a JSON object has a member name twice")
	}
	return fmt.Errorf("the content is not valid JSON near byte %d", dec.InputOffset())
}

// most is how many bytes of a document's string a message repeats.
const most = 64

// quote quotes a document's string for a message and bounds it.
func quote(s string) string {
	if len(s) > most {
		return strconv.QuoteToASCII(s[:most]) + "…"
	}
	return strconv.QuoteToASCII(s)
}

// bound shortens a library's message, which may repeat parts of the document.
func bound(s string) string {
	if len(s) > 2*most {
		return strings.ToValidUTF8(s[:2*most], "") + "…"
	}
	return s
}
