// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// ReadEnv reads a .env file: NAME=VALUE, with `export` before it if need be, # comments, values in single quotes (as they stand), in double quotes
// (\n, \t, \r, \", \\ and \$ are read) or without. A value in quotes may have several lines. Nothing is put in place of $NAME. Where a name is
// there twice the last one counts, as in the systems that read such files.
func ReadEnv(in Input) (*Settings, error) {
	p := &envParser{file: in.File, text: string(bytes.ReplaceAll(in.Data, []byte("\r\n"), []byte("\n"))), line: 1}
	s := newSettings(in.File)
	s.env = true
	for p.text != "" {
		if one := p.next(); one != nil {
			s.add(one)
		}
	}
	if len(p.mistakes) > 0 {
		return nil, p.mistakes.capped()
	}
	return s, nil
}

// maxMistakes is how many of a kind are told: a file of another format has one in each line.
const maxMistakes = 10

func (m Mistakes) capped() Mistakes {
	if len(m) <= maxMistakes {
		return m
	}
	more := Mistake{File: m[0].File, Text: fmt.Sprintf("and %d more such lines", len(m)-maxMistakes)}
	return append(m[:maxMistakes:maxMistakes], more)
}

type envParser struct {
	file     string
	text     string // what is left
	line     int
	mistakes Mistakes
}

func (p *envParser) wrong(line int, format string, args ...any) {
	p.mistakes = append(p.mistakes, Mistake{File: p.file, Line: line, Text: fmt.Sprintf(format, args...)})
}

// take removes and returns the text before the next line break, which it removes too.
func (p *envParser) take() string {
	line, rest, _ := strings.Cut(p.text, "\n")
	p.text = rest
	p.line++
	return line
}

// next reads a line, and the lines after it that belong to its value; nil for one that sets nothing.
func (p *envParser) next() *Setting {
	at := p.line
	head, _, _ := strings.Cut(p.text, "\n")
	if trimmed := strings.TrimSpace(head); trimmed == "" || trimmed[0] == '#' {
		p.take()
		return nil
	}
	name, _, found := strings.Cut(head, "=")
	bare := strings.TrimSpace(name)
	if rest, ok := strings.CutPrefix(bare, "export"); ok && strings.TrimLeft(rest, " \t") != rest {
		bare = strings.TrimSpace(rest)
	}
	if !found || !envName.MatchString(bare) {
		p.take()
		p.wrong(at, "want NAME=VALUE, with a name of letters, digits and _; a value of several lines goes in double quotes")
		return nil
	}
	p.text = p.text[len(name)+1:]
	blank := strings.TrimLeft(p.text, " \t")
	spaced := len(blank) < len(p.text)
	p.text = blank
	out := &Setting{Key: bare, Line: at}
	var ok bool
	switch {
	case strings.HasPrefix(p.text, `"`), strings.HasPrefix(p.text, "'"):
		quote := p.text[0]
		out.Value.Text, ok = p.quoted(bare, at, quote)
		out.refers = quote == '"' && refersTo(out.Value.Text)
	default:
		out.Value.Text, ok = p.plain(spaced), true
		out.refers = refersTo(out.Value.Text)
	}
	if !ok {
		return nil
	}
	out.Value.Kind, out.Value.Line = Text, at
	return out
}

// plain is a value without quotes: to the end of the line, or to a # with a blank before it.
func (p *envParser) plain(spaced bool) string {
	value := p.take()
	if spaced && strings.HasPrefix(value, "#") {
		return ""
	}
	for i := 1; i < len(value); i++ {
		if value[i] == '#' && (value[i-1] == ' ' || value[i-1] == '\t') {
			value = value[:i]
			break
		}
	}
	return strings.TrimSpace(value)
}

// quoted is a value in quotes, behind which only a comment may stand.
func (p *envParser) quoted(name string, at int, quote byte) (string, bool) {
	var b strings.Builder
	text := p.text[1:]
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == quote:
			p.line += strings.Count(text[:i], "\n")
			p.text = text[i+1:]
			if rest := strings.TrimSpace(p.take()); rest != "" && rest[0] != '#' {
				p.wrong(at, "%s: there is something behind the closing quote: a quote inside the value is written \\\" in double quotes", shown(name))
				return "", false
			}
			return b.String(), true
		case c == '\\' && quote == '"' && i+1 < len(text):
			i++
			b.WriteString(unescape(text[i]))
		default:
			b.WriteByte(c)
		}
	}
	p.wrong(at, "%s: the value begins with a quote that nothing closes", shown(name))
	p.line += strings.Count(text, "\n")
	p.text = ""
	return "", false
}

func unescape(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 'r':
		return "\r"
	case 't':
		return "\t"
	case '"', '\\', '$', '\'':
		return string(rune(c))
	}
	return `\` + string([]byte{c})
}

var reference = regexp.MustCompile(`\$\{|\$[A-Za-z_]`)

// refersTo tells whether a shell would put the value of a variable into the text.
func refersTo(text string) bool { return reference.MatchString(text) }
