// SPDX-License-Identifier: Apache-2.0

package render

import (
	"strings"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

const usersField = "spec.password.usersSecretRef"

func planPassword(p *Plan, o *providerPlan) {
	if o.object.Spec.Password == nil {
		o.refuse(v1alpha1.ReasonInvalid, "spec.password", "type Password needs the block password: set %s", usersField)
	}
	if o.key.Namespace != p.in.Name.Namespace {
		o.refuse(v1alpha1.ReasonNameNotOwned, "spec.type",
			"only objects of the AuthServer's own namespace may be of type Password: move it there, or name an AuthServer of namespace %s", o.key.Namespace)
	}
}

func passwordReferences(o *providerPlan) []Ref {
	if o.object.Spec.Password.UsersSecretRef == nil {
		return nil
	}
	return []Ref{secretRef(o.object.Spec.Password.UsersSecretRef, o.key.Namespace)}
}

func renderPassword(o *providerPlan, f *findings, r *resolver, out *config.Provider) {
	out.Password = &config.Password{MinLength: minLength(o.object.Spec.Password), Users: []config.User{}}
	from := o.object.Spec.Password.UsersSecretRef
	if from == nil {
		return
	}
	ref := secretRef(from, o.key.Namespace)
	data, ok := r.value(f, usersField, ref, from.Key)
	if !ok {
		return
	}
	if len(data) > config.MaxObject {
		f.refuse(v1alpha1.ReasonTooLarge, usersField, "key %q of %s has %d bytes, at most %d are allowed: keep fewer users in the Secret",
			from.Key, ref, len(data), config.MaxObject)
		return
	}
	users, mistakes := parseUsers(data)
	if len(mistakes) > 0 {
		f.refuseRef(v1alpha1.ReasonRefInvalid, usersField, "key %q of %s: %s", from.Key, ref, strings.Join(firstOf(mistakes), "; "))
	}
	out.Password.Users = users
}

// defaultMinLength of new passwords, in characters.
const defaultMinLength = 12

func minLength(p *v1alpha1.PasswordProvider) int {
	if p.MinLength == nil {
		return defaultMinLength
	}
	return int(*p.MinLength)
}
