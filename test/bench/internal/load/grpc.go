// SPDX-License-Identifier: Apache-2.0

//go:build linux

package load

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	frameHeader   = 9         // bytes of every frame's header (RFC 9113 §4.1)
	maxFrame      = 16 << 10  // of a frame's payload, both ways: no SETTINGS_MAX_FRAME_SIZE is sent
	firstWindow   = 65535     // bytes a peer takes before its first WINDOW_UPDATE (§6.9.2)
	receiveWindow = 1<<31 - 1 // granted once for all that one run receives
	checkMethod   = "/envoy.service.auth.v3.Authorization/Check"
)

// grpcConn is one connection of HTTP/2 that asks external authorization, with a request on each of several streams. As
// Envoy does, it sends the same header fields with every request, so all but the first block are a few indices.
type grpcConn struct {
	socket
	inFlight []*lane
	held     []*lane // wait for the server to take more
	next     uint32  // stream of the next request
	window   int     // bytes that the server takes at the moment, on all streams together
	first    []byte  // header block of the first request, which fills the server's table
	block    []byte  // of all others
	out      []byte  // to be sent by flush
	in       []byte
	n        int // bytes in in
	decoder  *hpack.Decoder
	fields   answerFields // of the block that is being decoded
}

// openGRPC sends what opens a connection; the server's part of it is taken as it comes.
func openGRPC(s socket, authority string, streams int) (*grpcConn, error) {
	c := &grpcConn{socket: s, next: 1, window: firstWindow, in: make([]byte, 4*(maxFrame+frameHeader)), inFlight: make([]*lane, 0, streams)}
	c.decoder = hpack.NewDecoder(4096, func(f hpack.HeaderField) { c.fields.add(f) })
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, into := range []*[]byte{&c.first, &c.block} {
		block.Reset()
		for _, f := range [][2]string{{":method", "POST"}, {":scheme", "http"}, {":path", checkMethod}, {":authority", authority},
			{"content-type", "application/grpc"}, {"te", "trailers"}, {"user-agent", "grpc-c++"}} {
			if err := encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}); err != nil {
				return nil, fmt.Errorf("encoding header fields: %w", err)
			}
		}
		*into = bytes.Clone(block.Bytes())
	}
	c.out = append(c.out, http2.ClientPreface...)
	c.frame(http2.FrameSettings, 0, 0)
	c.frame(http2.FrameWindowUpdate, 0, 0, binary.BigEndian.AppendUint32(nil, receiveWindow-firstWindow)...)
	return c, c.flush()
}

// frame appends a frame to what is sent next.
func (c *grpcConn) frame(kind http2.FrameType, flags http2.Flags, stream uint32, payload ...byte) {
	n := len(payload)
	c.out = append(c.out, byte(n>>16), byte(n>>8), byte(n), byte(kind), byte(flags))
	c.out = binary.BigEndian.AppendUint32(c.out, stream)
	c.out = append(c.out, payload...)
}

func (c *grpcConn) send(l *lane) error {
	size := grpcPrefixSize + len(l.request.Bytes)
	if size > firstWindow {
		return fmt.Errorf("sending request: a message of %d bytes does not fit a stream's first window", size)
	}
	if size > c.window || len(c.held) > 0 {
		c.held = append(c.held, l)
		return nil
	}
	c.window -= size
	block := c.block
	if c.next == 1 {
		block = c.first
	}
	l.stream, l.status, l.message = c.next, "", l.message[:0]
	c.next += 2
	c.inFlight = append(c.inFlight, l)
	c.frame(http2.FrameHeaders, http2.FlagHeadersEndHeaders, l.stream, block...)
	prefix := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(l.request.Bytes)))
	rest := l.request.Bytes
	if size <= maxFrame { // as one frame, without a copy of the message in between
		c.frame(http2.FrameData, http2.FlagDataEndStream, l.stream, prefix...)
		header := c.out[len(c.out)-frameHeader-grpcPrefixSize:]
		header[0], header[1], header[2] = byte(size>>16), byte(size>>8), byte(size)
		c.out = append(c.out, rest...)
		return nil
	}
	c.frame(http2.FrameData, 0, l.stream, prefix...)
	for len(rest) > maxFrame {
		c.frame(http2.FrameData, 0, l.stream, rest[:maxFrame]...)
		rest = rest[maxFrame:]
	}
	c.frame(http2.FrameData, http2.FlagDataEndStream, l.stream, rest...)
	return nil
}

func (c *grpcConn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	err := c.write(c.out)
	c.out = c.out[:0]
	return err
}

