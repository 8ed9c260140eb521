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
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
	"github.com/gatehouse-auth/gatehouse/manifests"
)

type renderFlags struct {
	paths       []string
	out, server string
	now         func() time.Time
}

func newRenderCommand(stdin io.Reader) *cobra.Command {
	f := renderFlags{now: time.Now}
	cmd := &cobra.Command{
		Use:   "render -f PATH… -o DIR",
		Short: "Write the files that an auth server serves",
		Long: `Render one AuthServer's objects into the files that ` + "`authserver --config-dir DIR`" + ` serves, as the operator would: base.json,
tenants-<count>-<n>.json.gz and, unless store.type is None, keys.json.

DIR is made if need be. Files are written one by one, each at once, with mode 0600: they hold password hashes and keys.
keys.json is kept if it is there, and its keys are rotated when they are due; run render again at least as often as
tokens.keyRotationInterval. Files of an older number of shards are removed.

An object with a mistake, or whose Secret no document has, is left out and reported on standard error; the others are
written.

Exit codes: 0 everything was written, 1 an object was left out or a file could not be written, 2 wrong usage or nothing
to serve (then DIR is not touched).`,
		Example: `  gatehouse render -f deploy/ -o /etc/gatehouse
  gatehouse render -f deploy/ -o /etc/gatehouse --auth-server team-a/edge
  authserver --config-dir /etc/gatehouse`,
		RunE: func(cmd *cobra.Command, args []string) error {
			paths, err := checkPaths(f.paths, args)
			if err != nil {
				return err
			}
			if f.out == "" {
				return errors.New("-o is required: name the folder to write to")
			}
			name, err := parseServer(f.server)
			if err != nil {
				return err
			}
			f.paths = paths
			return renderFiles(&f, name, stdin, cmd.ErrOrStderr())
		},
	}
	addPaths(cmd, &f.paths)
	addServer(cmd, &f.server)
	cmd.Flags().StringVarP(&f.out, "output", "o", "", "folder to write to (required)")
	return cmd
}

func renderFiles(f *renderFlags, name types.NamespacedName, stdin io.Reader, stderr io.Writer) error {
	r, err := renderPaths(f.paths, stdin, name, func() (manifests.RenderOptions, error) { return inForce(f.out) }, func(r *rendered) {
		for _, finding := range r.findings {
			_, _ = fmt.Fprintln(stderr, finding) // a terminal that is gone is no reason not to go on
		}
	})
	if err != nil {
		return err
	}
	if err := addKeys(f.out, r.server, r.out.Files, f.now()); err != nil {
		return failed(err)
	}
	if err := writeFiles(f.out, r.out); err != nil {
		return failed(err)
	}
	if slices.ContainsFunc(r.findings, func(x manifests.Finding) bool { return x.Severity == manifests.SeverityError }) {
		return failed(nil)
	}
	return nil
}

// rendered is what one render of manifests came to.
type rendered struct {
	set      *manifests.Set
	out      *render.Output
	server   *v1alpha1.AuthServer
	findings []manifests.Finding
}

// renderPaths reads manifests and renders one AuthServer. tell is called with what is left out, also where nothing is left to serve, which is an error.
func renderPaths(paths []string, stdin io.Reader, name types.NamespacedName, options func() (manifests.RenderOptions, error), tell func(*rendered)) (*rendered, error) {
	loader, err := manifests.NewLoader()
	if err != nil {
		return nil, failed(err)
	}
	set, err := loader.Load(paths, stdin)
	if err != nil {
		return nil, unusable("%w", err)
	}
	opts, err := options()
	if err != nil {
		return nil, failed(err)
	}
	out, err := set.Render(loader, name, opts)
	if err != nil {
		return nil, failed(err)
	}
	r := &rendered{set: set, out: out, findings: slices.Concat(set.Findings, set.Tell(out, true))}
	slices.SortFunc(r.findings, manifests.Finding.Compare)
	tell(r)
	if out.Files == nil || set.Served(out) == 0 {
		return nil, nothingFor(set, name)
	}
	if r.server, err = set.Server(loader, name); err != nil {
		return nil, failed(err)
	}
	return r, nil
}

// inForce reads of an earlier render what the next one depends on: the number of shards, and the settings that stay while
// the AuthServer is not usable.
func inForce(dir string) (manifests.RenderOptions, error) {
	var opts manifests.RenderOptions
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return opts, fmt.Errorf("reading the output folder: %w", err)
	}
	for _, e := range entries {
		if count, _, ok := config.ParseTenantsFile(e.Name()); ok {
			opts.ShardCount = max(opts.ShardCount, count)
		}
	}
	opts.LastBase, err = os.ReadFile(filepath.Join(dir, config.FileBase))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return opts, fmt.Errorf("reading the output folder: %w", err)
	}
	return opts, nil
}

// writeFiles writes keys first and base.json last, so that a server that watches the folder never signs with a key that it does not
// have, and removes the tenants files of another count.
func writeFiles(dir string, out *render.Output) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the output folder: %w", err)
	}
	names := slices.SortedFunc(maps.Keys(out.Files), func(a, b string) int { return writeOrder(a) - writeOrder(b) })
	for _, name := range names {
		if err := writeFile(filepath.Join(dir, name), out.Files[name]); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading the output folder: %w", err)
	}
	for _, e := range entries {
		if count, _, ok := config.ParseTenantsFile(e.Name()); ok && count != out.ShardCount {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return fmt.Errorf("removing an old shard: %w", err)
			}
		}
	}
	return nil
}

func writeOrder(name string) int {
	switch name {
	case config.FileKeys:
		return 0
	case config.FileBase:
		return 2
	default:
		return 1
	}
}

// writeFile replaces a file at once: a reader sees the old or the new bytes, also after a crash.
func writeFile(path string, data []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name())
			err = fmt.Errorf("writing %s: %w", path, err)
		}
	}()
	if _, err = tmp.Write(data); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
