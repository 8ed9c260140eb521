// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/gatehouse-auth/gatehouse/authserver/directory"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

func newUsersAdd(f *usersFlags) *cobra.Command {
	var n directory.NewUser
	var fromStdin bool
	cmd := &cobra.Command{
		Use:   "add EMAIL",
		Short: "Add a user who logs in with e-mail address and password",
		Long: `Add a user who logs in with e-mail address and password. The server needs a store that lasts: PostgreSQL, or a volume.

` + aboutPasswords,
		Example: `  gatehouse users add bob@example.com --name "Bob B." --group dev --group ops --ops http://127.0.0.1:9090 --token-file ops-token
  pass show bob | head -n 1 | gatehouse users add bob@example.com --organization default --data-dir /var/lib/gatehouse --password-stdin`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return errors.New("add takes one e-mail address: a password is asked for, or read with --password-stdin")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.ops == "" && f.organization == "" {
				return errors.New("--organization is required where no server is asked: a database does not know that of the Password provider")
			}
			n.Email, n.Organization, n.Password = args[0], f.organization, *passwordOf(cmd)
			return f.with(cmd.Context(), func(ctx context.Context, p people) error {
				e, err := p.Add(ctx, n)
				if err != nil {
					return err
				}
				return f.print(cmd.OutOrStdout(), e, "Added "+called(&e)+".")
			})
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&n.Username, "username", "", "what applications call the user; the e-mail address by default")
	fs.StringVar(&n.Name, "name", "", "the user's full name")
	fs.StringArrayVar(&n.Groups, "group", nil, "a group of the user; may be repeated")
	fs.BoolVar(&fromStdin, "password-stdin", false, "read the password from one line of standard input")
	asking(f, cmd, &fromStdin)
	return cmd
}

// newPassword reads a password that is to be set.
func newPassword(stdin io.Reader, prompt io.Writer, fromStdin bool) (logs.Secret, error) {
	read := func() ([]byte, error) { return readPassword(stdin, prompt) }
	if fromStdin {
		read = func() ([]byte, error) { return readLine(stdin) }
	} else if file, ok := stdin.(*os.File); !ok || !term.IsTerminal(int(file.Fd())) {
		return "", errors.New("standard input is no terminal to ask for the password: pipe it in and add --password-stdin")
	}
	secret, err := read()
	if err != nil {
		return "", failed(fmt.Errorf("reading the password: %w", err))
	}
	return logs.Secret(secret), nil
}

func newUsersSet(f *usersFlags) *cobra.Command {
	var email, username, name string
	var groups []string
	var noGroups bool
	cmd := userCommand(f, "set", "Change a user's names or groups",
		`Change what a user is called, or which groups they are in. Groups come from a provider at the first login only, and are changed here
from then on; the other attributes of users of a provider with userSync Always are overwritten at the next login.`,
		func(ctx context.Context, cmd *cobra.Command, p people, ref directory.Ref) (any, string, error) {
			var c directory.Change
			for flag, row := range map[string]struct {
				value *string
				into  **string
			}{"email": {&email, &c.Email}, "username": {&username, &c.Username}, "name": {&name, &c.Name}} {
				if cmd.Flags().Changed(flag) {
					*row.into = row.value
				}
			}
			if noGroups || len(groups) > 0 {
				c.Groups = &groups
			}
			e, err := p.Edit(ctx, ref, c)
			return e, "Changed " + called(&e) + ".", err
		})
	fs := cmd.Flags()
	fs.StringVar(&email, "email", "", "the e-mail address")
	fs.StringVar(&username, "username", "", "what applications call the user")
	fs.StringVar(&name, "name", "", "the full name")
	fs.StringArrayVar(&groups, "group", nil, "a group; may be repeated. Those given replace the groups before")
	fs.BoolVar(&noGroups, "no-groups", false, "take the user out of all groups")
	cmd.MarkFlagsOneRequired("email", "username", "name", "group", "no-groups")
	cmd.MarkFlagsMutuallyExclusive("group", "no-groups")
	return cmd
}

func newUsersList(f *usersFlags) *cobra.Command {
	var q directory.Query
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List users",
		Long:  "List users by their IDs, one page at a time.",
		Example: `  gatehouse users list --ops http://127.0.0.1:9090 --token-file ops-token --search bob
  gatehouse users list --dsn-file dsn --organization acme -o json | jq -r '.users[].email'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			if q.Limit < 1 || q.Limit > store.MaxListed {
				return fmt.Errorf("--limit has to be 1 to %d", store.MaxListed)
			}
			q.Organization = f.organization
			return f.with(cmd.Context(), func(ctx context.Context, p people) error {
				page, err := p.List(ctx, q)
				if err != nil {
					return err
				}
				return f.print(cmd.OutOrStdout(), page, pageText(&page))
			})
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&q.Search, "search", "", "only users whose username or e-mail address begins so")
	fs.IntVar(&q.Limit, "limit", directory.DefaultLimit, fmt.Sprintf("how many users at most, up to %d", store.MaxListed))
	fs.StringVar(&q.After, "after", "", "continue after the user with this ID, the last of the page before")
	return cmd
}
