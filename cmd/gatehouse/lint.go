// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/gatehouse-auth/gatehouse/manifests"
)

type lintFlags struct {
	paths       []string
	requireRefs bool
	output      string
}

func newLintCommand(stdin io.Reader) *cobra.Command {
	var f lintFlags
	cmd := &cobra.Command{
		Use:   "lint -f PATH…",
		Short: "Check manifests as the API server and the operator would",
		Long: `Check manifests without a cluster, with the code of the API server (schema, defaults, CEL rules, unknown fields) and of
the operator (names, conflicts, keys, certificates, lists of users), for every AuthServer that they hold or name.

Findings go to standard output, one a line:

  file:line: kind/name: message
  file:line: warning: kind/name: message

A Secret or ConfigMap that no document has is a warning, as repositories hold sealed ones; with --require-refs it is an
error. Other kinds are passed over. No value of a Secret is ever printed.

Exit codes: 0 no errors, 1 errors, 2 wrong usage or nothing to check.`,
		Example: `  gatehouse lint -f deploy/
  gatehouse lint -f deploy/ -f secrets/ --require-refs
  kustomize build overlays/prod | gatehouse lint -f -
  gatehouse lint -f deploy/ -o json | jq '.findings[]'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			paths, err := checkPaths(f.paths, args)
			if err != nil {
				return err
			}
			if f.output != "text" && f.output != "json" {
				return fmt.Errorf("-o is %q: want text or json", f.output)
			}
			f.paths = paths
			return lint(&f, stdin, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	addPaths(cmd, &f.paths)
	cmd.Flags().BoolVar(&f.requireRefs, "require-refs", false, "a Secret or ConfigMap that no document has is an error")
	cmd.Flags().StringVarP(&f.output, "output", "o", "text", "text or json")
	return cmd
}

// lintResult is what -o json prints.
type lintResult struct {
	// Objects is how many AuthServers, IdentityProviders and TenantJWTPolicies there are, those with a mistake included.
	Objects  int                 `json:"objects"`
	Errors   int                 `json:"errors"`
	Warnings int                 `json:"warnings"`
	Findings []manifests.Finding `json:"findings"`
}

func lint(f *lintFlags, stdin io.Reader, stdout, stderr io.Writer) error {
	loader, err := manifests.NewLoader()
	if err != nil {
		return failed(err)
	}
	set, err := loader.Load(f.paths, stdin)
	if err != nil {
		return unusable("%w", err)
	}
	result, err := check(loader, set, f.requireRefs)
	if err != nil {
		return failed(err)
	}
	if result.Objects == 0 && len(result.Findings) == 0 {
		return unusable("nothing to check: the manifests hold no AuthServer, IdentityProvider or TenantJWTPolicy (apiVersion auth.gatehouse.dev/v1alpha1)")
	}
	if err := printLint(f.output, result, stdout, stderr); err != nil {
		return failed(fmt.Errorf("writing the findings: %w", err))
	}
	if result.Errors > 0 {
		return failed(nil)
	}
	return nil
}

// check renders every server and gathers what there is to tell.
func check(loader *manifests.Loader, set *manifests.Set, requireRefs bool) (*lintResult, error) {
	result := &lintResult{Objects: set.Given(), Findings: append([]manifests.Finding{}, set.Findings...)}
	for _, server := range set.Servers() {
		out, err := set.Render(loader, server, manifests.RenderOptions{})
		if err != nil {
			return nil, fmt.Errorf("checking AuthServer %s: %w", server, err)
		}
		result.Findings = append(result.Findings, set.Tell(out, requireRefs)...)
	}
	slices.SortFunc(result.Findings, manifests.Finding.Compare)
	for _, finding := range result.Findings {
		if finding.Severity == manifests.SeverityError {
			result.Errors++
		} else {
			result.Warnings++
		}
	}
	return result, nil
}

func printLint(format string, result *lintResult, stdout, stderr io.Writer) error {
	if format == "json" {
		e := json.NewEncoder(stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(result)
	}
	for _, finding := range result.Findings {
		if _, err := fmt.Fprintln(stdout, finding); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(stderr, "%s, %s, %s\n", counted(result.Objects, "object"), counted(result.Errors, "error"), counted(result.Warnings, "warning"))
	return err
}
