// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gatehouse-auth/gatehouse/cmd/gatehouse/internal/importing"
)

type importFlags struct {
	namespace, name, secretsOut string
	options                     map[string]*[]string
}

// newImportCommand has a command for each of importing.Importers.
func newImportCommand(stdin io.Reader) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import KIND FILE",
		Short: "Turn the settings of another system into manifests",
		Long: `Turn the settings of another system into manifests, on standard output. Comments say what became of each value that could
not be carried over or was read differently, and what to do next. The manifests pass ` + "`gatehouse lint`" + `.

No secret is ever printed. --secrets-out writes them as Secrets to a new file that only its owner can read; without it the
comments have the commands that make them.

FILE may be - for standard input.

Exit codes: 0 printed, 1 the file has a mistake or a file could not be written (nothing is printed then), 2 wrong usage, a
FILE that cannot be read, or a file for secrets that is there already.`,
		Example: `  gatehouse import jumper carrot.env > manifests.yaml
  gatehouse import timbr timbr.env --tenant tenant-5 --secrets-out secrets.yaml > manifests.yaml
  gatehouse lint -f manifests.yaml -f secrets.yaml --require-refs`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				if hint := meant(cmd, args[0]); hint != "" {
					return fmt.Errorf("there is no kind %q to import%s", args[0], hint)
				}
				return fmt.Errorf("there is no kind %q to import: want one of %s", args[0], kinds())
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			return fmt.Errorf("what to import is missing: want one of %s", kinds())
		},
	}
	for _, name := range slices.Sorted(maps.Keys(importing.Importers)) {
		cmd.AddCommand(newImportKindCommand(name, importing.Importers[name], stdin))
	}
	return cmd
}

// kinds are the names of importing.Importers, for messages.
func kinds() string { return strings.Join(slices.Sorted(maps.Keys(importing.Importers)), ", ") }

func newImportKindCommand(name string, kind importing.Kind, stdin io.Reader) *cobra.Command {
	f := importFlags{options: map[string]*[]string{}}
	cmd := &cobra.Command{
		Use: name + " " + kind.File, Short: kind.Usage, Long: kind.Long, Example: kind.Example,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("want one %s, or - for standard input, and no other argument", kind.File)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return importFile(name, args[0], &f, stdin, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&f.namespace, "namespace", "default", "namespace of the manifests")
	fs.StringVar(&f.name, "name", "", "name of the imported object; where there are several, what their names begin with")
	fs.StringVar(&f.secretsOut, "secrets-out", "", "new file for the Secrets, with mode 0600; one that is there is never overwritten")
	for _, o := range kind.Options {
		values := new([]string)
		f.options[o.Name] = values
		if o.Many {
			fs.StringSliceVar(values, o.Name, nil, o.Usage)
		} else {
			fs.Var(&single{values: values, placeholder: o.Value}, o.Name, o.Usage)
		}
	}
	return cmd
}

// single is a flag's value; the last one counts, and a comma is a part of it.
type single struct {
	values      *[]string
	placeholder string
}

func (s *single) Set(v string) error { *s.values = []string{v}; return nil }
func (s *single) Type() string       { return s.placeholder }
func (s *single) String() string {
	if s.values == nil || len(*s.values) == 0 {
		return ""
	}
	return (*s.values)[0]
}

func importFile(kind, file string, f *importFlags, stdin io.Reader, stdout, stderr io.Writer) error {
	text, err := readImport(file, stdin)
	if err != nil {
		return unusable("%w", err)
	}
	in := importing.Input{File: file, Data: text, Namespace: f.namespace, Name: f.name, Options: map[string][]string{}}
	if file == "-" {
		in.File = "standard input"
	} else {
		in.Beside = func(name string) ([]byte, error) { return readBeside(filepath.Dir(file), filepath.Base(name)) }
	}
	for name, values := range f.options {
		in.Options[name] = *values
	}
	result, err := importing.Import(kind, in)
	var usage *importing.UsageError
	switch {
	case errors.As(err, &usage):
		return usage
	case err != nil:
		return failed(err)
	}
	manifests, err := result.Manifests(importing.Print{SecretsOut: f.secretsOut})
	if err != nil {
		return failed(err)
	}
	told := ""
	if f.secretsOut != "" {
		if told, err = writeSecrets(f.secretsOut, result); err != nil {
			return err
		}
	}
	if _, err := stdout.Write(manifests); err != nil {
		return failed(fmt.Errorf("writing the manifests: %w", err))
	}
	_, _ = fmt.Fprintf(stderr, "%s, %s to read%s\n", counted(len(result.Objects), "object"), counted(result.Comments(), "comment"), told)
	return nil
}

// readBeside reads a plain file that the settings name, in their own folder alone: a name that leads elsewhere is not followed.
func readBeside(folder, name string) ([]byte, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // read only
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > importing.MaxFile {
		return nil, fmt.Errorf("%s is no plain file of at most %d MiB", name, importing.MaxFile>>20)
	}
	return root.ReadFile(name)
}

// readImport reads a file, or standard input, up to one byte more than an importer takes.
func readImport(file string, stdin io.Reader) ([]byte, error) {
	r := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("reading the settings: %w", err)
		}
		defer func() { _ = f.Close() }() // read only
		r = f
	}
	if r == nil {
		return nil, errors.New("there is no standard input")
	}
	text, err := io.ReadAll(io.LimitReader(r, importing.MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the settings: %w", err)
	}
	return text, nil
}

// writeSecrets makes the file, which must not be there, and says so. Where it fails nothing is left behind.
func writeSecrets(path string, result *importing.Result) (string, error) {
	if !result.HasSecrets() {
		return "; no secret is in the file, so " + path + " was not written", nil
	}
	text, err := result.SecretsFile()
	if err != nil {
		return "", failed(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return "", unusable("--secrets-out: %s is there already, and is never overwritten: nothing was written", path)
	case err != nil:
		return "", failed(fmt.Errorf("making the file for secrets: %w", err))
	}
	if err := fill(f, text); err != nil {
		_ = os.Remove(path)
		return "", failed(fmt.Errorf("writing %s: %w", path, err))
	}
	return "; the Secrets are in " + path, nil
}

// fill writes, closes and makes sure that file and name outlive a crash.
func fill(f *os.File, text []byte) error {
	_, err := f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(f.Name()))
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }() // read only
	return dir.Sync()
}
