// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// visitor does what people do with a browser: it keeps cookies, follows links and sends forms. Our pages have no JavaScript.
type visitor struct {
	shell  *shell
	client *http.Client

	at       *url.URL
	document *html.Node
	filled   map[string]string
}

func newVisitor(t *testing.T, s *shell) *visitor {
	t.Helper()
	v := &visitor{shell: s}
	if err := v.begin(); err != nil {
		t.Fatal(err)
	}
	return v
}

// begin is a browser without cookies.
func (v *visitor) begin() error {
	jar, err := cookiejar.New(nil)
	v.client, v.at, v.document = &http.Client{Jar: jar, Timeout: patience}, nil, nil
	return err
}

// as lets somebody else log in, with a browser of their own.
func (v *visitor) as(name string) error {
	change := v.shell.people[name]
	if change == nil {
		return fmt.Errorf("nobody knows %q", name)
	}
	change()
	return v.begin()
}

// do does what a comment says, line by line: as PERSON, open URL, fill NAME TEXT, press TEXT of a button or link, see TEXT.
func (v *visitor) do(text string) error {
	for line := range strings.SplitSeq(text, "\n") {
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		var err error
		switch verb {
		case "open":
			err = v.open(v.shell.place(rest))
		case "as":
			err = v.as(rest)
		case "fill":
			name, value, _ := strings.Cut(rest, " ")
			v.filled[name] = value
		case "press":
			err = v.press(rest)
		case "see":
			if shown := v.shell.plain(visible(v.document)); !pattern(rest, false).MatchString(shown) {
				err = fmt.Errorf("the page at %s does not show it: %s", v.shell.plain(v.at.String()), shown)
			}
		default:
			err = errors.New("browsers cannot do this")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
	}
	return nil
}

func (v *visitor) open(address string) error {
	request, err := http.NewRequest(http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	return v.send(request)
}

// send makes a request as a browser's navigation and reads the page that it ends at.
func (v *visitor) send(request *http.Request) error {
	request.Header.Set("Accept", "text/html")
	request.Header.Set("Accept-Language", "en")
	if v.at != nil {
		request.Header.Set("Origin", v.at.Scheme+"://"+v.at.Host)
	}
	response, err := v.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	v.at, v.filled = response.Request.URL, map[string]string{}
	v.document, err = html.Parse(io.LimitReader(response.Body, 1<<20))
	return err
}

// press finds a link or a button by its text and follows it.
func (v *visitor) press(text string) error {
	for n := range v.document.Descendants() {
		if n.Type != html.ElementNode || n.Data != "a" && n.Data != "button" || !strings.Contains(visible(n), text) {
			continue
		}
		if n.Data == "a" {
			return v.follow(n)
		}
		return v.submit(n)
	}
	return fmt.Errorf("the page at %s has no such link or button: %s", v.shell.plain(v.at.String()), visible(v.document))
}

func (v *visitor) follow(link *html.Node) error {
	target, err := v.at.Parse(attribute(link, "href"))
	if err != nil {
		return err
	}
	return v.open(target.String())
}

// submit sends the form that a button is in.
func (v *visitor) submit(button *html.Node) error {
	form := button.Parent
	for form != nil && form.Data != "form" {
		form = form.Parent
	}
	if form == nil {
		return errors.New("the button is in no form")
	}
	fields := url.Values{}
	for n := range form.Descendants() {
		if name := attribute(n, "name"); n.Data == "input" && name != "" {
			fields.Set(name, attribute(n, "value"))
		}
	}
	if name := attribute(button, "name"); name != "" {
		fields.Set(name, attribute(button, "value"))
	}
	for name, value := range v.filled {
		if !fields.Has(name) {
			return fmt.Errorf("the form has no field %s", name)
		}
		fields.Set(name, value)
	}
	target, err := v.at.Parse(attribute(form, "action"))
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPost, target.String(), strings.NewReader(fields.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.send(request)
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// visible is the text of an element, with single spaces.
func visible(n *html.Node) string {
	var words []string
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "style" && d.Parent.Data != "script" {
			words = append(words, strings.Fields(d.Data)...)
		}
	}
	return strings.Join(words, " ")
}
