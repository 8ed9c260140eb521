// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
	"github.com/gatehouse-auth/gatehouse/manifests"
)

// site is what serve knows of its manifests. It is for one goroutine.
type site struct {
	name    types.NamespacedName
	paths   []string
	stdin   []byte
	dataDir string
	url     string // the external URL where the AuthServer sets none
	local   bool   // it may dial loopback addresses
	log     *slog.Logger
	loader  *manifests.Loader

	// Of the last good render:
	server *v1alpha1.AuthServer
	files  map[string][]byte
	shards int

	keys    []config.SigningKey
	hash    string          // of the sources read last
	told    map[string]bool // findings reported and still true
	leftOut int             // documents that they leave out
	last    string          // what was wrong with reading them, reported and still so
	applied applied         // reported last
}

// applied is how much of a set of manifests is in force.
type applied struct{ served, leftOut int }

// begin checks that there is something to serve, before any port is opened.
func (s *site) begin() error {
	var err error
	if s.loader, err = manifests.NewLoader(); err != nil {
		return failed(err)
	}
	sources, err := manifests.Read(s.paths, bytes.NewReader(s.stdin))
	if err != nil {
		return unusable("%w", err)
	}
	if s.dataDir != "" {
		if s.keys, err = readKeys(s.dataDir); err != nil {
			return failed(err)
		}
	}
	set := s.loader.Parse(sources)
	out, err := set.Render(s.loader, s.name, manifests.RenderOptions{Adjust: s.adjust, Loopback: s.local})
	if err != nil {
		return failed(err)
	}
	if out.Files == nil || set.Served(out) == 0 {
		s.tell(set, out)
		return nothingFor(set, s.name)
	}
	if s.dataDir == "" {
		s.log.Warn("signing keys and refresh tokens live in memory: every login ends with this process; --data-dir keeps them", "event", "serve.in_memory")
	}
	return nil
}

// adjust gives the AuthServer the address that it is reached by here, in place of a cluster's Service, and the data folder in place of a volume.
func (s *site) adjust(o *v1alpha1.AuthServer) {
	if store := &o.Spec.Store; store.Type == v1alpha1.StoreEmbedded || store.Type == "" {
		if store.Embedded = nil; s.dataDir != "" {
			store.Embedded = &v1alpha1.EmbeddedStore{PersistentVolumeClaim: "data-dir"}
		}
	}
	if o.Spec.ExternalURL != "" {
		return
	}
	if o.Spec.ExternalURL = s.url; s.url == "" {
		o.Spec.ExternalURL = "http://localhost"
	}
}

// run serves the manifests and every change of them until ctx ends.
func (s *site) run(ctx context.Context, server *authserver.Server) {
	changes := watchPaths(ctx, s.paths, s.log)
	rotate := time.NewTimer(0)
	defer rotate.Stop()
	for {
		s.reload()
		next := s.planKeys(time.Now())
		if s.files != nil {
			s.load(server)
		}
		rotate.Reset(time.Until(next))
		select {
		case <-ctx.Done():
			return
		case <-changes:
		case <-rotate.C:
		}
	}
}

// load hands the files to the server.
func (s *site) load(server *authserver.Server) {
	files := make(map[string][]byte, len(s.files)+1)
	for name, data := range s.files {
		files[name] = data
	}
	if signs(s.server) {
		data, err := encodeKeys(s.keys)
		if err != nil {
			s.log.Error("the signing keys cannot be encoded", "event", "serve.keys", "error", err)
			return
		}
		files[config.FileKeys] = data
	}
	if err := server.Load(files); err != nil {
		s.log.Error("a part of the configuration is not used; the last good one stays in force", "event", "config.rejected", "error", err)
	}
}

// reload reads and renders the manifests if they have changed.
func (s *site) reload() {
	sources, err := manifests.Read(s.paths, bytes.NewReader(s.stdin))
	switch {
	case err == nil:
		s.last = ""
	case errors.Is(err, fs.ErrNotExist) && s.gone():
		s.tellOnce("a path of the manifests is gone, and what it held is served no more", "manifests.missing", err)
		sources = s.present()
	default:
		s.tellOnce("the manifests cannot be read; what is served stays", "manifests.unreadable", err)
		return
	}
	if hash := sources.Hash(); hash != s.hash {
		s.hash = hash
		s.render(s.loader.Parse(sources))
	}
}

