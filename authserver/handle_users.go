// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"cmp"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/directory"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// The paths of the users API. In the table {user} stands for an ID, an e-mail address or a username, escaped as one segment of a path.
const (
	pathUsers      = "/users"
	pathUser       = pathUsers + "/{user}"
	pathUserUnlock = pathUser + "/unlock"
)

// Codes of the users API beside those of errors.go.
const (
	codeConflict = "conflict" // 409: a name is taken, or the user is kept elsewhere
	codeNoStore  = "no_store" // 501: store.type None
)

// usersHandler serves the users API of the operations listener. Whoever calls it has the operations token.
type usersHandler struct {
	directory *directory.Directory
	// snapshot returns what accounts are decided by now; nil before the first configuration.
	snapshot func() *directory.Snapshot
	// forget drops what this replica remembers of a user's sessions; the others look again within seconds.
	forget func(user string)
	log    *slog.Logger
}

// usersEndpoint is one row of the API.
type usersEndpoint struct {
	method, path string
	status       int      // of the answer if all goes well
	body         bool     // whether a JSON body is read
	query        []string // the parameters that there are
	handle       func(*usersCall) (any, error)
}

func (h *usersHandler) endpoints() []usersEndpoint {
	one := []string{"organization"}
	return []usersEndpoint{
		{http.MethodGet, pathUsers, http.StatusOK, false, []string{"organization", "search", "after", "limit"}, h.list},
		{http.MethodPost, pathUsers, http.StatusCreated, true, nil, h.create},
		{http.MethodGet, pathUser, http.StatusOK, false, one, h.show},
		{http.MethodPatch, pathUser, http.StatusOK, true, one, h.change},
		{http.MethodDelete, pathUser, http.StatusOK, false, one, h.remove},
		{http.MethodPost, pathUserUnlock, http.StatusOK, false, one, h.unlock},
	}
}

// add puts the API's endpoints into a table, each behind guard.
func (h *usersHandler) add(t routes, guard func(http.HandlerFunc) http.HandlerFunc) {
	for _, e := range h.endpoints() {
		t.add(e.method, e.path, guard(h.serve(e)))
	}
}

// usersKey is the path by which the table knows a request's raw path. The user's name is left as the path value "user".
func usersKey(r *http.Request, path string) string {
	rest, found := strings.CutPrefix(path, pathUsers+"/")
	if !found {
		return path
	}
	segment, action, acts := strings.Cut(rest, "/")
	name, err := url.PathUnescape(segment)
	if err != nil || name == "" {
		return path // in no table
	}
	switch {
	case !acts:
		path = pathUser
	case action == "unlock":
		path = pathUserUnlock
	default:
		return path
	}
	r.SetPathValue("user", name)
	return path
}

// usersCall is one request.
type usersCall struct {
	r     *http.Request
	body  []byte
	query url.Values
	d     *directory.Directory
	snap  *directory.Snapshot
}

// ref is whom the path names.
func (c *usersCall) ref() directory.Ref {
	return directory.Ref{Name: c.r.PathValue("user"), Organization: c.query.Get("organization")}
}

// serve reads what all requests have, and writes the answer.
func (h *usersHandler) serve(e usersEndpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &usersCall{r: r, d: h.directory.For(clientOf(r)), snap: h.snapshot()}
		if c.snap == nil {
			leaveBody(w, r)
			writeNotReady(w)
			return
		}
		var err error
		if c.query, err = parseUsersQuery(r.URL.RawQuery, e.query); err != nil {
			leaveBody(w, r)
			h.refuse(w, r, err)
			return
		}
		if !e.body {
			leaveBody(w, r)
		} else if body, ok := readBody(w, r, "application/json"); ok {
			c.body = body
		} else {
			return
		}
		answer, err := e.handle(c)
		if err != nil {
			h.refuse(w, r, err)
			return
		}
		writeJSON(w, e.status, answer)
	}
}

// parseUsersQuery is strict: a parameter that is misspelt would select other users than meant.
func parseUsersQuery(raw string, known []string) (url.Values, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, requestError("the query cannot be read")
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(known, name) {
			return nil, requestError("unknown query parameter " + cut(name) + ": there is " + cmp.Or(strings.Join(known, ", "), "none"))
		}
		if len(values[name]) != 1 {
			return nil, requestError("query parameter " + name + " is there more than once")
		}
	}
	return values, nil
}

func (h *usersHandler) list(c *usersCall) (any, error) {
	q := directory.Query{Organization: c.query.Get("organization"), Search: c.query.Get("search"), After: c.query.Get("after")}
	if text := c.query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, &directory.InvalidError{Field: "limit", Problem: "it has to be a number from 1 to " + strconv.Itoa(store.MaxListed)}
		}
		q.Limit = n
	}
	return c.d.List(c.r.Context(), c.snap, q)
}

func (h *usersHandler) create(c *usersCall) (any, error) {
	n, err := parseNewUser(c.body)
	if err != nil {
		return nil, err
	}
	return c.d.Add(c.r.Context(), c.snap, n)
}

func (h *usersHandler) show(c *usersCall) (any, error) {
	return c.d.Show(c.r.Context(), c.snap, c.ref())
}

func (h *usersHandler) change(c *usersCall) (any, error) {
	change, err := parseChange(c.body)
	if err != nil {
		return nil, err
	}
	e, err := c.d.Edit(c.r.Context(), c.snap, c.ref(), change)
	if err == nil {
		h.forget(e.ID)
	}
	return e, err
}

func (h *usersHandler) remove(c *usersCall) (any, error) {
	e, err := c.d.Delete(c.r.Context(), c.snap, c.ref())
	if err == nil {
		h.forget(e.ID)
	}
	return e, err
}

func (h *usersHandler) unlock(c *usersCall) (any, error) {
	e, n, err := c.d.Unlock(c.r.Context(), c.snap, c.ref())
	return directory.Unlocked{Entry: e, Counters: n}, err
}

// refuse answers an error. A fault is logged; the client is told what it can do about it.
func (h *usersHandler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var invalid *directory.InvalidError
	var conflict *directory.ConflictError
	var request requestError
	switch {
	case errors.As(err, &request):
		writeError(w, http.StatusBadRequest, codeInvalidRequest, request.Error())
	case errors.As(err, &invalid):
		writeError(w, http.StatusBadRequest, codeInvalidRequest, invalid.Error())
	case errors.As(err, &conflict):
		writeError(w, http.StatusConflict, codeConflict, conflict.Error())
	case errors.Is(err, directory.ErrNotPersistent):
		writeError(w, http.StatusConflict, codeConflict, directory.ErrNotPersistent.Error())
	case errors.Is(err, directory.ErrUserNotFound):
		writeError(w, http.StatusNotFound, codeNotFound, "no user has this ID, e-mail address or username")
	case errors.Is(err, store.ErrNoStore):
		writeError(w, http.StatusNotImplemented, codeNoStore, "this server keeps no users: spec.store.type of the AuthServer is None")
	case errors.Is(err, password.ErrBusy):
		w.Header().Set("Retry-After", "1")
		writeError(w, http.StatusServiceUnavailable, codeUnavailable, "too many passwords are being computed: try again")
	case r.Context().Err() != nil, errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrClosed):
		w.Header().Set("Retry-After", "5")
		writeError(w, http.StatusServiceUnavailable, codeUnavailable, "the store cannot be reached: try again")
	default:
		h.log.ErrorContext(r.Context(), "a request about users failed", "error", err)
		writeError(w, http.StatusInternalServerError, codeServerError, "the store failed: see the server's log")
	}
}
