// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Members are a JWK's members by exact name, for packages that read other kinds of JWK
// than this one does.
type Members map[string]jsontext.Value

// ReadMembers reads one JSON object of at most 512 KiB and nothing after it. jsontext
// refuses duplicate names and invalid UTF-8 at every depth.
func ReadMembers(text []byte) (Members, error) {
	if len(text) > maxSetLength {
		return nil, fmt.Errorf("it has %d bytes, at most %d are allowed", len(text), maxSetLength)
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(text))
	if dec.PeekKind() != '{' {
		return nil, errors.New("the content is not a JSON object")
	}
	members := Members{}
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

// CheckBase64 demands that the member is a base64url string without padding or whitespace.
func (m Members) CheckBase64(name string) error {
	if _, ok := m[name]; !ok {
		return fmt.Errorf("member %s is missing", name)
	}
	text, err := m.Text(name)
	if err != nil {
		return err
	}
	if strings.ContainsAny(text, "\r\n") { // encoding/base64 passes over these two
		return fmt.Errorf("member %s is not base64url without padding", name)
	}
	// Stray trailing bits are let pass: they do not make another key, and a key so written
	// must go on colliding with one of the same kid.
	if _, err := base64.RawURLEncoding.DecodeString(text); err != nil {
		return fmt.Errorf("member %s is not base64url without padding", name)
	}
	return nil
}

// Text returns the string value of a member, "" if absent.
func (m Members) Text(name string) (string, error) {
	raw, ok := m[name]
	if !ok {
		return "", nil
	}
	if raw.Kind() != '"' {
		return "", fmt.Errorf("member %s is not a string", name)
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return "", fmt.Errorf("member %s is not a valid string", name)
	}
	return string(text), nil
}

// CheckUse demands that the key is meant for use and, if it lists operations, for one of
// ops (RFC 7517 §4.2, §4.3).
func (m Members) CheckUse(use string, ops ...string) error {
	if _, ok := m["use"]; ok {
		if is, err := m.Text("use"); err != nil || is != use {
			return fmt.Errorf("use is %s: this key must have %s or no use", quote(is), use)
		}
	}
	raw, ok := m["key_ops"]
	if !ok {
		return nil
	}
	var list []string
	if raw.Kind() != '[' || json.Unmarshal(raw, &list) != nil {
		return errors.New("key_ops is not an array of strings")
	}
	for i, op := range list {
		if slices.Contains(list[:i], op) {
			return errors.New("key_ops has a value twice (RFC 7517 §4.3)")
		}
	}
	if !slices.ContainsFunc(list, func(op string) bool { return slices.Contains(ops, op) }) {
		return fmt.Errorf("key_ops does not contain %s", strings.Join(ops, " or "))
	}
	return nil
}

// readArray splits a JSON array that ReadMembers returned.
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
