// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// page is one file of documentation, taken apart.
type page struct {
	// path below the repository's root.
	path string
	// environments that the page asks for; none if it is not run.
	environments []string
	steps        []*step
}

// Kinds of steps.
const (
	commands = "commands" // a fence of sh
	file     = "file"     // a fence that names its file
	browser  = "browser"  // a comment
	other    = "other"    // a fence that only shows something
)

// step is a fence or a comment that something is done with.
type step struct {
	kind string
	// line of the page at which it stands.
	line           int
	language, text string
	// name of the file to write.
	name string

	// written means with the names on the page, not those of stand-ins.
	terminal, again, written bool
	exit                     int
	// notRun is why not.
	notRun string
	// output is what has to be printed in all; nil where the page does not say.
	output *string
	// expected are what lines have to hold.
	expected []string
}

// parser reads a page from top to bottom.
type parser struct {
	page  *page
	lines []string
	at    int
	// marks of comments that wait for their fence of sh.
	marks *step
	// name of the file that the next fence is, from the comment of nameLine.
	name     string
	nameLine int
	// last is the fence of sh that an output would belong to.
	last *step
}

func readPage(root, path string) (*page, error) {
	text, err := os.ReadFile(root + "/" + path)
	if err != nil {
		return nil, err
	}
	return parsePage(path, string(text))
}

func parsePage(path, text string) (*page, error) {
	p := &parser{page: &page{path: path}, lines: strings.Split(text, "\n")}
	for p.at < len(p.lines) {
		line := p.lines[p.at]
		var err error
		switch trimmed := strings.TrimSpace(line); {
		case strings.HasPrefix(trimmed, "```"):
			err = p.fence()
		case strings.HasPrefix(trimmed, "<!--"):
			err = p.comment()
		default:
			p.at++
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, p.at+1, err)
		}
	}
	if p.marks != nil {
		return nil, fmt.Errorf("%s:%d: no fence of sh follows", path, p.marks.line)
	}
	if p.name != "" {
		return nil, fmt.Errorf("%s:%d: no fence follows that would be the file", path, p.nameLine)
	}
	return p.page, nil
}

var fileName = regexp.MustCompile(`^# file: ([A-Za-z0-9._/-]+)$`)

// fence reads a fence, which may be indented as part of a list.
func (p *parser) fence() error {
	start := p.at
	trimmed := strings.TrimSpace(p.lines[start])
	indent := strings.Index(p.lines[start], "```")
	fields := strings.Fields(strings.TrimPrefix(trimmed, "```"))
	s := &step{kind: other, line: start + 1}
	if len(fields) > 0 {
		s.language = fields[0]
	}
	for p.at++; ; p.at++ {
		if p.at == len(p.lines) {
			p.at = start
			return fmt.Errorf("the fence has no end")
		}
		line := p.lines[p.at]
		if strings.TrimSpace(line) == "```" {
			break
		}
		if len(line) >= indent && strings.TrimSpace(line[:indent]) == "" {
			line = line[indent:]
		}
		s.text += line + "\n"
	}
	p.at++
	return p.take(s)
}

// outputs are the languages of what a command printed.
var outputs = []string{"text", "console", "json", "http"}

// take says what a fence is for.
func (p *parser) take(s *step) error {
	if p.name != "" {
		s.kind, s.name, p.name, p.last = file, p.name, "", nil
		p.page.steps = append(p.page.steps, s)
		return nil
	}
	if s.language == "sh" {
		if p.marks != nil {
			s.terminal, s.again, s.written, s.exit, s.notRun = p.marks.terminal, p.marks.again, p.marks.written, p.marks.exit, p.marks.notRun
			p.marks = nil
		}
		s.kind, p.last = commands, s
		p.page.steps = append(p.page.steps, s)
		return nil
	}
	if p.marks != nil {
		return fmt.Errorf("the comment of line %d is for a fence of sh, and this is one of %q", p.marks.line, s.language)
	}
	if p.last != nil && slices.Contains(outputs, s.language) {
		p.last.output, p.last = &s.text, nil
		return nil
	}
	p.last = nil
	first, _, _ := strings.Cut(s.text, "\n")
	if match := fileName.FindStringSubmatch(first); match != nil {
		s.kind, s.name = file, match[1]
	}
	p.page.steps = append(p.page.steps, s)
	return nil
}

// comment reads an HTML comment. In a page that is run, one that nothing is done with is a mistake: it may have been meant to check something.
func (p *parser) comment() error {
	start := p.at
	text := ""
	for {
		text += p.lines[p.at] + "\n"
		if strings.Contains(p.lines[p.at], "-->") {
			break
		}
		if p.at++; p.at == len(p.lines) {
			p.at = start
			return fmt.Errorf("the comment has no end")
		}
	}
	p.at++
	text = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), "<!--"), "-->"))
	word, rest, found := strings.Cut(text, ":")
	if !found {
		word = ""
	}
	return p.mark(word, strings.TrimSpace(rest), start+1)
}

func (p *parser) mark(word, rest string, line int) error {
	switch word {
	case "docs-test":
		for name := range strings.SplitSeq(rest, ",") {
			p.page.environments = append(p.page.environments, strings.TrimSpace(name))
		}
	case "expect":
		if i := slices.IndexFunc(p.page.steps, func(s *step) bool { return s.kind == commands }); i < 0 || rest == "" {
			return fmt.Errorf("there is nothing to expect")
		}
		for _, s := range slices.Backward(p.page.steps) {
			if s.kind == commands {
				s.expected = append(s.expected, rest)
				break
			}
		}
	case "file":
		if fileName.FindString("# file: "+rest) == "" {
			return fmt.Errorf("a file cannot be called %q", rest)
		}
		p.name, p.nameLine = rest, line
	case "browser":
		p.page.steps = append(p.page.steps, &step{kind: browser, line: line, text: rest})
	case "not run":
		if rest == "" {
			return fmt.Errorf("say why it is not run")
		}
		p.waiting(line).notRun = rest
	case "run":
		for how := range strings.SplitSeq(rest, ",") {
			if err := p.waiting(line).manner(strings.TrimSpace(how)); err != nil {
				return err
			}
		}
	default:
		if len(p.page.environments) > 0 {
			return fmt.Errorf("nothing is known of a comment %q", word)
		}
	}
	return nil
}

// waiting is what marks are kept in until their fence comes.
func (p *parser) waiting(line int) *step {
	if p.marks == nil {
		p.marks = &step{line: line}
	}
	return p.marks
}

// manner reads how a fence is run.
func (s *step) manner(how string) error {
	switch code, isExit := strings.CutPrefix(how, "exit "); {
	case how == "terminal":
		s.terminal = true
	case how == "again":
		s.again = true
	case how == "as written":
		s.written = true
	case isExit:
		var err error
		s.exit, err = strconv.Atoi(code)
		return err
	default:
		return fmt.Errorf("a fence cannot be run %q", how)
	}
	return nil
}
