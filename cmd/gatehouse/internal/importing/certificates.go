// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
)

// authorities are the CAs that the provider's certificates are checked against, from files, or as text.
func (u *upstream) authorities(key string, files []string, text string) {
	if len(files) == 0 && text == "" {
		return
	}
	name := u.name + "-ca"
	for _, file := range files {
		text += strings.TrimSuffix(u.beside(file), "\n") + "\n"
	}
	if text = strings.TrimSpace(text); !certificates(text, len(files)) {
		text = ""
	}
	u.object.Spec.SetFrom("caBundleRef", Inline{{Name: "kind", Value: "Secret"}, {Name: "name", Value: name}, {Name: "key", Value: "ca.crt"}}, u.origin(key))
	u.result.Secrets = append(u.result.Secrets, Secret{Name: name, Entries: []Entry{{Key: "ca.crt", Value: text, From: u.s.Name(key), File: true,
		Hint: fmt.Sprintf("the certificates of the files that %s names, one after the other", shown(u.s.Name(key)))}}})
}

// certificates tells whether a text has at least so many certificates, and nothing that is none.
func certificates(text string, least int) bool {
	n := 0
	for rest := []byte(strings.TrimSpace(text)); len(rest) > 0; n++ {
		block, after := pem.Decode(rest)
		if block == nil || block.Type != "CERTIFICATE" {
			return false
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return false
		}
		rest = bytes.TrimSpace(after)
	}
	return n >= max(least, 1)
}
