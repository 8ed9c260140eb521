// SPDX-License-Identifier: Apache-2.0

package token

import "slices"

// header is what this package reads of a JOSE header (RFC 7515 §4.1).
type header struct {
	alg, typ, kid          string
	hasAlg, hasTyp, hasKid bool
	crit, b64, zip         bool
	sealed                 bool // it has enc, which makes it the header of a JWE (RFC 7516 §9)
}

// readHeader reads the known members of a header and passes over all others, the ones that
// carry keys included.
func readHeader(members object) (h header, err error) {
	for i := range members {
		m := &members[i]
		switch m.name {
		case "alg":
			h.alg, h.hasAlg = m.value.Text()
			err = wantString(h.hasAlg, "alg")
		case "typ":
			h.typ, h.hasTyp = m.value.Text()
			err = wantString(h.hasTyp, "typ")
		case "kid":
			h.kid, h.hasKid = m.value.Text()
			err = wantString(h.hasKid, "kid")
		case "crit":
			h.crit = true
		case "b64":
			h.b64 = true
		case "zip":
			h.zip = true
		case "enc":
			h.sealed = true
		}
		if err != nil {
			return h, err
		}
	}
	return h, nil
}

func wantString(is bool, name string) error {
	if !is {
		return refuse(ReasonHeader, name+" is not a string")
	}
	return nil
}

// check applies the rules to the header of a JWS: alg, then what no token may ask for, then typ.
func (h *header) check(r *Rules) error {
	if !h.hasAlg {
		return refuse(ReasonAlgorithm, "the header has no alg")
	}
	if !slices.Contains(r.Algorithms, h.alg) {
		return refuse(ReasonAlgorithm, "alg is not one of the policy's algorithms")
	}
	if h.sealed { // whoever tells the two kinds apart by it takes the token for another
		return refuse(ReasonHeader, "the header has enc, which only that of an encrypted token may have")
	}
	if err := h.checkExtensions(); err != nil {
		return err
	}
	return h.checkType(r.Types)
}

// checkExtensions refuses what no token may ask for.
func (h *header) checkExtensions() error {
	switch {
	case h.crit:
		return refuse(ReasonCritical, "the header demands an extension that this server does not have")
	case h.b64:
		return refuse(ReasonB64, "unencoded payloads are not accepted (RFC 7797)")
	case h.zip:
		return refuse(ReasonZip, "compressed payloads are not accepted")
	}
	return nil
}

func (h *header) checkType(types []string) error {
	if !h.hasTyp {
		if slices.Contains(types, "") {
			return nil
		}
		return refuse(ReasonType, "the header has no typ and the policy demands one")
	}
	typ := trimPrefixFold(h.typ, "application/")
	for _, t := range types {
		if t != "" && equalFold(typ, t) {
			return nil
		}
	}
	return refuse(ReasonType, "typ is not one of the policy's token types")
}

// trimPrefixFold is strings.TrimPrefix for an ASCII lower-case prefix, whatever the case of
// s (RFC 7515 §4.1.9).
func trimPrefixFold(s, prefix string) string {
	if len(s) >= len(prefix) && equalFold(s[:len(prefix)], prefix) {
		return s[len(prefix):]
	}
	return s
}

// equalFold compares s, in any ASCII case, with lower-case text. strings.EqualFold also
// takes letters like U+017F for s.
func equalFold(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
