// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"fmt"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/expression"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Rules are what one policy makes of claims. They are immutable and safe for concurrent use. A nil *Rules maps nothing
// and asks for nothing: it is for own tokens of an organization without a policy.
type Rules struct {
	tenant string
	prefix bool

	username, email, groups source
	emailVerified           string
	headers                 []header
	rules                   []rule
}

// header is a further header of the answer.
type header struct {
	name string
	source
}

// rule is a claim rule: either claim or program is set.
type rule struct {
	claim, required string
	program         *expression.Program
	message         string
}

// Compile compiles the claim rules of the policy of a tenant. An error names the field, such as
// "claims.rules[1].expression", and holds nothing of its text: it is told at /configz. Render has shown the author the
// text's fault ([CheckExpression]).
func Compile(c *config.ClaimRules, tenant string) (*Rules, error) {
	r := &Rules{tenant: tenant, prefix: c.Username.PrefixWithTenant, emailVerified: c.EmailVerified}
	var err error
	if r.username, err = compileSource(&c.Username.Source, expression.Text); err != nil {
		return nil, fmt.Errorf("claims.username%w", err)
	}
	if r.email, err = compileSource(&c.Email, expression.Text); err != nil {
		return nil, fmt.Errorf("claims.email%w", err)
	}
	if r.groups, err = compileSource(&c.Groups, expression.Texts); err != nil {
		return nil, fmt.Errorf("claims.groups%w", err)
	}
	for i := range c.Headers {
		from, err := compileSource(&c.Headers[i].Source, expression.Scalars)
		if err != nil {
			return nil, fmt.Errorf("claims.headers[%d]%w", i, err)
		}
		r.headers = append(r.headers, header{c.Headers[i].Name, from})
	}
	for i := range c.Rules {
		compiled, err := compileRule(&c.Rules[i])
		if err != nil {
			return nil, fmt.Errorf("claims.rules[%d]%w", i, err)
		}
		r.rules = append(r.rules, compiled)
	}
	return r, nil
}

func compileRule(c *config.ClaimRule) (rule, error) {
	r := rule{claim: c.Claim, required: c.RequiredValue, message: c.Message}
	if c.Expression == "" {
		return r, nil
	}
	var err error
	r.program, err = compileExpression(c.Expression, expression.Rule)
	return r, err
}

// HeaderNames are the names of the mapped headers, in the policy's order and in canonical form. The caller must not
// change them.
func (r *Rules) HeaderNames() []string {
	if r == nil {
		return nil
	}
	names := make([]string, len(r.headers))
	for i := range r.headers {
		names[i] = r.headers[i].name
	}
	return names
}

// Check demands that every claim rule holds, in order. The refusal of the first that does not is answered with 403
// ([ErrForbidden]); its detail names the rule and repeats the author's message.
func (r *Rules) Check(c *Subject) error {
	if r == nil {
		return nil
	}
	for i := range r.rules {
		if fault := r.rules[i].check(c); fault != "" {
			detail := fmt.Sprintf("claimValidationRules[%d] %s", i, fault)
			if message := r.rules[i].message; message != "" {
				detail += ": " + message
			}
			return forbidden{&token.Error{Reason: ReasonClaimRule, Detail: detail}}
		}
	}
	return nil
}

// check says why the rule does not hold, "" if it does.
func (r *rule) check(c *Subject) string {
	if r.program == nil {
		value, _ := c.Lookup(r.claim)
		if text, ok := value.Text(); !ok || text != r.required {
			return "does not hold (the claim " + r.claim + " is not the required string " + quoteRequired(r.required) + ")"
		}
		return ""
	}
	holds, err := r.program.Bool(c.expressions())
	switch {
	case err != nil:
		return "cannot be evaluated (" + err.Error() + ")"
	case !holds:
		return "does not hold"
	}
	return ""
}

// maxRequired bounds a required value in a detail, in bytes.
const maxRequired = 100

// quoteRequired shows what the policy's author wrote; the claim's own value is never shown.
func quoteRequired(s string) string {
	if len(s) > maxRequired {
		return fmt.Sprintf("%q (cut after %d of %d bytes)", s[:maxRequired], maxRequired, len(s))
	}
	return fmt.Sprintf("%q", s)
}
