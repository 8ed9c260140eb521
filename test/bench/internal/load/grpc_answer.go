// SPDX-License-Identifier: Apache-2.0

package load

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/encoding/protowire"
)

// grpcPrefixSize is what stands before every gRPC message: a flag for compression and the length.
const grpcPrefixSize = 5

// answerFields are the header fields and trailers of a gRPC answer that say whether it is one.
type answerFields struct {
	status, grpcStatus, grpcMessage string
}

func (a *answerFields) add(f hpack.HeaderField) {
	switch f.Name {
	case ":status":
		a.status = f.Value
	case "grpc-status":
		a.grpcStatus = f.Value
	case "grpc-message":
		a.grpcMessage = f.Value
	}
}

// checkHead tells whether the fields are what they must be at the head or at the end of an answer.
func (a *answerFields) checkHead(end bool) error {
	if !end && a.status == "200" || end && a.grpcStatus == "0" {
		return nil
	}
	return fmt.Errorf("checking answer: :status %q, grpc-status %q (%s), want status 200 and then 0", a.status, a.grpcStatus, a.grpcMessage)
}

// Numbers of the fields that are read, of google.rpc.Status and of Envoy's CheckResponse, OkHttpResponse,
// DeniedHttpResponse, HttpStatus, HeaderValueOption and HeaderValue.
const (
	rpcCode        = 1
	responseStatus = 1
	responseDenied = 2
	responseOK     = 3
	deniedStatus   = 1
	okHeaders      = 2
	httpCode       = 1
	optionHeader   = 1
	headerKey      = 1
	headerValue    = 2
	headerRawValue = 3
)

// parseAnswer reads a CheckResponse with its gRPC prefix. An answer that is neither clearly a yes (code 0 and an
// OkHttpResponse) nor clearly a no (another code and a DeniedHttpResponse with a status) is an error.
func parseAnswer(b []byte) (response, error) {
	if len(b) < grpcPrefixSize || b[0] != 0 || int(binary.BigEndian.Uint32(b[1:])) != len(b)-grpcPrefixSize {
		return response{}, fmt.Errorf("reading answer: %d bytes are not one plain gRPC message", len(b))
	}
	r := response{size: len(b)}
	code, yes, no := uint64(0), false, false
	err := fields(b[grpcPrefixSize:], func(number protowire.Number, v uint64, sub []byte) error {
		switch number {
		case responseStatus:
			return fields(sub, func(number protowire.Number, v uint64, _ []byte) error {
				if number == rpcCode {
					code = v
				}
				return nil
			})
		case responseDenied:
			no = true
			return r.denied(sub)
		case responseOK:
			yes = true
			return r.ok(sub)
		}
		return nil
	})
	switch {
	case err != nil:
		return r, fmt.Errorf("reading answer: %w", err)
	case yes && !no && code == 0:
		r.status = 200
	case !no || yes || code == 0 || r.status == 0 || r.status == 200:
		return r, fmt.Errorf("reading answer: code %d, OK %t, denied %t with status %d is neither a yes nor a no", code, yes, no, r.status)
	}
	return r, nil
}

// denied reads the status of a DeniedHttpResponse, and that no header in it names a user.
func (r *response) denied(b []byte) error {
	return fields(b, func(number protowire.Number, _ uint64, sub []byte) error {
		switch number {
		case deniedStatus:
			return fields(sub, func(number protowire.Number, v uint64, _ []byte) error {
				if number == httpCode {
					r.status = int(v)
				}
				return nil
			})
		case okHeaders: // the same number in both
			return r.option(sub)
		}
		return nil
	})
}

// ok reads the user of an OkHttpResponse.
func (r *response) ok(b []byte) error {
	return fields(b, func(number protowire.Number, _ uint64, sub []byte) error {
		if number == okHeaders {
			return r.option(sub)
		}
		return nil
	})
}

func (r *response) option(b []byte) error {
	return fields(b, func(number protowire.Number, _ uint64, sub []byte) error {
		if number != optionHeader {
			return nil
		}
		var key, value []byte
		err := fields(sub, func(number protowire.Number, _ uint64, sub []byte) error {
			switch number {
			case headerKey:
				key = sub
			case headerValue, headerRawValue:
				value = sub
			}
			return nil
		})
		if err != nil || !bytes.EqualFold(key, []byte("X-Auth-Request-User")) {
			return err
		}
		if len(r.user) > 0 {
			return errors.New("X-Auth-Request-User is there twice")
		}
		r.user = value
		return nil
	})
}

// fields hands out each field of a message: v of a varint, sub of a string or message.
func fields(b []byte, each func(number protowire.Number, v uint64, sub []byte) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		var v uint64
		var sub []byte
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			sub, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		if err := each(number, v, sub); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
