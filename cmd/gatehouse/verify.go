// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// verifyPatience bounds one verify as a whole. The server waits up to 5 s for a key set.
const verifyPatience = 20 * time.Second

type verifyFlags struct {
	ops, tokenFile, server, output  string
	paths                           []string
	tenant, issuer, clientID, nonce string
	assertion                       bool
	scope                           string
	verbose                         bool
}

// question is what is asked about: a token, and what the request that carries it would say beside it. A field that is nil is a
// header not sent. It is the body of POST /explain.
type question struct {
	Token    string  `json:"token"`
	Tenant   *string `json:"tenant,omitempty"`
	Issuer   *string `json:"issuer,omitempty"`
	ClientID *string `json:"client_id,omitempty"`
	Nonce    *string `json:"nonce,omitempty"`
	// Assertion asks what the token endpoint would make of the token as an assertion (RFC 7523), with the parameter Scope.
	Assertion bool    `json:"assertion,omitempty"`
	Scope     *string `json:"scope,omitempty"`
}

func newVerifyCommand(stdin io.Reader) *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify (--ops URL --token-file FILE | -f PATH…) --tenant ID",
		Short: "Say why a token is accepted or refused",
		Long: `Read a token from standard input and show every check that a request with it meets, in order, with the first failure
and its fix. The token itself is never printed.

With --ops a running auth server is asked: its operations address (port 9090), and a file with its operations token,
which is in Secret gatehouse-<server>-ops. With -f the answer comes from manifests, offline but for the key sets that
they name by URL; documents with a mistake are left out and reported on standard error, those of the tenant first. The
server's own access tokens can be explained by --ops only.

--issuer, --client-id and --nonce stand for the headers x-jwt-issuer, x-jwt-client-id and x-jwt-nonce. Without --tenant the
default policy decides.

With --assertion the token is one that a program sends to the token endpoint in exchange for an access token of the server
(urn:ietf:params:oauth:grant-type:jwt-bearer). It is not used up by asking, and --ops tells whether it was before. Without
--tenant its issuer finds the policy. --scope is what would be asked for.

Exit codes: 0 accepted, 1 refused, or it cannot be told, 2 wrong usage.`,
		Example: `  gatehouse verify -f deploy/ --tenant acme < token.txt
  kubectl port-forward deploy/gatehouse-default 9090 &
  kubectl get secret gatehouse-default-ops -o jsonpath='{.data.token}' | base64 -d > ops-token
  pbpaste | gatehouse verify --ops http://127.0.0.1:9090 --token-file ops-token --tenant acme
  gatehouse verify -f deploy/ --tenant acme -o json < token.txt | jq -r .reason
  gatehouse verify -f deploy/ --assertion --scope "read write" < assertion.txt`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ask, err := f.explainer(args)
			if err != nil {
				return err
			}
			q, err := f.question(cmd, stdin)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), verifyPatience)
			defer cancel()
			return verify(ctx, ask, q, &f, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&f.ops, "ops", "", "operations address of a running auth server, such as http://127.0.0.1:9090")
	fs.StringVar(&f.tokenFile, "token-file", "", "file with the operations token of that server")
	fs.StringArrayVarP(&f.paths, "filename", "f", nil, "file or folder of manifests; may be repeated")
	addServer(cmd, &f.server)
	fs.StringVar(&f.tenant, "tenant", "", "tenant ID of the request (required, unless a policy is the default)")
	fs.StringVar(&f.issuer, "issuer", "", "value of x-jwt-issuer; not sent by default")
	fs.StringVar(&f.clientID, "client-id", "", "value of x-jwt-client-id; not sent by default")
	fs.StringVar(&f.nonce, "nonce", "", "value of x-jwt-nonce; not sent by default")
	fs.BoolVar(&f.assertion, "assertion", false, "the token is an assertion, to be exchanged for an access token at the token endpoint")
	fs.StringVar(&f.scope, "scope", "", "with --assertion: scopes to ask for, with spaces; all that may be had by default")
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "also show the checks that neither policy nor request asks for, and those not reached (json has all)")
	fs.StringVarP(&f.output, "output", "o", "text", "text or json")
	return cmd
}

// explainer is somebody who knows the policies. What it has to tell beside the report goes to stderr.
type explainer func(ctx context.Context, q *question, stderr io.Writer) (*policy.Report, error)

// explainer checks the flags that say whom to ask.
func (f *verifyFlags) explainer(args []string) (explainer, error) {
	if f.output != "text" && f.output != "json" {
		return nil, fmt.Errorf("-o is %q: want text or json", f.output)
	}
	switch {
	case f.ops == "" && len(f.paths) == 0:
		return nil, errors.New("say whom to ask: --ops with the operations address of a running auth server, or -f with manifests")
	case f.ops != "" && len(f.paths) > 0:
		return nil, errors.New("--ops and -f exclude each other: ask a running server or the manifests")
	case f.ops == "":
		if f.tokenFile != "" {
			return nil, errors.New("--token-file goes with --ops: the token to explain comes on standard input")
		}
		return f.offline(args)
	case len(args) > 0:
		return nil, errors.New("verify takes no arguments beside its flags: the token comes on standard input")
	case f.server != defaultServer:
		return nil, errors.New("--auth-server goes with -f: a running auth server is one already")
	}
	return newOpsExplainer(f.ops, f.tokenFile)
}

// question puts together what is asked about.
func (f *verifyFlags) question(cmd *cobra.Command, stdin io.Reader) (*question, error) {
	given := func(name string, value *string) *string {
		if !cmd.Flags().Changed(name) {
			return nil
		}
		return value
	}
	if cmd.Flags().Changed("tenant") && f.tenant == "" {
		return nil, errors.New("--tenant is empty: name the tenant, or leave the flag out to ask the default policy")
	}
	if cmd.Flags().Changed("scope") && !f.assertion {
		return nil, errors.New("--scope goes with --assertion: a token that is sent to an application asks for none")
	}
	raw, err := readToken(stdin, cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	return &question{
		Token:  raw,
		Tenant: given("tenant", &f.tenant), Issuer: given("issuer", &f.issuer),
		ClientID: given("client-id", &f.clientID), Nonce: given("nonce", &f.nonce),
		Assertion: f.assertion, Scope: given("scope", &f.scope),
	}, nil
}

func verify(ctx context.Context, ask explainer, q *question, f *verifyFlags, stdout, stderr io.Writer) error {
	report, err := ask(ctx, q, stderr)
	if err != nil {
		return err
	}
	if err := checkReport(report, q.Token); err != nil {
		return failed(err)
	}
	if err := printReport(f.output, report, f.verbose, stdout); err != nil {
		return failed(fmt.Errorf("writing the report: %w", err))
	}
	if report.Status != statusAccepted {
		return failed(nil)
	}
	return nil
}