// tellOnce reports that the manifests cannot be read, unless that was the last thing reported: it is found again at each look.
func (s *site) tellOnce(message, event string, err error) {
	if text := event + " " + err.Error(); text != s.last {
		s.last = text
		s.log.Error(message, "event", event, "error", err)
	}
}

// gone tells whether one of the paths itself does not exist, which is an answer; a file that vanishes while its folder is read
// is none.
func (s *site) gone() bool {
	return slices.ContainsFunc(s.paths, missing)
}

func missing(path string) bool {
	if path == "-" {
		return false
	}
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// present are the sources of the paths that exist.
func (s *site) present() manifests.Sources {
	sources, err := manifests.Read(slices.DeleteFunc(slices.Clone(s.paths), missing), bytes.NewReader(s.stdin))
	if err != nil { // the next look tells
		return nil
	}
	return sources
}

// render makes the files of a changed set of manifests. The AuthServer's last good settings stay while its document is bad,
// as a cluster's do, which would have refused the change.
func (s *site) render(set *manifests.Set) {
	opts := manifests.RenderOptions{ShardCount: s.shards, Adjust: s.adjust, Loopback: s.local, LastBase: s.files[config.FileBase]}
	server, err := set.Server(s.loader, s.name)
	if err != nil {
		s.log.Error("the manifests cannot be rendered; what is served stays", "event", "manifests.fault", "error", err)
		return
	}
	if s.server != nil && !set.HasServer(s.name) && (set.ServerLeftOut(s.name) || set.Unparsed() > 0) {
		server, opts.Server = s.server, s.server
	}
	out, err := set.Render(s.loader, s.name, opts)
	if err == nil && out.Files == nil && s.server != nil { // nothing names the server any more
		opts.Server, server = s.server, s.server
		var none *render.Output
		if none, err = new(manifests.Set).Render(s.loader, s.name, opts); err == nil {
			out.Files, out.ShardCount = none.Files, none.ShardCount
		}
	}
	if err != nil {
		s.log.Error("the manifests cannot be rendered; what is served stays", "event", "manifests.fault", "error", err)
		return
	}
	s.tell(set, out)
	if out.Files == nil {
		return
	}
	if !out.Held {
		s.server = server
	}
	s.take(out, applied{served: set.Served(out), leftOut: s.leftOut})
}

// take puts rendered files in force, and reports it unless they say the same as before: what changed may be no manifest.
func (s *site) take(out *render.Output, now applied) {
	before := s.files
	s.files, s.shards = out.Files, out.ShardCount
	if now == s.applied && maps.EqualFunc(before, out.Files, bytes.Equal) {
		return
	}
	s.applied = now
	s.log.Info("manifests in force", "event", "manifests.applied", "served", now.served, "left_out", now.leftOut)
	if now.served == 0 {
		s.log.Error("nothing is left to serve: every request is refused", "event", "manifests.empty")
	}
}

// tell reports what has newly become wrong, and what no longer is.
func (s *site) tell(set *manifests.Set, out *render.Output) {
	findings := slices.Concat(set.Findings, set.Tell(out, true), set.TellNoCluster(out))
	slices.SortFunc(findings, manifests.Finding.Compare)
	s.leftOut = leftOut(findings)
	now := map[string]bool{}
	for _, f := range findings {
		text := f.String()
		if now[text] = true; s.told[text] {
			continue
		}
		level, msg := slog.LevelError, "left out"
		if f.Severity == manifests.SeverityWarning {
			level, msg = slog.LevelWarn, "served with a warning"
		}
		s.log.Log(context.Background(), level, msg, "event", "manifests.finding", "file", f.File, "line", f.Line,
			"object", f.Object, "namespace", f.Namespace, "error", f.Message)
	}
	for text := range s.told {
		if !now[text] {
			s.log.Info("put right", "event", "manifests.resolved", "was", text)
		}
	}
	s.told = now
}

// leftOut counts the documents that findings leave out: each once, however many mistakes it has, and none for a warning.
func leftOut(findings []manifests.Finding) int {
	documents := map[manifests.Finding]bool{}
	for _, f := range findings {
		if f.Severity != manifests.SeverityError {
			continue
		}
		document := manifests.Finding{File: f.File, Namespace: f.Namespace, Object: f.Object}
		if f.Object == "" { // what it is cannot be read
			document.Line = f.Line
		}
		documents[document] = true
	}
	return len(documents)
}
