// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// ErrTooLarge is returned (wrapped, with the limit) for a body longer than the caller allows.
var ErrTooLarge = errors.New("body too large")

// ErrEncoded is returned (wrapped) for a body that the server compressed although the client did not ask for it.
var ErrEncoded = errors.New("body is compressed")

// ReadBody reads a response's body of at most limit bytes and closes it. It never holds more than the limit plus one
// read, refuses by Content-Length before it reads, and does not decompress.
func ReadBody(resp *http.Response, limit int64) ([]byte, error) {
	defer func() { _ = resp.Body.Close() }()
	if enc := resp.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return nil, ErrEncoded
	}
	if resp.ContentLength > limit {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are read", ErrTooLarge, resp.ContentLength, limit)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("%w: more than the %d bytes that are read", ErrTooLarge, limit)
	}
	return body, nil
}
