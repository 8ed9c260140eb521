// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/load"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/tokens"
)

// question is one question to a server and the answer it must get, whichever way it is asked.
type question struct {
	tenant, token string
	status        int
	user          string
	ballast       int    // bytes of other headers
	credential    string // asked for by /credentials; "" asks /verify
}

// asks makes n questions about a site's tenants. Each call makes others, but for those that say otherwise.
type asks func(s *site, n int) ([]question, error)

// distinct asks with a token of its own each time, of every tenant of the site in turn.
func distinct(s *site, n int) ([]question, error) { return overTenants(s, n, mint) }

// repeated asks with one token again and again.
func repeated(s *site, n int) ([]question, error) {
	list, err := distinct(s, 1)
	if err != nil {
		return nil, err
	}
	return fill(list, n), nil
}

// handedOut asks for a credential with one token again and again.
func handedOut(s *site, n int) ([]question, error) {
	list, err := distinct(s, 1)
	if err != nil {
		return nil, err
	}
	list[0].credential, list[0].user = credential, "" // the answer does not say who asks
	return fill(list, n), nil
}

// bare asks without a token.
func bare(s *site, n int) ([]question, error) {
	return fill([]question{{tenant: s.tenants[0].id, status: http.StatusOK}}, n), nil
}

// badSignature asks with tokens that nobody signed, all distinct.
func badSignature(s *site, n int) ([]question, error) {
	return overTenants(s, n, func(m *tokens.Minter, n int) ([]tokens.Token, int, error) {
		list, err := m.Forge(n, false)
		return list, http.StatusUnauthorized, err
	})
}

// unknownKey asks with tokens that name a key ID which nobody has, each another.
func unknownKey(s *site, n int) ([]question, error) {
	return overTenants(s, n, func(m *tokens.Minter, n int) ([]tokens.Token, int, error) {
		list, err := m.Forge(n, true)
		return list, http.StatusUnauthorized, err
	})
}

func mint(m *tokens.Minter, n int) ([]tokens.Token, int, error) {
	list, err := m.Mint(n)
	return list, http.StatusOK, err
}

// overTenants divides n questions evenly among the site's tenants and mixes them: one of each tenant, and again.
func overTenants(s *site, n int, make func(m *tokens.Minter, n int) ([]tokens.Token, int, error)) ([]question, error) {
	each := (n + len(s.tenants) - 1) / len(s.tenants)
	list := newAsks(n)
	for i, t := range s.tenants[:min(n, len(s.tenants))] {
		made, status, err := make(t.minter, each)
		if err != nil {
			return nil, err
		}
		for j, token := range made {
			at := j*len(s.tenants) + i
			if at >= n {
				break
			}
			list[at] = question{tenant: t.id, token: token.Raw, status: status}
			if status == http.StatusOK {
				list[at].user = token.User
			}
		}
	}
	return list, nil
}

func newAsks(n int) []question { return make([]question, n) }

// fill repeats list until it is n long.
func fill(list []question, n int) []question {
	out := newAsks(n)
	for i := range out {
		out[i] = list[i%len(list)]
	}
	return out
}

// requests puts the questions into the form in which the party is asked. A floor lets everybody in and knows no users.
func (p party) requests(list []question) ([]load.Request, error) {
	requests := make([]load.Request, len(list))
	for i, a := range list {
		if p.server != authServer {
			a.status, a.user = http.StatusOK, ""
		}
		requests[i] = load.Request{Status: a.status, User: a.user}
		var err error
		switch {
		case i > 0 && list[i] == list[0]:
			requests[i].Bytes = requests[0].Bytes
		case p.grpc:
			requests[i].Bytes, err = checkRequest(a)
		default:
			requests[i].Bytes = httpRequest(a)
		}
		if err != nil {
			return nil, err
		}
	}
	return requests, nil
}

// httpRequest writes the question of a gateway with a fixed URL, with a token unless it is empty.
func httpRequest(a question) []byte {
	authorization := ""
	if a.token != "" {
		authorization = "Authorization: Bearer " + a.token + "\r\n"
	}
	if a.credential != "" {
		return fmt.Appendf(nil, "GET /credentials/%s HTTP/1.1\r\nHost: auth.bench.example\r\nX-Jwt-Tenant-Id: %s\r\n%s\r\n", a.credential, a.tenant, authorization)
	}
	return fmt.Appendf(nil, "GET /verify/%s HTTP/1.1\r\nHost: auth.bench.example\r\n%s%s\r\n", a.tenant, authorization, ballast(a.ballast))
}

// ballast writes headers of size bytes in all, about.
func ballast(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "X-Ballast-%d: %s\r\n", i, strings.Repeat("x", 480))
	}
	return b.String()
}
