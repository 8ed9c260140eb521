// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/klog/v2"

	"github.com/gatehouse-auth/gatehouse/cmd/gatehouse/internal/status"
)

// statusPatience bounds one look at a cluster. The largest takes a few seconds.
const statusPatience = time.Minute

type statusFlags struct {
	kube               status.Kubeconfig
	allNamespaces      bool
	pods, watch        bool
	problems, all      bool
	verbose, ascii     bool
	output, color      string
	stdout, stderr     io.Writer
	filter             status.Filter
	now                func() time.Time
	environment        func(string) string
	cluster            *status.Cluster
	shown, troubleTold string // by --watch: what was written last
}

func newStatusCommand(io.Reader) *cobra.Command {
	f := statusFlags{now: time.Now, environment: os.Getenv}
	cmd := &cobra.Command{
		Use:   "status [NAME | KIND/NAME]…",
		Short: "Show how AuthServers, IdentityProviders and TenantJWTPolicies in a cluster are",
		Long: `Show a tree of AuthServers with their IdentityProviders and TenantJWTPolicies in the cluster of the current kubeconfig:
whether they are ready and since when, what is wrong and what to do about it, how many replicas serve the configuration,
the ages of signing keys, and until when credentials are valid. It only reads, and no Secret.

NAME is an object's name or a tenant ID; KIND is as, idp or tjp. A named AuthServer is shown with all that belongs to it,
another named object with all of its conditions. Long lists are cut: what is not right comes first, and --all shows the rest.

  ✓ ready   ! ready, with a warning   ◌ on its way   ✗ not ready   ○ disabled

Exit codes: 0 everything shown is ready, 1 something is not, or is not there, 2 wrong usage, or the cluster cannot be asked.`,
		Example: `  gatehouse status
  gatehouse status --all-namespaces --problems
  gatehouse status tjp/acme --namespace team-a
  gatehouse status --watch
  gatehouse status -o json | jq -r '.authServers[].tenantJWTPolicies[] | select(.state != "Ready") | .name'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.stdout, f.stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			if err := f.check(args); err != nil {
				return err
			}
			return f.run(cmd.Context())
		},
	}
	f.add(cmd)
	f.complete(cmd)
	return cmd
}

// add adds the flags. Those of the kubeconfig are kubectl's.
func (f *statusFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	o := &f.kube.Overrides
	fs.BoolVarP(&f.allNamespaces, "all-namespaces", "A", false, "look in all namespaces")
	fs.BoolVar(&f.problems, "problems", false, "show only what is not right")
	fs.BoolVar(&f.all, "all", false, "show every object of a long list")
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "show every condition and Warning event of every object")
	fs.BoolVar(&f.pods, "pods", false, "ask the pods too: what they serve, and when they fetched keys (needs get on pods/proxy)")
	fs.BoolVarP(&f.watch, "watch", "w", false, "show it again after every change, until interrupted")
	fs.StringVarP(&f.output, "output", "o", "text", "text, json or yaml")
	fs.StringVar(&f.color, "color", "auto", "auto (on a terminal, unless NO_COLOR is set), always or never")
	fs.BoolVar(&f.ascii, "ascii", false, "draw the tree in ASCII (default if the locale has another character set than UTF-8)")
	fs.StringVarP(&o.Context.Namespace, "namespace", "n", "", "namespace to look in (default: that of the context)")
	fs.StringVar(&f.kube.Path, "kubeconfig", "", "kubeconfig file (default: $KUBECONFIG, then ~/.kube/config)")
	fs.StringVar(&o.CurrentContext, "context", "", "context of the kubeconfig")
	fs.StringVar(&o.Context.Cluster, "cluster", "", "cluster of the kubeconfig")
	fs.StringVar(&o.Context.AuthInfo, "user", "", "user of the kubeconfig")
	fs.StringVar(&o.AuthInfo.Impersonate, "as", "", "user to impersonate")
	fs.StringArrayVar(&o.AuthInfo.ImpersonateGroups, "as-group", nil, "group to impersonate; may be repeated")
	fs.StringVar(&o.Timeout, "request-timeout", "", "how long one request may take, such as 5s")
}

func (f *statusFlags) check(args []string) (err error) {
	if !slices.Contains(statusOutputs, f.output) {
		return fmt.Errorf("-o is %q: want text, json or yaml", f.output)
	}
	if !slices.Contains(statusColors, f.color) {
		return fmt.Errorf("--color is %q: want auto, always or never", f.color)
	}
	if f.allNamespaces && f.kube.Overrides.Context.Namespace != "" {
		return errors.New("--all-namespaces and --namespace exclude each other")
	}
	f.filter, err = status.ParseFilter(args)
	return err
}

// Values of -o and --color.
var (
	statusOutputs = []string{"text", "json", "yaml"}
	statusColors  = []string{"auto", "always", "never"}
)

func (f *statusFlags) run(ctx context.Context) (err error) {
	klog.SetLogger(logr.Discard()) // what client-go logs of failed watches is told by this program, in its own words
	if f.cluster, err = status.Connect(f.kube); err != nil {
		return unusable("%w", err)
	}
	if f.watch {
		if err := f.cluster.Watch(ctx, f.options(), f.now, f.redraw); err != nil && ctx.Err() == nil {
			return unusable("%w", err)
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, statusPatience)
	defer cancel()
	objects, err := f.cluster.Read(ctx, f.options(), f.now())
	if err != nil {
		return unusable("%w", err)
	}
	report, missing := f.report(objects)
	text, err := f.encode(report)
	if err != nil {
		return failed(err)
	}
	if _, err := io.WriteString(f.stdout, text); err != nil {
		return failed(fmt.Errorf("writing the status: %w", err))
	}
	switch {
	case len(missing) > 0:
		return failed(f.absent(missing))
	case !report.Ready:
		return failed(nil)
	}
	return nil
}

func (f *statusFlags) options() status.Options {
	o := status.Options{Namespace: f.cluster.Namespace, Pods: f.pods}
	if f.allNamespaces {
		o.Namespace = ""
	}
	return o
}

// report is what there is to show, and the names that nothing has.
func (f *statusFlags) report(objects *status.Objects) (report *status.Report, missing []string) {
	report = status.NewReport(objects)
	report.Context, report.Namespace = f.cluster.Context, f.options().Namespace
	missing = f.filter.Apply(report)
	if f.problems {
		report.OnlyProblems()
	}
	return report, missing
}

func (f *statusFlags) absent(names []string) error {
	where := "in namespace " + f.cluster.Namespace + " (-A looks in all)"
	if f.allNamespaces {
		where = "in any namespace"
	}
	return fmt.Errorf("there is no %s %s", strings.Join(names, ", no "), where)
}

// encode is a report in the format of -o.
func (f *statusFlags) encode(r *status.Report) (string, error) {
	switch f.output {
	case "json":
		return status.JSON(r)
	case "yaml":
		return status.YAML(r)
	}
	if len(r.AuthServers) == 0 && !f.filter.Empty() {
		return "", nil // what is missing is told as an error
	}
	return status.Text(r, f.style(r), f.now()), nil
}

// style is how a report's text is written where it goes to.
func (f *statusFlags) style(r *status.Report) status.Style {
	width, _ := size(f.stdout)
	return status.Style{
		Width: width, All: f.all, ASCII: f.ascii || !unicodeLocale(f.environment),
		Verbose: f.verbose || (f.filter.Details(r) && !f.problems),
		Colour:  f.color == "always" || (f.color == "auto" && hasColour(f.stdout)),
	}
}

// unicodeLocale tells whether terminals of the locale (POSIX.1-2017 §8.2) can draw the tree: all but those of a locale that names a character set other than
// UTF-8. None, C and POSIX are what containers and scripts have, on terminals of UTF-8.
func unicodeLocale(environment func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := environment(name); value != "" {
			_, charset, named := strings.Cut(strings.ToLower(value), ".")
			return !named || strings.HasPrefix(charset, "utf-8") || strings.HasPrefix(charset, "utf8")
		}
	}
	return true
}

// size is that of a terminal, in columns and lines; 0 for what is none.
func size(w io.Writer) (columns, lines int) {
	file, ok := w.(*os.File)
	if !ok {
		return 0, 0
	}
	columns, lines, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0, 0
	}
	return columns, lines
}
