// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/gatehouse-auth/gatehouse/authserver/password"
)

func newHashPasswordCommand(stdin io.Reader) *cobra.Command {
	return &cobra.Command{
		Use:   "hash-password",
		Short: "Print a password's hash for a list of users",
		Long: `Read a password and print its argon2id hash (a PHC string) alone on standard output, for the field hash of a users
Secret.

On a terminal the password is asked for twice and not shown; else one line of standard input is read, without its line
break. It is never taken from the command line, where other users of the machine could read it.

Exit codes: 0 printed, 1 the password cannot be hashed, 2 wrong usage.`,
		Example: `  gatehouse hash-password
  pass show bob | head -n 1 | gatehouse hash-password
  echo "- {email: bob@example.com, hash: '$(gatehouse hash-password)'}" >> users.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return errors.New("hash-password takes no arguments: type the password when asked, or send it on standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			secret, err := readPassword(stdin, cmd.ErrOrStderr())
			if err != nil {
				return failed(fmt.Errorf("reading the password: %w", err))
			}
			hash, err := password.Hash(secret, rand.Reader)
			if err != nil {
				return failed(err)
			}
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), hash); err != nil {
				return failed(fmt.Errorf("writing the hash: %w", err))
			}
			return nil
		},
	}
}

// readPassword asks on a terminal, else reads one line.
func readPassword(stdin io.Reader, prompt io.Writer) ([]byte, error) {
	if f, ok := stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return askPassword(func(text string) ([]byte, error) {
			_, _ = fmt.Fprint(prompt, text)
			secret, err := term.ReadPassword(int(f.Fd()))
			_, _ = fmt.Fprintln(prompt)
			return secret, err
		})
	}
	return readLine(stdin)
}

// askPassword asks twice, as nobody sees what they type.
func askPassword(ask func(prompt string) ([]byte, error)) ([]byte, error) {
	first, err := ask("Password: ")
	if err != nil {
		return nil, err
	}
	if len(first) == 0 {
		return nil, password.ErrLength
	}
	second, err := ask("Again: ")
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(first, second) {
		return nil, errors.New("the two differ: nothing was hashed")
	}
	return first, nil
}

// readLine reads one line without its line break. More than that is refused: a hash of only a part would let nobody in.
func readLine(stdin io.Reader) ([]byte, error) {
	if stdin == nil {
		return nil, errors.New("there is no standard input")
	}
	text, err := io.ReadAll(io.LimitReader(bufio.NewReader(stdin), password.MaxLength+3)) // a line break may have two bytes
	if err != nil {
		return nil, err
	}
	line, found := bytes.CutSuffix(text, []byte("\n"))
	if found {
		line = bytes.TrimSuffix(line, []byte("\r"))
	}
	switch {
	case len(line) > password.MaxLength:
		return nil, password.ErrLength
	case bytes.ContainsAny(line, "\n"):
		return nil, errors.New("standard input has more than one line")
	}
	return line, nil
}
