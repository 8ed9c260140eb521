// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatehouse-auth/gatehouse/cmd/gatehouse/internal/status"
)

// completionPatience bounds what a shell waits for names from a cluster: somebody holds the tab key.
const completionPatience = 2 * time.Second

// completionScripts write a shell's script, by the shell's name.
var completionScripts = map[string]func(root *cobra.Command, w io.Writer) error{
	"bash":       func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) },
	"zsh":        func(root *cobra.Command, w io.Writer) error { return root.GenZshCompletion(w) },
	"fish":       func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
	"powershell": func(root *cobra.Command, w io.Writer) error { return root.GenPowerShellCompletionWithDesc(w) },
}

// shells are the keys of completionScripts, the most common first.
var shells = []string{"bash", "zsh", "fish", "powershell"}

func newCompletionCommand(io.Reader) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print the script that lets a shell complete commands, flags and names",
		Long: `Print the script that lets a shell complete gatehouse's commands, flags, their values, and names of objects in the cluster.

bash, with the package bash-completion, in this shell and in every later one:

  source <(gatehouse completion bash)
  echo 'source <(gatehouse completion bash)' >> ~/.bashrc

zsh, after compinit in ~/.zshrc:

  source <(gatehouse completion zsh)

fish:

  gatehouse completion fish > ~/.config/fish/completions/gatehouse.fish

PowerShell, in the profile:

  gatehouse completion powershell | Out-String | Invoke-Expression

kubectl completes "kubectl gatehouse …" by itself when kubectl_complete-gatehouse, a link to this program, is on the PATH.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || completionScripts[args[0]] == nil {
				return fmt.Errorf("which shell? want one of %s", strings.Join(shells, ", "))
			}
			return nil
		},
		ValidArgs:             shells,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := completionScripts[args[0]](cmd.Root(), cmd.OutOrStdout()); err != nil {
				return failed(fmt.Errorf("writing the script: %w", err))
			}
			return nil
		},
	}
}

// manifestTypes are the files that -f reads from a folder.
var manifestTypes = []string{"yaml", "yml", "json"}

// textOrJSON are the values of most commands' -o.
var textOrJSON = []string{"text", "json"}

// flagValues are the flags with fixed values, by command.
var flagValues = map[string]map[string][]string{
	"lint":   {"output": textOrJSON},
	"verify": {"output": textOrJSON},
	"users":  {"output": textOrJSON},
	"status": {"output": statusOutputs, "color": statusColors},
}

// folderFlags are the flags that name a folder.
var folderFlags = map[string]bool{"data-dir": true, "render.output": true}

// completable teaches a command and those beneath it what a shell may complete: values, folders, manifests. Other flags of text complete nothing, but those that
// name a file, which end in -file, -out or -config.
func completable(cmd *cobra.Command) {
	for flag, values := range flagValues[cmd.Name()] {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) // fails only for flags that are not there, as a test sees
	}
	for name := range folderFlags {
		name = strings.TrimPrefix(name, cmd.Name()+".")
		if flag := cmd.LocalFlags().Lookup(name); flag != nil {
			_ = cmd.MarkFlagDirname(name)
			_ = cmd.MarkPersistentFlagDirname(name)
		}
	}
	if cmd.Flags().Lookup("filename") != nil {
		_ = cmd.MarkFlagFilename("filename", manifestTypes...)
	}
	for _, child := range cmd.Commands() {
		completable(child)
	}
}

// complete teaches the command status the names that the kubeconfig and the cluster have.
func (f *statusFlags) complete(cmd *cobra.Command) {
	offer := func(names func(ctx context.Context) []string) cobra.CompletionFunc {
		return func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			ctx, cancel := context.WithTimeout(cmd.Context(), completionPatience)
			defer cancel()
			return names(ctx), cobra.ShellCompDirectiveNoFileComp
		}
	}
	for flag, names := range map[string]func(context.Context) []string{
		"context":   func(context.Context) []string { return f.kube.Contexts() },
		"cluster":   func(context.Context) []string { return f.kube.Clusters() },
		"user":      func(context.Context) []string { return f.kube.Users() },
		"namespace": f.namespaces,
		"as":        func(context.Context) []string { return nil }, "as-group": func(context.Context) []string { return nil },
		"request-timeout": func(context.Context) []string { return nil },
	} {
		_ = cmd.RegisterFlagCompletionFunc(flag, offer(names)) // fails only for flags that are not there, as a test sees
	}
	cmd.ValidArgsFunction = f.completeNames
}

func (f *statusFlags) namespaces(ctx context.Context) []string {
	cluster, err := status.Connect(f.kube)
	if err != nil {
		return nil
	}
	return cluster.Namespaces(ctx)
}

// completeNames offers KIND/NAME once a kind is typed, else kinds and the names of AuthServers.
func (f *statusFlags) completeNames(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionPatience)
	defer cancel()
	cluster, err := status.Connect(f.kube)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	namespace := cluster.Namespace
	if f.allNamespaces {
		namespace = ""
	}
	var out []cobra.Completion
	for kind, names := range cluster.Names(ctx, namespace) {
		for _, name := range names {
			if full := kind + "/" + name; strings.HasPrefix(full, typed) && !slices.Contains(args, full) {
				out = append(out, full)
			}
		}
	}
	slices.Sort(out)
	return out, cobra.ShellCompDirectiveNoFileComp
}
