// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
)

func zip(t testing.TB, content string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestKnownPoliciesAreNotReadAgain guards the cost of a reload, and that what spans policies is still checked with those
// that are known.
func TestKnownPoliciesAreNotReadAgain(t *testing.T) {
	pem := Hash([]byte("pem"))
	acme, globex := policy("acme"), policy("globex")
	acme.CABundle = pem
	encoded := func(bundles map[string]string, policies ...Policy) []byte {
		data, err := (&Tenants{Version: Version, Count: 1, Bundles: bundles, Policies: policies}).Encode()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	bundles := map[string]string{pem: "pem"}
	first, err := (&Reader{}).Read(TenantsFile(1, 0), encoded(bundles, acme, globex))
	if err != nil {
		t.Fatal(err)
	}
	known := func(sum Sum) (Names, bool) {
		for _, e := range first.Entries {
			if e.Sum == sum {
				return e.Names, true
			}
		}
		return Names{}, false
	}
	pauses := 0
	r := &Reader{Known: known, Pause: func() { pauses++ }}
	changed := globex
	changed.Leeway++
	second, err := r.Read(TenantsFile(1, 0), encoded(bundles, acme, changed))
	if err != nil {
		t.Fatal(err)
	}
	if e := second.Entries; e[0].Policy != nil || e[0].Names != first.Entries[0].Names || e[1].Policy == nil || e[1].Policy.Leeway != changed.Leeway {
		t.Errorf("want the first to be known and the second read, got %+v", e)
	}
	if pauses != 2 {
		t.Errorf("%d pauses for two policies", pauses)
	}
	other := Hash([]byte("other"))
	for want, data := range map[string][]byte{
		"a second policy of its tenant":     encoded(bundles, acme, acme),
		"acme: caBundle names none":         encoded(nil, acme, globex),
		"bundles: 1 of them are named by":   encoded(map[string]string{pem: "pem", other: "other"}, acme, globex),
		"bundles: the name of one is not":   encoded(map[string]string{pem: "another"}, acme, globex),
		"data after the end of the JSON":    zip(t, `{"version":1,"shard":0,"count":1}{}`),
		"a member of an object is there":    zip(t, `{"version":1,"version":1,"shard":0,"count":1}`),
		"a field is not known":              zip(t, `{"version":1,"shard":0,"count":1,"Policies":[]}`),
		"content is empty":                  zip(t, ``),
		"content is cut off":                zip(t, `{"version":1,"shard":0,"count":1,"policies":[{"object":"a"`),
		"JSON syntax error at byte 13":      zip(t, `{"version":1 x}`),
		"field bundles holds a array":       zip(t, `{"version":1,"shard":0,"count":1,"bundles":["pem"]}`),
		"field policies.algorithms holds":   zip(t, `{"version":1,"shard":0,"count":1,"policies":[{"algorithms":"RS256"}]}`),
		"field policies holds a number":     zip(t, `{"version":1,"shard":0,"count":1,"policies":[7]}`),
		"field count holds a string":        zip(t, `{"version":1,"shard":0,"count":"1"}`),
		"unexpected EOF":                    encoded(bundles, acme, globex)[:200],
		"checksum":                          spoiled(encoded(bundles, acme, globex)),
		"policies[0]: object is empty":      zip(t, `{"version":1,"shard":0,"count":1,"policies":[null]}`),
		"content is not of this version's ": zip(t, `[]`),
	} {
		if _, err := r.Read(TenantsFile(1, 0), data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// spoiled changes the checksum at the end of compressed data.
func spoiled(data []byte) []byte {
	data = bytes.Clone(data)
	data[len(data)-8] ^= 1
	return data
}

// TestTheOrderOfMembersIsFree guards that a tenants file means the same in whatever order it was written.
func TestTheOrderOfMembersIsFree(t *testing.T) {
	pem := Hash([]byte("pem"))
	text := `{"policies":[{"object":"TenantJWTPolicy/default/acme","tenantID":"acme","issuers":[{"issuer":"a","jwksURI":"https://a.example"}],` +
		`"algorithms":["RS256"],"tokenTypes":["jwt"],"leeway":"1s","caBundle":"` + pem + `","claims":{"username":{"claims":["sub"]}}}],` +
		`"bundles":{"` + pem + `":"pem"},"count":1,"shard":0,"version":1}`
	got, err := ParseTenants(TenantsFile(1, 0), zip(t, text))
	if err != nil || len(got.Policies) != 1 || got.Policies[0].CABundle != pem {
		t.Errorf("got %+v, %v", got, err)
	}
}
