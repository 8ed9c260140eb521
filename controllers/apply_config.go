// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// secretOf returns the Secret that holds a rendered file.
func secretOf(server, file string) string {
	if count, n, ok := config.ParseTenantsFile(file); ok {
		return tenantsName(server, count, n)
	}
	return configName(server)
}

// applyFiles writes rendered files, each into its Secret. All of them are tried.
func (a *applier) applyFiles(ctx context.Context, files map[string][]byte) []error {
	var errs []error
	for name, content := range files {
		secret := &corev1.Secret{
			ObjectMeta: named(secretOf(a.server.Name, name)),
			Type:       corev1.SecretTypeOpaque,
			Data:       map[string][]byte{name: content},
		}
		err := a.apply(ctx, secret)
		if apierrors.IsInvalid(err) {
			err = a.replaceFrozen(ctx, secret, err)
		}
		errs = append(errs, err)
	}
	return errs
}

// replaceFrozen makes a rendered Secret anew that somebody made immutable; what refused it otherwise stays the answer. All of
// its content is rendered, so nothing is lost, as it would be with the signing keys or the operations token.
func (a *applier) replaceFrozen(ctx context.Context, wanted *corev1.Secret, refusal error) error {
	var have corev1.Secret
	if err := a.r.live.Get(ctx, client.ObjectKeyFromObject(wanted), &have); err != nil {
		return errors.Join(refusal, err)
	}
	if have.Immutable == nil || !*have.Immutable || !a.owns(&have) {
		return refusal
	}
	a.r.log.Info("replacing a rendered Secret that was made immutable", "namespace", have.Namespace, "name", have.Name)
	condition := client.Preconditions{UID: ptr.To(have.UID), ResourceVersion: ptr.To(have.ResourceVersion)}
	if err := a.r.client.Delete(ctx, &have, condition); err != nil {
		return fmt.Errorf("removing the immutable Secret %s: %w", have.Name, err)
	}
	u, hash, err := a.prepare(wanted)
	if err != nil {
		return err
	}
	return a.write(ctx, objectID{kindSecret, wanted.Name}, hash, nil, u)
}

// applyWorkload makes everything but Secrets. The Deployment comes last, and only when all that its pods need is there.
func (a *applier) applyWorkload(ctx context.Context, s static) []error {
	d, err := deployment(s)
	if err != nil {
		return []error{err}
	}
	account := a.apply(ctx, serviceAccount(s.server))
	errs := []error{
		account,
		a.apply(ctx, publicService(s.server)),
		a.apply(ctx, opsService(s.server)),
	}
	if pdb := podDisruptionBudget(s.server); pdb != nil {
		errs = append(errs, a.apply(ctx, pdb))
	} else {
		errs = append(errs, a.remove(ctx, objectID{kindPDB, workloadName(s.server.Name)}))
	}
	policy := networkPolicy(s.server, a.r.options.OperatorNamespace)
	if policy != nil {
		policyErr := a.apply(ctx, policy)
		if errs = append(errs, policyErr); policyErr != nil {
			return errs // pods do not start before the policy that bounds who reaches them
		}
	} else {
		errs = append(errs, a.remove(ctx, objectID{kindNetworkPolicy, workloadName(s.server.Name)}))
	}
	if account != nil {
		return errs
	}
	return append(errs, a.apply(ctx, d))
}
