// SPDX-License-Identifier: Apache-2.0

package token

import (
	"slices"
	"strconv"
	"strings"
)

// maxPartyInfo is the bound of apu and of apv in bytes, decoded.
const maxPartyInfo = 1024

// jweHeader is what this package reads of a JWE's header (RFC 7516 §4.1, RFC 7518 §4.6.1).
// p2c and p2s are never read: no accepted algorithm has them.
type jweHeader struct {
	header
	enc, cty       string
	hasEnc, hasCty bool
	epk            Value
	apu, apv       []byte
}

// readJWEHeader reads the known members of a JWE's header.
func readJWEHeader(members object) (h *jweHeader, err error) {
	h = new(jweHeader)
	if h.header, err = readHeader(members); err != nil {
		return nil, err
	}
	for i := range members {
		m := &members[i]
		switch m.name {
		case "enc":
			h.enc, h.hasEnc = m.value.Text()
			err = wantString(h.hasEnc, "enc")
		case "cty":
			h.cty, h.hasCty = m.value.Text()
			err = wantString(h.hasCty, "cty")
		case "epk":
			h.epk = m.value // package jwe reads it
		case "apu":
			h.apu, err = readPartyInfo(m)
		case "apv":
			h.apv, err = readPartyInfo(m)
		}
		if err != nil {
			return nil, err
		}
	}
	return h, nil
}

// readPartyInfo decodes apu or apv.
func readPartyInfo(m *member) ([]byte, error) {
	text, ok := m.value.Text()
	if err := wantString(ok, m.name); err != nil {
		return nil, err
	}
	info, err := strictBase64.DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, refuse(ReasonHeader, m.name+" is not base64url without padding")
	}
	if len(info) > maxPartyInfo {
		return nil, refuse(ReasonHeader, m.name+" has more than "+strconv.Itoa(maxPartyInfo)+" bytes")
	}
	return info, nil
}

// check applies the rules to the header: alg and enc, then what no token may ask for, then
// cty. The typ of the token inside counts, so typ is not looked at.
func (h *jweHeader) check(e *Encryption) error {
	switch {
	case e == nil:
		return refuse(ReasonEncrypted, "the token is encrypted and the policy has no decryption")
	case !h.hasAlg:
		return refuse(ReasonAlgorithm, "the JWE header has no alg")
	case !slices.Contains(e.KeyAlgorithms, h.alg):
		return refuse(ReasonAlgorithm, "alg is not one of the policy's key management algorithms")
	case !h.hasEnc:
		return refuse(ReasonContentAlgorithm, "the JWE header has no enc")
	case !slices.Contains(e.ContentAlgorithms, h.enc):
		return refuse(ReasonContentAlgorithm, "enc is not one of the policy's content algorithms")
	}
	if err := h.checkExtensions(); err != nil {
		return err
	}
	return h.checkContentType()
}

// checkContentType wants cty to be absent or JWT (RFC 7519 §5.2), compared as typ is.
func (h *jweHeader) checkContentType() error {
	if h.hasCty && !equalFold(trimPrefixFold(h.cty, "application/"), "jwt") {
		return refuse(ReasonContentType, "cty is not JWT")
	}
	return nil
}

// checkDirect decides on claims directly inside the encryption (RFC 7519 §7.2, step 8).
func (h *jweHeader) checkDirect(e *Encryption) error {
	switch {
	case !e.acceptsDirect(h.alg):
		return refuse(ReasonNestedRequired, "claims are directly inside the encryption and the policy demands a signed token there")
	case h.hasCty:
		return refuse(ReasonContentType, "cty promises a token inside, and there are claims")
	}
	return nil
}
