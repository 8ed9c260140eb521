// SPDX-License-Identifier: Apache-2.0

package extauthz

import "google.golang.org/protobuf/encoding/protowire"

// Field numbers of the messages, by envoy/service/auth/v3 and envoy/config/core/v3. A test compares them with the
// generated code's.
const (
	checkRequestAttributes = 1

	attributesSource     = 1
	attributesRequest    = 4
	attributesExtensions = 10

	peerAddress          = 1
	addressSocketAddress = 1
	socketAddressAddress = 2

	requestHTTP       = 2
	httpMethod        = 2
	httpHeaders       = 3
	httpPath          = 4
	httpHost          = 5
	httpScheme        = 6
	httpHeaderMap     = 13
	headerMapHeaders  = 1
	headerValueKey    = 1
	headerValueValue  = 2
	headerValueRaw    = 3
	entryKey          = 1 // of every map's entries
	entryValue        = 2
	structFields      = 1
	valueString       = 3
	valueStruct       = 5
	valueList         = 6
	listValues        = 1
	optionHeader      = 1
	optionAction      = 3
	okHeaders         = 2
	okHeadersToRemove = 5

	deniedStatus   = 1
	deniedHeaders  = okHeaders
	deniedBody     = 3
	httpStatusCode = 1
	statusCode     = 1

	checkResponseStatus   = 1
	checkResponseDenied   = 2
	checkResponseOK       = 3
	checkResponseMetadata = 4
)

// walk calls visit for each field of a message that holds bytes: strings and messages. Other fields are passed over, as
// those are that visit does not know. It returns false for what is no message, or as soon as visit does.
func walk(message []byte, visit func(field protowire.Number, value []byte) bool) bool {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return false
		}
		message = message[n:]
		if kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(field, kind, message); n < 0 {
				return false
			}
			message = message[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(message)
		if n < 0 || !visit(field, value) {
			return false
		}
		message = message[n:]
	}
	return true
}

// entry reads an entry of a map, or another message of two strings. Of a field that is there twice the last counts
// (as protocol buffers have it).
func entry(message []byte) (key, value []byte, ok bool) {
	ok = walk(message, func(field protowire.Number, v []byte) bool {
		switch field {
		case entryKey:
			key = v
		case entryValue:
			value = v
		}
		return true
	})
	return key, value, ok
}

// sizeField is the size of a field of n bytes whose number is below 16.
func sizeField(n int) int { return 1 + protowire.SizeBytes(n) }

// appendHead begins a field of n bytes, which the caller appends.
func appendHead(b []byte, field protowire.Number, n int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.BytesType), uint64(n))
}

func appendNumber(b []byte, field protowire.Number, n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), n)
}

func appendString(b []byte, field protowire.Number, s string) []byte {
	return append(appendHead(b, field, len(s)), s...)
}
