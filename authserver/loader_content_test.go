// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/config/configtest"
)

// TestErrorsHoldNoContent guards what the parsers' own test cannot see: keys, policies and networks are looked at again after
// a file has been parsed. Whatever is wrong there, neither the log nor the errors of /configz hold anything of it.
func TestErrorsHoldNoContent(t *testing.T) {
	c := cast()
	good := render(t, baseOf(func(b *config.Base) { b.Outbound.AllowedCIDRs = []string{"10.0.0.0/8"} }), 1,
		policyOf("acme", func(p *config.Policy) { p.Issuers = []config.Issuer{inline(t, "https://idp.acme.example", c.acme)} }),
		remote("globex", "https://idp.globex.example/keys", "a bundle", "RS256"))
	tenants := config.TenantsFile(1, 0)
	for _, file := range []struct{ name, from, to string }{ // the second of each is refused anyway, with whatever else it holds
		{config.FileBase, "{", "{"}, {config.FileBase, `"10.0.0.0/8"`, `"10.0.0.1/8"`},
		{config.FileKeys, "{", "{"}, {config.FileKeys, "-----BEGIN PRIVATE KEY", "-----BEGIN"},
		{tenants, "{", "{"}, {tenants, `"RS256"`, `"none"`},
	} {
		name := file.name
		l, refused := newLab(t, good), 0
		l.log.take()
		for what, document := range configtest.Spoil(bytes.ReplaceAll(unzipped(t, good[name]), []byte(file.from), []byte(file.to))) {
			if strings.HasSuffix(what, " object]") {
				continue // what has the form of an object's name is shown at /configz in any case
			}
			if name == tenants {
				document = zipped(t, document)
			}
			files := maps.Clone(good)
			files[name] = document
			err := l.Load(files)
			if err == nil {
				continue
			}
			refused++
			if configtest.Holds(err.Error()) {
				t.Errorf("%s: %s: %v", name, what, err)
			}
			for _, f := range l.configz(t).Files {
				if configtest.Holds(f.Error) {
					t.Errorf("%s: %s: /configz tells %s", name, what, f.Error)
				}
			}
		}
		if text := l.log.take(); configtest.Holds(text) {
			t.Errorf("%s: the log holds content", name)
		}
		if refused < 300 {
			t.Errorf("%s: only %d documents were refused: nothing is shown", name, refused)
		}
	}
}

// unzipped returns the content of a file that may be compressed.
func unzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return data
	}
	if data, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return data
}

func zipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
