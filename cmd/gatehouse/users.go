// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatehouse-auth/gatehouse/authserver/directory"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
)

// usersPatience bounds one users command, once everything is typed.
const usersPatience = 30 * time.Second

// usersFlags are the flags that all users commands have.
type usersFlags struct {
	ops, tokenFile, dsnFile, dataDir string
	organization, output             string
	stdin                            io.Reader
}

func newUsersCommand(stdin io.Reader) *cobra.Command {
	f := usersFlags{stdin: stdin}
	cmd := &cobra.Command{
		Use:   "users",
		Short: "Add, list, change and remove users of the directory",
		Long: `The directory holds the users whom administrators add, who log in with e-mail address and password, and everybody who has
logged in through an OIDC or OAuth2 provider. Users of a Secret are listed with them and changed in the Secret.

Say where the directory is, by one of

  --ops URL --token-file FILE   a running auth server: its operations address (port 9090) and its operations token
  --dsn-file FILE               its PostgreSQL database: a file with the connection string
  --data-dir DIR                its SQLite database: the folder of gatehouse serve, or the mounted volume

A running server knows more than its database: which organization users are added to, how long a password has to be
(without it: 12 characters), and which names the Secret's users have. It also writes the audit log. Prefer it.

USER is an ID, an e-mail address or a username; --organization tells users of one name apart.

Exit codes: 0 done, 1 it could not be done, 2 wrong usage.`,
		Args: knownCommand,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("a command is missing: add, list, show, set, passwd, disable, enable, unlock or delete")
		},
	}
	fs := cmd.PersistentFlags()
	fs.StringVar(&f.ops, "ops", "", "operations address of a running auth server, such as http://127.0.0.1:9090")
	fs.StringVar(&f.tokenFile, "token-file", "", "file with the operations token of that server")
	fs.StringVar(&f.dsnFile, "dsn-file", "", "file with the connection string of the server's PostgreSQL database")
	fs.StringVar(&f.dataDir, "data-dir", "", "folder of the server's SQLite database")
	fs.StringVar(&f.organization, "organization", "", "organization of the user")
	fs.StringVarP(&f.output, "output", "o", "text", "text or json")
	for _, newCommand := range []func(*usersFlags) *cobra.Command{
		newUsersAdd, newUsersList, newUsersShow, newUsersSet, newUsersPasswd, newUsersDisable, newUsersEnable, newUsersUnlock, newUsersDelete,
	} {
		cmd.AddCommand(newCommand(&f))
	}
	return cmd
}

// people is a directory, wherever it is.
type people interface {
	Add(ctx context.Context, n directory.NewUser) (directory.Entry, error)
	List(ctx context.Context, q directory.Query) (directory.Page, error)
	Show(ctx context.Context, ref directory.Ref) (directory.Details, error)
	Edit(ctx context.Context, ref directory.Ref, c directory.Change) (directory.Entry, error)
	Delete(ctx context.Context, ref directory.Ref) (directory.Entry, error)
	Unlock(ctx context.Context, ref directory.Ref) (directory.Unlocked, error)
	Close() error
}

// check refuses flags that say not, or not clearly, where the directory is.
func (f *usersFlags) check() error {
	if f.output != "text" && f.output != "json" {
		return fmt.Errorf("-o is %q: want text or json", f.output)
	}
	places := 0
	for _, place := range []string{f.ops, f.dsnFile, f.dataDir} {
		if place != "" {
			places++
		}
	}
	switch {
	case places == 0:
		return errors.New("say where the directory is: --ops with the operations address of a running auth server, --dsn-file or --data-dir")
	case places > 1:
		return errors.New("--ops, --dsn-file and --data-dir exclude each other")
	case f.ops == "" && f.tokenFile != "":
		return errors.New("--token-file goes with --ops")
	}
	return nil
}

// open returns the directory that the flags name.
func (f *usersFlags) open(ctx context.Context) (people, error) {
	switch {
	case f.ops != "":
		return newOpsPeople(f.ops, f.tokenFile)
	case f.dsnFile != "":
		return openPostgreSQL(ctx, f.dsnFile)
	default:
		return openSQLite(ctx, f.dataDir)
	}
}

// with opens the directory for one piece of work, whose errors end the command with code 1.
func (f *usersFlags) with(ctx context.Context, work func(context.Context, people) error) error {
	ctx, cancel := context.WithTimeout(ctx, usersPatience)
	defer cancel()
	p, err := f.open(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(work(ctx, p), p.Close()); err != nil {
		return failed(err)
	}
	return nil
}

// userCommand is a command about one user, with what all of them share. The work's word is printed for people, its entry for programs.
func userCommand(f *usersFlags, use, short, long string, work func(context.Context, *cobra.Command, people, directory.Ref) (answer any, word string, err error)) *cobra.Command {
	return &cobra.Command{
		Use: use + " USER", Short: short, Long: long,
		Args: oneUser,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return f.with(cmd.Context(), func(ctx context.Context, p people) error {
				answer, word, err := work(ctx, cmd, p, directory.Ref{Name: args[0], Organization: f.organization})
				if err != nil {
					return err
				}
				return f.print(cmd.OutOrStdout(), answer, word)
			})
		},
	}
}

