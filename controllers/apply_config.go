// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	corev1 "k8s.io/api/core/v1"

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
		err := a.apply(ctx, &corev1.Secret{
			ObjectMeta: named(secretOf(a.server.Name, name)),
			Type:       corev1.SecretTypeOpaque,
			Data:       map[string][]byte{name: content},
		})
		errs = append(errs, err)
	}
	return errs
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
