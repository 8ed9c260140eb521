// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// configz is the answer of GET /configz: what the server has and what it does with it. It holds hashes, names and
// reasons, never content.
type configz struct {
	// Files tells of each file by name.
	Files map[string]fileState `json:"files"`
	// Objects tells of objects ("kind/namespace/name") that have conditions, by the condition's type.
	Objects map[string]map[string]condition `json:"objects"`
}

// fileState compares what is there with what is in force.
type fileState struct {
	// Mounted and Serving are the SHA-256 of the file's bytes in hex, "" for none.
	Mounted string `json:"mounted"`
	Serving string `json:"serving"`
	// Error says why Mounted is not served.
	Error string `json:"error,omitempty"`
}

// condition is one condition of an object.
type condition struct {
	Status  string    `json:"status"` // True, False or Unknown
	Reason  string    `json:"reason"`
	Message string    `json:"message,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	// Fetched is when the oldest of a policy's key sets that serve was asked for.
	Fetched time.Time `json:"fetched,omitzero"`
}

// upstreamReady is the condition of policies that name a key set by URL, and of OIDC, OAuth2 and JWTBearer providers.
const upstreamReady = "UpstreamReady"

// Views of /configz. The operator asks for files many times a second while a change is on its way, and for objects, of
// which there may be tens of thousands, seldom.
const (
	viewFiles   = "files"
	viewObjects = "objects"
)

// handleConfigz answers GET /configz: everything, or with ?view=files or ?view=objects that member alone.
func (s *Server) handleConfigz(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Query().Get("view") {
	case "":
		writeJSON(w, http.StatusOK, configz{Files: s.fileStates(), Objects: s.objectConditions()})
	case viewFiles:
		writeJSON(w, http.StatusOK, map[string]any{viewFiles: s.fileStates()})
	case viewObjects:
		writeJSON(w, http.StatusOK, map[string]any{viewObjects: s.objectConditions()})
	default:
		writeError(w, http.StatusBadRequest, codeInvalidRequest, "view must be files or objects, or left out for both")
	}
}

func (s *Server) fileStates() map[string]fileState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loader.states()
}

// providerCondition tells of a provider. One that nobody has used yet is Unknown: providers are asked when somebody logs in.
func providerCondition(st idp.Status) condition {
	c := condition{Status: "False", Reason: string(st.Reason), Message: st.Message, Since: st.Since.UTC()}
	switch {
	case !st.Fetched:
		c.Status, c.Reason = "Unknown", string(keys.ReasonNotYetFetched)
	case st.Ready:
		c.Status = "True"
	}
	return c
}

// objectConditions tells of every object that names a key set by URL, and of every OIDC, OAuth2 and JWTBearer provider.
func (s *Server) objectConditions() map[string]map[string]condition {
	objects := map[string]map[string]condition{}
	snap := s.snapshot.Load()
	if snap == nil {
		return objects
	}
	for p := range snap.policies.Policies() {
		if c, ok := upstreamCondition(p, s.keys.Status); ok {
			c.Fetched = keysFetched(p, s.keys.Status, s.now())
			objects[p.Object()] = map[string]condition{upstreamReady: c}
		}
	}
	for _, c := range snap.credentials.All() {
		objects[c.Object()] = map[string]condition{upstreamReady: credentialCondition(c.Status(s.now()))}
	}
	for _, p := range snap.site.providers.All() {
		objects[p.Config().Object] = map[string]condition{upstreamReady: providerCondition(p.Status())}
	}
	return objects
}

// keysFetched is when the oldest of a policy's key sets that serve was asked for, to the second; zero without any.
func keysFetched(p *policy.Policy, status func(keys.Source) keys.Status, now time.Time) time.Time {
	var oldest time.Duration
	serving := false
	for _, src := range p.Remotes() {
		if st := status(src); st.Serving {
			serving, oldest = true, max(oldest, st.Age)
		}
	}
	if !serving {
		return time.Time{}
	}
	return now.Add(-oldest).UTC().Truncate(time.Second)
}

// states tells of every file.
func (l *loader) states() map[string]fileState {
	states := make(map[string]fileState, len(l.files))
	for name, f := range l.files {
		st := fileState{Mounted: f.mounted}
		if l.current != nil {
			st.Serving = l.current.serving[name]
		}
		if f.err != nil {
			st.Error = f.err.Error()
		}
		states[name] = st
	}
	return states
}

// upstreamCondition joins the states of a policy's key sets: the first that failed decides, else the first that was not
// asked for yet. ok is false for policies that need none.
func upstreamCondition(p *policy.Policy, status func(keys.Source) keys.Status) (c condition, ok bool) {
	sources := p.Remotes()
	states := make([]keys.Status, len(sources))
	seen := map[string]bool{} // directories of Entra ID that were asked for
	for i, src := range sources {
		states[i] = status(src)
		seen[src.Directory] = seen[src.Directory] || states[i].Fetched
	}
	failing := 0
	for i, src := range sources {
		if src.Directory != "" && seen[src.Directory] && !states[i].Fetched {
			continue // most directories issue tokens of one version only
		}
		next := sourceCondition(src, states[i], p.Algorithms())
		if next.Status == "False" {
			failing++
		}
		if !ok || rank[next.Status] > rank[c.Status] {
			c, ok = next, true
		} else if next.Status == c.Status && next.Since.After(c.Since) && c.Status == "True" {
			c.Since = next.Since // since all are
		}
	}
	if failing > 1 {
		c.Message += fmt.Sprintf(" (the first of %d sources that fail)", failing)
	}
	return c, ok
}

// rank orders a condition's statuses by how much they matter.
var rank = map[string]int{"True": 0, "Unknown": 1, "False": 2}

// sourceCondition tells of one key set of a policy with these algorithms. Its message names the source, what is wrong and
// the fix.
func sourceCondition(src keys.Source, st keys.Status, algorithms []string) condition {
	c := condition{Status: "False", Reason: string(st.Reason), Message: st.Message, Since: st.Since.UTC()}
	fits := slices.ContainsFunc(algorithms, func(name string) bool { return slices.Contains(st.Algorithms, name) })
	switch {
	case !st.Fetched:
		c.Status, c.Reason = "Unknown", string(keys.ReasonNotYetFetched)
		return c
	case st.Ready && fits:
		c.Status = "True"
	case st.Ready: // every token would be refused
		c.Reason = string(keys.ReasonNoUsableKey)
		c.Message = fmt.Sprintf("no key fits spec.algorithms (%s): the keys there are for %s; add one of these, or publish a key that fits. %s",
			strings.Join(algorithms, ", "), strings.Join(st.Algorithms, ", "), st.Message)
	}
	if needsName(src, st, &c) {
		c.Message = src.String() + ": " + c.Message
	}
	return c
}

// needsName tells whether the condition's message does not say yet which source it is about. Failures name their host; it
// takes the issuer to tell several at one host apart.
func needsName(src keys.Source, st keys.Status, c *condition) bool {
	switch {
	case c.Status == "True":
		return st.Problems > 0
	case c.Reason == string(keys.ReasonNoUsableKey):
		return true
	}
	return src.Discovery && st.Reason != keys.ReasonIssuerMismatch
}
