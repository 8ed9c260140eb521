// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// zone is a name server for tests: each name has a list of answers, given one per connect; the last one stays. It can
// so answer the first time with a harmless address and then with another (DNS rebinding).
type zone struct {
	mu      sync.Mutex
	answers map[string][][]string // name (with final dot) → answers → addresses
	asked   map[string]int        // A questions per name
}

// resolver returns a resolver that asks the zone over an in-memory connection.
func (z *zone) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go z.serve(theirs)
		return ours, nil
	}}
}

// serve answers questions framed as in DNS over TCP, which the resolver speaks over what is no packet connection.
func (z *zone) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		raw := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, raw); err != nil {
			return
		}
		var msg dnsmessage.Message
		if err := msg.Unpack(raw); err != nil {
			return
		}
		answer, err := z.answer(msg).Pack()
		if err != nil {
			return
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

func (z *zone) answer(msg dnsmessage.Message) *dnsmessage.Message {
	z.mu.Lock()
	defer z.mu.Unlock()
	q := msg.Questions[0]
	name := q.Name.String()
	out := &dnsmessage.Message{Header: dnsmessage.Header{ID: msg.ID, Response: true, RecursionAvailable: true}, Questions: msg.Questions}
	answers, ok := z.answers[name]
	if !ok {
		out.RCode = dnsmessage.RCodeNameError
		return out
	}
	if z.asked == nil {
		z.asked = make(map[string]int)
	}
	current := answers[min(z.asked[name], len(answers)-1)]
	for _, s := range current {
		header := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1}
		addr := netip.MustParseAddr(s)
		switch {
		case q.Type == dnsmessage.TypeA && addr.Is4():
			out.Answers = append(out.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}})
		case q.Type == dnsmessage.TypeAAAA && addr.Is6():
			out.Answers = append(out.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}})
		}
	}
	if q.Type == dnsmessage.TypeA {
		z.asked[name]++
	}
	return out
}

// The zone itself must answer, or the tests that rely on it would pass for lack of any address.
func TestZoneResolves(t *testing.T) {
	z := &zone{answers: map[string][][]string{"a.test.": {{"127.0.0.1"}, {"10.0.0.1"}}}}
	for _, want := range []string{"127.0.0.1", "10.0.0.1", "10.0.0.1"} {
		got, err := z.resolver().LookupHost(t.Context(), "a.test.")
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("got %v %v, want %s", got, err, want)
		}
	}
}
