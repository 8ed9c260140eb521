// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// Bounds on members of spec.jwtBearer.headers and additionalClaims, which the schema has too.
const (
	maxJWTHeaders = 16
	maxJWTClaims  = 64
)

// madeClaims have fields of their own, or are made for each JWT.
var madeClaims = map[string]string{
	"iss": "set spec.jwtBearer.issuer", "sub": "set spec.jwtBearer.subject", "aud": "set spec.jwtBearer.audience",
	"exp": "set spec.jwtBearer.lifetime", "iat": "it is the time of signing", "jti": "it is made for each JWT",
}

// madeHeaders change what a signature or its text means (RFC 7515 §4.1.11, RFC 7516, RFC 7797).
var madeHeaders = []string{"crit", "b64", "zip", "enc"}

// planJWTMembers reads headers and additionalClaims.
func (o *providerPlan) planJWTMembers(spec *v1alpha1.JWTBearerProvider) {
	const at = "spec.jwtBearer."
	o.jwtHeaders = o.planMembers(at+"headers", spec.Headers, maxJWTHeaders)
	o.jwtClaims = o.planMembers(at+"additionalClaims", spec.AdditionalClaims, maxJWTClaims)
	for _, name := range slices.Sorted(maps.Keys(o.jwtClaims)) {
		if instead, made := madeClaims[name]; made {
			o.refuse(v1alpha1.ReasonInvalid, at+"additionalClaims."+name, "must not be here: %s", instead)
		}
	}
	if value, there := o.jwtClaims["nbf"]; there && !isNumber(value) {
		o.refuse(v1alpha1.ReasonInvalid, at+"additionalClaims.nbf", "must be a number of seconds since 1970 (RFC 7519 section 4.1.5); none is sent without it")
	}
	o.planJWTHeaders(spec)
}

func (o *providerPlan) planJWTHeaders(spec *v1alpha1.JWTBearerProvider) {
	const at = "spec.jwtBearer."
	for _, name := range slices.Sorted(maps.Keys(o.jwtHeaders)) {
		text, isText := textOf(o.jwtHeaders[name])
		switch {
		case slices.Contains(madeHeaders, name):
			o.refuse(v1alpha1.ReasonInvalid, at+"headers."+name, "must not be here: it changes how the JWT is read, and Gatehouse makes plain signed ones")
		case name == "alg" && text != string(spec.Algorithm):
			o.refuse(v1alpha1.ReasonInvalid, at+"headers.alg", "must equal spec.jwtBearer.algorithm: leave it out")
		case name == "kid" && spec.KeyID != "" && text != spec.KeyID:
			o.refuse(v1alpha1.ReasonInvalid, at+"headers.kid", "must equal spec.jwtBearer.keyID: leave it out")
		case (name == "typ" || name == "cty" || name == "kid") && (!isText || text == ""):
			o.refuse(v1alpha1.ReasonInvalid, at+"headers."+name, "must be a non-empty string (RFC 7515 section 4.1)")
		}
	}
}

// planMembers reads an object of any JSON. What it returns is written anew, digit by digit, so that nothing stands there twice.
func (o *providerPlan) planMembers(field string, given *apiextensionsv1.JSON, limit int) map[string]json.RawMessage {
	if given == nil || len(given.Raw) == 0 {
		return nil
	}
	if err := checkAnyJSON(given.Raw); err != nil {
		o.refuse(v1alpha1.ReasonInvalid, field, "%v", err)
		return nil
	}
	members, err := rewritten(given.Raw)
	switch {
	case errors.Is(err, errNumber):
		o.refuse(v1alpha1.ReasonInvalid, field, "%v", err)
	case err != nil: // cannot happen for what was checked
		o.refuse(v1alpha1.ReasonInvalid, field, "cannot be read as JSON")
	case len(members) > limit:
		o.refuse(v1alpha1.ReasonInvalid, field, "has %d members, at most %d are allowed", len(members), limit)
	default:
		return members
	}
	return nil
}

// errNumber is for numbers of which the API server may have changed digits: it keeps integers of 64 bits with a sign, and others as floating point.
var errNumber = errors.New("holds a number that is no integer of 64 bits and too large to be exact: write it as a string")

// rewritten decodes an object and writes its members again, numbers as they were.
func rewritten(text []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var members map[string]any
	if err := d.Decode(&members); err != nil {
		return nil, fmt.Errorf("decoding members: %w", err)
	}
	if !exact(members) {
		return nil, errNumber
	}
	out := make(map[string]json.RawMessage, len(members))
	for name, value := range members {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(value); err != nil {
			return nil, fmt.Errorf("encoding a member: %w", err)
		}
		out[name] = bytes.TrimSpace(b.Bytes())
	}
	return out, nil
}

// exact tells whether every number is what its author wrote.
func exact(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		return !slices.ContainsFunc(slices.Collect(maps.Values(v)), func(member any) bool { return !exact(member) })
	case []any:
		return !slices.ContainsFunc(v, func(item any) bool { return !exact(item) })
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return true
		}
		f, err := v.Float64()
		return err == nil && math.Abs(f) < 1<<53
	}
	return true
}

func textOf(value json.RawMessage) (string, bool) {
	var text *string
	if err := json.Unmarshal(value, &text); err != nil || text == nil {
		return "", false
	}
	return *text, true
}

func isNumber(value json.RawMessage) bool {
	return len(value) > 0 && (value[0] == '-' || value[0] >= '0' && value[0] <= '9')
}
