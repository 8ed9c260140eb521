// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/idp/profile"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Bounds of a groups endpoint's answer.
const (
	maxGroupPages = 10
	maxGroupPage  = 1 << 20 // bytes of a page; a hundred of GitHub's teams take 400 KiB
	maxGroupTotal = 4 << 20 // bytes of all pages
)

// groupsEndpoint is where a user's groups are.
type groupsEndpoint struct {
	url    string
	origin string
	reader *profile.GroupsReader
}

// newGroupsEndpoint returns nil where none is configured.
func newGroupsEndpoint(c *config.OAuth2) (*groupsEndpoint, error) {
	if c.GroupsEndpoint == "" {
		return nil, nil
	}
	u, err := checkURL("groupsEndpoint.url", c.GroupsEndpoint)
	if err != nil {
		return nil, err
	}
	reader, err := profile.CompileGroups(c.GroupsExpression)
	if err != nil {
		return nil, fmt.Errorf("groupsEndpoint.%w", err)
	}
	return &groupsEndpoint{c.GroupsEndpoint, config.Origin(u), reader}, nil
}

// read asks for all pages and evaluates the expression over them. Groups that are not all there would be the wrong ones: whatever stands in the way is
// an error.
func (g *groupsEndpoint) read(ctx context.Context, d *deps, accessToken string) ([]string, error) {
	answer, err := g.answer(ctx, d, accessToken)
	if err != nil {
		return nil, err
	}
	groups, err := g.reader.Read(answer)
	if err != nil {
		return nil, mappingError(err)
	}
	return groups, nil
}

// answer joins the lists of all pages. Too many of them are the user's and no fault of the provider's: anybody can join groups of their own. An answer that is no list stands for itself, and must be the only page.
func (g *groupsEndpoint) answer(ctx context.Context, d *deps, accessToken string) (token.Value, error) {
	var all []token.Value
	target, total := g.url, 0
	for range maxGroupPages {
		a, err := d.resourceUpTo(ctx, "groupsEndpoint", target, accessToken, maxGroupPage)
		if err != nil {
			return token.Value{}, err
		}
		if total += len(a.body); total > maxGroupTotal {
			return token.Value{}, refuse(ReasonTooManyGroups, fmt.Sprintf("groupsEndpoint: its pages are larger than %d bytes together", maxGroupTotal))
		}
		next, err := g.next(a.header, target)
		if err != nil {
			return token.Value{}, refuse(ReasonUserInfo, "groupsEndpoint: "+err.Error())
		}
		list, err := token.ReadList(a.body, maxGroupPage)
		if err != nil {
			if o, notObject := token.ReadObject(a.body, maxGroupPage); notObject == nil && all == nil && next == "" {
				return o.Value(), nil
			}
			return token.Value{}, refuse(ReasonUserInfo, "groupsEndpoint: its answer is neither a JSON list nor, on one page, an object that can be read")
		}
		if all = append(all, list...); next == "" {
			return token.List(all), nil
		}
		target = next
	}
	return token.Value{}, refuse(ReasonTooManyGroups, fmt.Sprintf("groupsEndpoint: it has more than %d pages: ask for longer ones, such as ?per_page=100", maxGroupPages))
}

// next returns the URL of the page after this one, "" after the last (RFC 8288 §3). The access token goes nowhere but where it went before.
func (g *groupsEndpoint) next(h http.Header, current string) (string, error) {
	link := nextLink(h.Values("Link"))
	if link == "" {
		return "", nil
	}
	base, err := url.Parse(current)
	if err != nil {
		return "", errors.New("its URL cannot be read")
	}
	u, err := base.Parse(link)
	switch {
	case err != nil || u.User != nil || config.Origin(u) != g.origin:
		return "", errors.New("the next page, by its header Link, is not at its own host")
	case u.String() == current:
		return "", errors.New("the next page, by its header Link, is the same page")
	}
	u.Fragment = ""
	return u.String(), nil
}

// nextLink returns the target of the first link whose relation types include next, "" if there is none.
func nextLink(headers []string) string {
	for _, rest := range headers {
		for rest != "" {
			var target string
			var params []string
			if target, params, rest = cutLink(rest); isNext(params) {
				return target
			}
		}
	}
	return ""
}

// cutLink takes the first link, <target>; name=value; …, from a list that is separated by commas. Commas and semicolons inside <> and quotes are text.
func cutLink(s string) (target string, params []string, rest string) {
	s = strings.TrimLeft(s, " \t,")
	if !strings.HasPrefix(s, "<") {
		return "", nil, "" // nothing more that can be read
	}
	end := strings.IndexByte(s, '>')
	if end < 0 {
		return "", nil, ""
	}
	target, s = s[1:end], s[end+1:]
	quoted, from := false, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ';' || c == ','):
			params = append(params, s[from:i])
			if from = i + 1; c == ',' {
				return target, params, s[from:]
			}
		}
	}
	return target, append(params, s[from:]), ""
}

func isNext(params []string) bool {
	for _, p := range params {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		for relation := range strings.FieldsSeq(strings.Trim(strings.TrimSpace(value), `"`)) {
			if strings.EqualFold(relation, "next") {
				return true
			}
		}
		return false // only the first rel counts (RFC 8288 §3.3)
	}
	return false
}
