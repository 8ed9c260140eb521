// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

const (
	// maxToken is what any policy takes of a token, in bytes (DESIGN §7).
	maxToken = 16 << 10
	// maxTerminalLine is what a terminal hands over of one line; the rest is lost.
	maxTerminalLine = 4095
)

// readToken reads the token that is to be explained. It is never taken from the command line, where other users of the machine
// could read it. No error holds a part of it.
func readToken(stdin io.Reader, prompt io.Writer) (string, error) {
	raw, err := readRawToken(stdin, prompt)
	if err != nil {
		return "", err
	}
	switch {
	case raw == "":
		return "", errors.New("standard input is empty: pipe the token in")
	case hasPrefixFold(raw, "authorization:"), hasPrefixFold(raw, "bearer "):
		return "", errors.New("standard input begins like an Authorization header: pipe in the token alone, without \"Bearer\"")
	}
	return raw, nil
}

func readRawToken(stdin io.Reader, prompt io.Writer) (string, error) {
	if stdin == nil {
		return "", errors.New("there is no standard input to read the token from")
	}
	if f, ok := stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		_, _ = fmt.Fprintf(prompt, "Paste the token and press Enter. It is not shown. (Pipe in one of more than %d characters: a terminal cuts it short.)\n", maxTerminalLine-1)
		line, err := term.ReadPassword(int(f.Fd()))
		switch {
		case err != nil:
			return "", unusable("reading the token: %w", err)
		case len(line) >= maxTerminalLine:
			return "", unusable("the terminal may have cut the token short: pipe it in from a file")
		}
		return strings.TrimSpace(string(line)), nil
	}
	text, err := io.ReadAll(io.LimitReader(stdin, maxToken+3)) // a line break may have two bytes
	if err != nil {
		return "", unusable("reading the token: %w", err)
	}
	raw, found := strings.CutSuffix(string(text), "\n")
	if found {
		raw = strings.TrimSuffix(raw, "\r")
	}
	if len(raw) > maxToken {
		return "", failed(fmt.Errorf("standard input has more than %d bytes: every policy refuses a token that long", maxToken))
	}
	return raw, nil
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
