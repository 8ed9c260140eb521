// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// codec is grpc's own but for one thing: a message that cannot be read as a CheckRequest (no protocol buffer, a header
// that is not UTF-8) becomes an empty one, which is refused. By itself grpc would answer with an error, and Envoy's
// failure_mode_allow lets errors pass.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(proto.Name)} }

// Unmarshal reads data into v.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	err := c.CodecV2.Unmarshal(data, v)
	if request, ok := v.(*authv3.CheckRequest); ok && err != nil {
		request.Reset()
		return nil
	}
	return err
}
