// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
)

// Callers are those who may have something beyond a decision, such as the token of a credential. They are immutable.
type Callers struct {
	who    *claims.Callers
	digest [sha256.Size]byte // of what they may have and of who they are
}

// NewCallers makes those whom the expression admits (see [claims.Callers.Admit]); an empty one admits nobody. of is all that makes what they ask for another
// thing, such as its name and content: what was remembered for one is never taken for another. The error holds nothing of the expression.
func NewCallers(expression string, of ...string) (*Callers, error) {
	c := &Callers{}
	b := appendText(nil, expression)
	for _, text := range of {
		b = appendText(b, text)
	}
	c.digest = sha256.Sum256(b)
	if expression == "" {
		expression = nobody
	}
	var err error
	c.who, err = claims.CompileCallers(expression)
	return c, err
}

// nobody holds for no token, since no username is empty. It reads what most expressions read, so that it takes as long.
const nobody = `username == '' && tenant == '' && '' in groups`

// Admit decides as [Set.Decide] does, and whether the caller is one of those, of whom nil has none; only a request that is let in can be. Whoever is let in and not admitted costs the
// same work each time, whoever the callers are: only those who are admitted are remembered, so that neither time nor memory tells what there is to ask for.
func (s *Set) Admit(ctx context.Context, f *Facts, now time.Time, c *Callers) (d Decision, admitted bool) {
	j := judgement{set: s, now: now, callers: c}
	d = s.decide(ctx, &j, f)
	return d, c != nil && d.Status == http.StatusOK && (d.Cached || j.admitted)
}

// admit asks whether the token that was let in is of one of the callers.
func (j *judgement) admit() {
	if j.callers == nil {
		return
	}
	var rules *claims.Rules
	if j.policy != nil {
		rules = j.policy.claims
	}
	if j.own {
		j.admitted = j.callers.who.AdmitOwn(rules, j.subject, j.decision.Tenant)
		return
	}
	j.admitted = j.callers.who.Admit(rules, j.subject)
}
