// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

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

// metadata tells the filters after ext_authz who it is: a Struct, in the same encoding as the headers. Every field is
// there, empty without a value; groups is a list, and headers are the mapped headers of the server by lower-case name.
type metadata struct {
	id     *claims.Identity
	mapped []name
	values []string // of mapped

	size, groups, headers int // of the Struct, of the ListValue and of the Struct within
}

func (n *Names) newMetadata(id *claims.Identity, values []string) metadata {
	m := metadata{id: id, mapped: n.names[len(fixed):], values: values[len(fixed):]}
	eachGroup(id.Groups, func(group string) { m.groups += sizeField(sizeField(len(group))) })
	for i := range m.mapped {
		m.headers += sizeField(sizeText(m.mapped[i].lower, m.values[i]))
	}
	m.size = sizeField(sizeText(metadataUser, id.User)) + sizeField(sizeText(metadataTenant, id.Tenant)) + sizeField(sizeText(metadataEmail, id.Email)) +
		sizeField(sizeText(metadataPreferredUsername, id.PreferredUsername)) +
		sizeField(sizeEntry(metadataGroups, m.groups)) + sizeField(sizeEntry(metadataHeaders, m.headers))
	return m
}

func (m *metadata) append(out []byte) []byte {
	out = appendText(out, metadataUser, m.id.User)
	out = appendText(out, metadataTenant, m.id.Tenant)
	out = appendText(out, metadataEmail, m.id.Email)
	out = appendText(out, metadataPreferredUsername, m.id.PreferredUsername)
	out = appendEntry(out, metadataGroups, valueList, m.groups)
	eachGroup(m.id.Groups, func(group string) {
		out = appendString(appendHead(out, listValues, sizeField(len(group))), valueString, group)
	})
	out = appendEntry(out, metadataHeaders, valueStruct, m.headers)
	for i := range m.mapped {
		out = appendText(out, m.mapped[i].lower, m.values[i])
	}
	return out
}

// eachGroup calls f for each member of a list as it stands in the header.
func eachGroup(list string, f func(group string)) {
	for list != "" {
		group, rest, _ := strings.Cut(list, ",")
		f(group)
		list = rest
	}
}

// sizeEntry is the size of a map entry whose Value holds n bytes.
func sizeEntry(key string, n int) int { return sizeField(len(key)) + sizeField(sizeField(n)) }

// sizeText is that of one whose Value is a string.
func sizeText(key, value string) int { return sizeEntry(key, len(value)) }

// appendEntry begins a field of a Struct whose Value holds n bytes, which the caller appends.
func appendEntry(out []byte, key string, kind protowire.Number, n int) []byte {
	out = appendHead(out, structFields, sizeEntry(key, n))
	out = appendString(out, entryKey, key)
	return appendHead(appendHead(out, entryValue, sizeField(n)), kind, n)
}

func appendText(out []byte, key, value string) []byte {
	return append(appendEntry(out, key, valueString, len(value)), value...)
}