func (c *grpcConn) receive(finished func(*lane)) error {
	n, err := c.read(c.in[c.n:])
	if err != nil || n == 0 {
		return err
	}
	c.n += n
	rest := c.in[:c.n]
	for len(rest) >= frameHeader {
		length := int(rest[0])<<16 | int(rest[1])<<8 | int(rest[2])
		if length > maxFrame {
			return fmt.Errorf("reading answer: a frame of %d bytes", length)
		}
		if len(rest) < frameHeader+length {
			break
		}
		stream := binary.BigEndian.Uint32(rest[5:]) & (1<<31 - 1)
		payload := rest[frameHeader : frameHeader+length]
		if err := c.take(http2.FrameType(rest[3]), http2.Flags(rest[4]), stream, payload, finished); err != nil {
			return err
		}
		rest = rest[frameHeader+length:]
	}
	c.n = copy(c.in, rest)
	return c.flush() // answers to SETTINGS and PING, and what was held
}

// take takes one frame of the server.
func (c *grpcConn) take(kind http2.FrameType, flags http2.Flags, stream uint32, payload []byte, finished func(*lane)) error {
	switch kind {
	case http2.FrameSettings:
		return c.settings(flags, payload)
	case http2.FramePing:
		if flags&http2.FlagPingAck == 0 {
			c.frame(http2.FramePing, http2.FlagPingAck, 0, payload...)
		}
	case http2.FrameWindowUpdate:
		if stream == 0 && len(payload) == 4 {
			c.window += int(binary.BigEndian.Uint32(payload))
			return c.sendHeld()
		}
	case http2.FrameHeaders:
		if flags&^http2.FlagHeadersEndStream != http2.FlagHeadersEndHeaders {
			return fmt.Errorf("reading answer: HEADERS with flags %#x: padding, priority and continuations are not read", flags)
		}
		return c.headers(stream, payload, flags&http2.FlagHeadersEndStream != 0, finished)
	case http2.FrameData:
		l, err := c.find(stream)
		if err != nil || flags != 0 {
			return errors.Join(err, errNoTrailers(flags))
		}
		l.message = append(l.message, payload...)
	case http2.FrameGoAway, http2.FrameRSTStream, http2.FramePushPromise, http2.FrameContinuation:
		return fmt.Errorf("reading answer: the server sent %s, payload %.200q", kind, payload)
	default: // RFC 9113 §5.5: ignored
	}
	return nil
}

func errNoTrailers(flags http2.Flags) error {
	if flags == 0 {
		return nil
	}
	return fmt.Errorf("reading answer: DATA with flags %#x: neither padding nor an end without trailers is read", flags)
}

// settings acknowledges the server's settings. Those that would change what was made beforehand are refused.
func (c *grpcConn) settings(flags http2.Flags, payload []byte) error {
	if flags&http2.FlagSettingsAck != 0 {
		return nil
	}
	for ; len(payload) >= 6; payload = payload[6:] {
		id, value := http2.SettingID(binary.BigEndian.Uint16(payload)), binary.BigEndian.Uint32(payload[2:])
		switch {
		case id == http2.SettingHeaderTableSize && value < 4096,
			id == http2.SettingInitialWindowSize && value < firstWindow,
			id == http2.SettingMaxConcurrentStreams && int(value) < cap(c.inFlight):
			return fmt.Errorf("reading answer: the server's setting %s = %d is too small", id, value)
		}
	}
	c.frame(http2.FrameSettings, http2.FlagSettingsAck, 0)
	return nil
}

// sendHeld sends what waited for the server to take more.
func (c *grpcConn) sendHeld() error {
	held := c.held
	c.held = nil
	for _, l := range held {
		if err := c.send(l); err != nil {
			return err
		}
	}
	return nil
}

func (c *grpcConn) find(stream uint32) (*lane, error) {
	for _, l := range c.inFlight {
		if l.stream == stream {
			return l, nil
		}
	}
	return nil, fmt.Errorf("checking answer: it arrived on stream %d without a request", stream)
}

// headers takes an answer's header fields or, at the end of the stream, its trailers: then it checks the answer.
func (c *grpcConn) headers(stream uint32, payload []byte, end bool, finished func(*lane)) error {
	c.fields = answerFields{}
	if _, err := c.decoder.Write(payload); err != nil {
		return fmt.Errorf("reading answer: %w", err)
	}
	if err := c.decoder.Close(); err != nil {
		return fmt.Errorf("reading answer: %w", err)
	}
	l, err := c.find(stream)
	if err != nil || !end {
		return errors.Join(err, c.fields.checkHead(end))
	}
	if err := c.fields.checkHead(end); err != nil {
		return err
	}
	answer, err := parseAnswer(l.message)
	if err != nil {
		return err
	}
	if err := check(l.request, answer, l.message); err != nil {
		return err
	}
	c.inFlight = slices.DeleteFunc(c.inFlight, func(other *lane) bool { return other == l })
	finished(l)
	return nil
}