func oneUser(cmd *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return fmt.Errorf("%s takes one user: an ID, an e-mail address or a username", cmd.Name())
	}
	return nil
}

func newUsersDisable(f *usersFlags) *cobra.Command {
	return userCommand(f, "disable", "Keep a user out",
		"Keep a user out: logins are refused, and sessions and refresh tokens end at once. An access token lives until it expires.",
		func(ctx context.Context, _ *cobra.Command, p people, ref directory.Ref) (any, string, error) {
			yes := true
			e, err := p.Edit(ctx, ref, directory.Change{Disabled: &yes})
			return e, "Disabled " + called(&e) + ": sessions and refresh tokens have ended.", err
		})
}

func newUsersEnable(f *usersFlags) *cobra.Command {
	return userCommand(f, "enable", "Let a disabled user in again", "Let a disabled user in again.",
		func(ctx context.Context, _ *cobra.Command, p people, ref directory.Ref) (any, string, error) {
			no := false
			e, err := p.Edit(ctx, ref, directory.Change{Disabled: &no})
			return e, "Enabled " + called(&e) + ".", err
		})
}

func newUsersUnlock(f *usersFlags) *cobra.Command {
	return userCommand(f, "unlock", "End the lockout after failed logins", "Forget the failed logins of a user's e-mail address, from wherever they came. It works for users of a Secret too.",
		func(ctx context.Context, _ *cobra.Command, p people, ref directory.Ref) (any, string, error) {
			u, err := p.Unlock(ctx, ref)
			word := "Unlocked " + called(&u.Entry) + "."
			if u.Counters == 0 {
				word = "There were no failed logins of " + called(&u.Entry) + " to forget."
			}
			return u, word, err
		})
}

func newUsersDelete(f *usersFlags) *cobra.Command {
	return userCommand(f, "delete", "Remove a user",
		"Remove a user with all sessions, refresh tokens and identities. Whoever logs in at a provider comes back with the next login, as a new user: to keep\nsomebody out, use disable.",
		func(ctx context.Context, _ *cobra.Command, p people, ref directory.Ref) (any, string, error) {
			e, err := p.Delete(ctx, ref)
			return e, "Deleted " + called(&e) + ".", err
		})
}

func newUsersShow(f *usersFlags) *cobra.Command {
	return userCommand(f, "show", "Show all that is known of a user", "Show a user's attributes, accounts at providers and sessions.",
		func(ctx context.Context, _ *cobra.Command, p people, ref directory.Ref) (any, string, error) {
			d, err := p.Show(ctx, ref)
			if err != nil {
				return nil, "", err
			}
			return d, detailsText(&d), nil
		})
}

func newUsersPasswd(f *usersFlags) *cobra.Command {
	var fromStdin bool
	cmd := userCommand(f, "passwd", "Set a user's password",
		"Set the password of a user whom an administrator added. Sessions and refresh tokens end at once.\n\n"+aboutPasswords,
		func(ctx context.Context, cmd *cobra.Command, p people, ref directory.Ref) (any, string, error) {
			e, err := p.Edit(ctx, ref, directory.Change{Password: passwordOf(cmd)})
			return e, "Set the password of " + called(&e) + ": sessions and refresh tokens have ended.", err
		})
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from one line of standard input")
	asking(f, cmd, &fromStdin)
	return cmd
}

const aboutPasswords = `On a terminal the password is asked for twice and not shown; with --password-stdin it is one line of standard input. It is
never taken from the command line, where other users of the machine could read it.`

// passwordKey finds the password that asking has read.
type passwordKey struct{}

// asking makes a command read a password before it does anything else, and before its time begins to run.
func asking(f *usersFlags, cmd *cobra.Command, fromStdin *bool) {
	do := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := f.check(); err != nil {
			return err
		}
		secret, err := newPassword(f.stdin, cmd.ErrOrStderr(), *fromStdin)
		if err != nil {
			return err
		}
		cmd.SetContext(context.WithValue(cmd.Context(), passwordKey{}, &secret))
		return do(cmd, args)
	}
}

func passwordOf(cmd *cobra.Command) *logs.Secret {
	secret, _ := cmd.Context().Value(passwordKey{}).(*logs.Secret) // asking has put it there
	return secret
}
