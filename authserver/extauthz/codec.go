// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// codec is grpc's own but for the two messages of Check. It reads and writes them as Request and as bytes: with the
// generated messages, of which nearly all fields would be made for nobody, they cost more than the decision. A message that
// is no CheckRequest is a Request with a Problem, and so a refusal, where grpc would answer with an error, which Envoy's
// failure_mode_allow lets pass.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(proto.Name)} }

// Unmarshal reads data into v, and keeps nothing of data.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	request, ok := v.(*Request)
	if !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	if len(data) == 1 { // it came in one piece
		request.parse(data[0].ReadOnlyData())
		return nil
	}
	buffer := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buffer.Free()
	request.parse(buffer.ReadOnlyData())
	return nil
}

// response is a CheckResponse as bytes.
type response []byte

// Marshal writes v.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if r, ok := v.(response); ok {
		return mem.BufferSlice{mem.SliceBuffer(r)}, nil
	}
	return c.CodecV2.Marshal(v)
}
