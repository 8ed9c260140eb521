// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/load"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/tokens"
)

// tenant is the tenant that every request names in its path, as a gateway in front of one application does.
const tenant = "bench"

// batch is what one pair of windows sends: the same requests to both servers, and what each must answer.
type batch struct {
	floor, subject []load.Request
}

// newBatch makes n requests, with n tokens or, if the workload repeats one, with that.
func (w workload) newBatch(m *tokens.Minter, n int, subject string) (batch, error) {
	distinct := n
	if w.repeated || w.bare {
		distinct = 1
	}
	list, err := m.Mint(distinct)
	if err != nil {
		return batch{}, err
	}
	b := batch{floor: make([]load.Request, n), subject: make([]load.Request, n)}
	for i := range n {
		if i >= distinct {
			b.floor[i], b.subject[i] = b.floor[0], b.subject[0]
			continue
		}
		b.floor[i] = load.Request{Bytes: request(list[i].Raw), Status: http.StatusOK}
		b.subject[i] = b.floor[i]
		if w.bare {
			b.subject[i].Bytes = request("")
		}
		if subject == authServer {
			b.subject[i].User = list[i].User
		}
	}
	return b, nil
}

// request writes the question of a gateway with a fixed URL, with a token unless it is empty.
func request(token string) []byte {
	authorization := ""
	if token != "" {
		authorization = "Authorization: Bearer " + token + "\r\n"
	}
	return fmt.Appendf(nil, "GET /verify/%s HTTP/1.1\r\nHost: auth.bench.example\r\n%s\r\n", tenant, authorization)
}
