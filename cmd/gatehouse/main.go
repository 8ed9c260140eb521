// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	_ "github.com/gatehouse-auth/gatehouse/cmd/internal/roots" // CA roots and time zones for images without them
	"github.com/gatehouse-auth/gatehouse/cmd/internal/version"
)

// Exit codes.
const (
	exitFine   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	plugin, args := calledAs(os.Args[0], os.Args[1:])
	os.Exit(runAs(ctx, plugin, args, os.Stdin, os.Stdout, os.Stderr))
}

// commands are the command line's commands.
var commands = []func(stdin io.Reader) *cobra.Command{
	newServeCommand, newLintCommand, newRenderCommand, newVerifyCommand, newImportCommand, newUsersCommand, newHashPasswordCommand,
	newStatusCommand, newCompletionCommand,
}

// run is main with its surroundings handed in; it returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return runAs(ctx, false, args, stdin, stdout, stderr)
}

// newRoot is the command line; with plugin it is kubectl's.
func newRoot(plugin bool, stdin io.Reader) *cobra.Command {
	root := &cobra.Command{
		Use:           "gatehouse",
		Short:         "Serve, check and import Gatehouse's objects without a cluster, see how those of a cluster are, and keep users",
		Version:       version.String(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return errors.New("a command is missing")
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true // ours says more
	for _, newCommand := range commands {
		root.AddCommand(newCommand(stdin))
	}
	completable(root)
	if plugin {
		asPlugin(root)
	}
	return root
}

func runAs(ctx context.Context, plugin bool, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot(plugin, stdin)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)

	cmd, err := root.ExecuteContextC(ctx)
	var failed *exitError
	switch {
	case err == nil:
		return exitFine
	case errors.As(err, &failed):
		if failed.err != nil {
			_, _ = fmt.Fprintf(stderr, "gatehouse: %v\n", failed.err)
		}
		return failed.code
	default:
		_, _ = fmt.Fprintf(stderr, "gatehouse: %v\nRun '%s --help' for usage.\n", err, cmd.CommandPath())
		return exitUsage
	}
}

// exitError ends the command with a code, and a message unless err is nil.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// failed ends with exit code 1.
func failed(err error) error { return &exitError{exitFailed, err} }

// unusable ends with exit code 2, without the hint at --help: the command line is right, what it names is not.
func unusable(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}
