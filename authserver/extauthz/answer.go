// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
)

// Fields of the dynamic metadata, which Envoy keeps under the namespace envoy.filters.http.ext_authz.
const (
	metadataUser              = "user"
	metadataTenant            = "tenant"
	metadataGroups            = "groups"
	metadataEmail             = "email"
	metadataPreferredUsername = "preferred_username"
	metadataHeaders           = "headers"
)

var statusOK = &rpcstatus.Status{Code: int32(codes.OK)}

// allow is the answer to a request that is let in. Headers with a value are set; every other name of the server is
// removed, and so is what was sent under a name that some applications read as one of them.
func (n *Names) allow(id *claims.Identity, r *Request) *authv3.CheckResponse {
	values := [...]string{id.User, id.Email, id.Groups, id.PreferredUsername, id.Tenant}
	most := len(values) + len(id.Headers)
	set := newOptions(most)
	given := make([]bool, len(n.names))
	for i, value := range values {
		if value != "" {
			given[i] = true
			set.add(n.names[i], value)
		}
	}
	for i := range id.Headers {
		h := &id.Headers[i]
		at, ok := n.at[strings.ToLower(h.Name)]
		if h.Value == "" || !ok || given[at] {
			continue
		}
		given[at] = true
		set.add(n.names[at], h.Value)
	}
	remove := make([]string, 0, 2*len(n.names)+len(r.odd))
	remove = append(remove, n.underscored...)
	for i, name := range n.names {
		if !given[i] {
			remove = append(remove, name)
		}
	}
	for _, name := range r.odd {
		if n.imitated(name) {
			remove = append(remove, name)
		}
	}
	return &authv3.CheckResponse{
		Status:          statusOK,
		HttpResponse:    &authv3.CheckResponse_OkResponse{OkResponse: &authv3.OkHttpResponse{Headers: set.options, HeadersToRemove: remove}},
		DynamicMetadata: dynamicMetadata(id),
	}
}

// options collects headers to set without an allocation for each.
type options struct {
	options []*corev3.HeaderValueOption
	room    []option
}

type option struct {
	option corev3.HeaderValueOption
	header corev3.HeaderValue
}

func newOptions(most int) *options {
	return &options{make([]*corev3.HeaderValueOption, 0, most), make([]option, most)}
}

// add sets a header in place of whatever was sent. The older field append stays unset: then it means the same, and Envoy
// refuses an answer with both.
func (o *options) add(name, value string) {
	next := &o.room[len(o.options)]
	next.header.Key, next.header.Value = name, value
	next.option.Header = &next.header
	next.option.AppendAction = corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD
	o.options = append(o.options, &next.option)
}

// dynamicMetadata tells the filters after this one who it is, in the same encoding as the headers; groups are a list. Every
// field is there, empty without a value.
func dynamicMetadata(id *claims.Identity) *structpb.Struct {
	groups := &structpb.ListValue{}
	if id.Groups != "" {
		for group := range strings.SplitSeq(id.Groups, ",") {
			groups.Values = append(groups.Values, structpb.NewStringValue(group))
		}
	}
	return &structpb.Struct{Fields: map[string]*structpb.Value{
		metadataUser:              structpb.NewStringValue(id.User),
		metadataTenant:            structpb.NewStringValue(id.Tenant),
		metadataGroups:            structpb.NewListValue(groups),
		metadataEmail:             structpb.NewStringValue(id.Email),
		metadataPreferredUsername: structpb.NewStringValue(id.PreferredUsername),
		metadataHeaders:           structpb.NewStructValue(headersMetadata(id.Headers)),
	}}
}

// headersMetadata are the mapped headers by their lower-case names.
func headersMetadata(headers []claims.Header) *structpb.Struct {
	s := &structpb.Struct{Fields: make(map[string]*structpb.Value, len(headers))}
	for i := range headers {
		s.Fields[strings.ToLower(headers[i].Name)] = structpb.NewStringValue(headers[i].Value)
	}
	return s
}
