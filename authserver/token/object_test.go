// SPDX-License-Identifier: Apache-2.0

package token

import (
	"strings"
	"testing"
)

// TestReadObject guards that an object which is no token is read as strictly as a payload is, and that its members mean nothing yet.
func TestReadObject(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 17) + "1" + strings.Repeat("}", 17)
	for text, reason := range map[string]Reason{
		`{"id":9007199254740993,"iss":5,"exp":"never"}`: "",
		` {"a":null} `:        "",
		`{}`:                  "",
		`{"a":1,"a":2}`:       ReasonDuplicateMember,
		`{"a":{"b":1,"b":2}}`: ReasonDuplicateMember,
		`{"a":1,"\u0061":2}`:  ReasonDuplicateMember,
		`[]`:                  ReasonJSON,
		`"a"`:                 ReasonJSON,
		``:                    ReasonJSON,
		`{"a":1} {}`:          ReasonJSON,
		"{\"a\":\"\xff\"}":    ReasonJSON,
		`{"a":"\ud800"}`:      ReasonJSON,
		`{"a":1e}`:            ReasonJSON,
		deep:                  ReasonJSONLimits,
		`{"a":123456789012345678901234567890123}`:   ReasonJSONLimits,
		`{"a":"` + strings.Repeat("x", 1000) + `"}`: ReasonTooLong,
	} {
		_, err := ReadObject([]byte(text), 1000)
		if got := reasonOf(err); got != reason {
			t.Errorf("%.60s: %q (%v), want %q", text, got, err, reason)
		}
	}
	o, err := ReadObject([]byte(`{"id":9007199254740993,"a\u0062":[1]}`), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := o.Lookup("id"); v.JSON() != "9007199254740993" {
		t.Errorf("id is %s", v.JSON())
	}
	if got := o.Value().JSON(); got != `{"id":9007199254740993,"ab":[1]}` {
		t.Errorf("the whole is %s", got)
	}
}

// TestReadList guards the same of arrays, and that what is inside cannot close the array early.
func TestReadList(t *testing.T) {
	for text, reason := range map[string]Reason{
		"\n [1, \"a\", {\"b\":[2]}, null] ":     "",
		`[]`:                                    "",
		`{}`:                                    ReasonJSON,
		`1`:                                     ReasonJSON,
		``:                                      ReasonJSON,
		`[1],"x":[2]`:                           ReasonJSON,
		`[1]}`:                                  ReasonJSON,
		`[1]} {`:                                ReasonJSON,
		`[1] [2]`:                               ReasonJSON,
		`[1,]`:                                  ReasonJSON,
		`[{"a":1,"a":2}]`:                       ReasonDuplicateMember,
		`[1],"list":[2]`:                        ReasonDuplicateMember,
		`["` + strings.Repeat("x", 1000) + `"]`: ReasonTooLong,
	} {
		list, err := ReadList([]byte(text), 1000)
		if got := reasonOf(err); got != reason || (err != nil) != (list == nil) {
			t.Errorf("%.60s: %q (%v), want %q", text, got, err, reason)
		}
	}
	list, err := ReadList([]byte(" [1, \"a\", {\"b\":[2]}]"), 100)
	if err != nil {
		t.Fatal(err)
	}
	if got := List(append(list, list...)).JSON(); got != `[1,"a",{"b":[2]},1,"a",{"b":[2]}]` {
		t.Errorf("joined: %s", got)
	}
}
