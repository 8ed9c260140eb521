// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"path/filepath"
	"regexp"
	"strings"
)

const proxyPrefix = "OAUTH2_PROXY_"

var flagLine = regexp.MustCompile(`^--?([a-z][a-z0-9-]*)(?:(?:=|\s+)(.*))?$`)

// readProxy reads any of the spellings of OAuth2 Proxy's settings. Keys are those of its .cfg.
func readProxy(in Input) (*Settings, error) {
	begin := strings.TrimLeft(string(in.Data[:min(len(in.Data), 4096)]), " \t\r\n")
	ending := strings.ToLower(filepath.Ext(in.File))
	switch {
	case isFlag(begin):
		return readFlags(in)
	case ending == ".yaml" || ending == ".yml" || strings.Contains("\n"+string(in.Data), "\nproviders:"):
		v, err := ReadYAML(in)
		if err != nil {
			return nil, err
		}
		s, err := SettingsOf(in, v)
		if err == nil && s.byKey["providers"] == nil {
			err = Mistakes{{File: in.File, Text: "it has no providers: want an alpha configuration of OAuth2 Proxy, or its .cfg"}}
		}
		return s, err
	case ending == ".env" || strings.Contains("\n"+string(in.Data), "\n"+proxyPrefix) || strings.Contains(string(in.Data), "export "+proxyPrefix):
		return readProxyEnv(in)
	}
	v, err := ReadTOML(in)
	if err != nil {
		return nil, err
	}
	s := newSettings(in.File)
	for _, m := range v.Members {
		addProxy(s, &Setting{Key: m.Name, Line: m.Line, Value: m.Value})
	}
	return s, nil
}

// addProxy adds a setting under its key in the .cfg, which may be another spelling of the same.
func addProxy(s *Settings, one *Setting) {
	one.given = one.Key
	key := strings.ToLower(one.Key)
	if plural := proxyPlurals[key]; plural != "" {
		key = plural
	}
	one.Key = key
	if old := s.byKey[key]; old != nil && proxyLists[key] { // a flag may be repeated
		old.Value = Value{Kind: List, Line: old.Line, Items: append(itemsOf(old.Value), itemsOf(one.Value)...)}
		return
	}
	s.add(one)
}

// itemsOf are those of a list, or of a text with commas.
func itemsOf(v Value) []Value {
	if v.Kind != Text {
		return v.Items
	}
	var out []Value
	for _, part := range strings.Split(v.Text, ",") {
		out = append(out, Value{Kind: Text, Line: v.Line, Text: strings.TrimSpace(part)})
	}
	return out
}

// readProxyEnv reads OAUTH2_PROXY_… variables; others are unknown.
func readProxyEnv(in Input) (*Settings, error) {
	env, err := ReadEnv(in)
	if err != nil {
		return nil, err
	}
	s := newSettings(in.File)
	s.env = true
	for _, one := range env.all {
		name, ok := strings.CutPrefix(strings.ToUpper(one.Key), proxyPrefix)
		if !ok {
			s.add(one)
			continue
		}
		given := one.Key
		moved := *one
		moved.Key = strings.ToLower(name)
		addProxy(s, &moved)
		s.byKey[moved.Key].given = given
		s.byKey[moved.Key].times = max(one.times, s.byKey[moved.Key].times)
	}
	return s, nil
}

func isFlag(text string) bool {
	line, _, _ := strings.Cut(text, "\n")
	for strings.HasPrefix(strings.TrimSpace(line), "#") && text != "" {
		_, text, _ = strings.Cut(text, "\n")
		line, _, _ = strings.Cut(text, "\n")
	}
	return flagLine.MatchString(bareFlag(line)) && strings.Contains(line, "--")
}

// bareFlag is a flag without what YAML, shells and Dockerfiles put around it.
func bareFlag(line string) string {
	line = strings.TrimSuffix(strings.TrimSpace(line), `\`)
	line = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(line), ","))
	line = strings.TrimSpace(strings.TrimPrefix(line, "- "))
	return unquoted(line)
}

func unquoted(s string) string {
	if len(s) > 1 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

// readFlags reads one flag a line, as in a Deployment's args or behind a shell's line breaks.
func readFlags(in Input) (*Settings, error) {
	s := newSettings(in.File)
	var wrong Mistakes
	for i, line := range strings.Split(string(in.Data), "\n") {
		bare := bareFlag(line)
		if bare == "" || strings.HasPrefix(bare, "#") {
			continue
		}
		m := flagLine.FindStringSubmatch(bare)
		if m == nil {
			wrong = append(wrong, Mistake{File: in.File, Line: i + 1, Text: "want one flag a line, such as --provider=oidc"})
			continue
		}
		v := Value{Kind: Text, Line: i + 1, Text: unquoted(strings.TrimSpace(m[2]))}
		if !strings.ContainsAny(bare, "= \t") {
			v.Text = "true"
		}
		one := &Setting{Key: strings.ReplaceAll(m[1], "-", "_"), Line: i + 1, Value: v, refers: refersTo(v.Text)}
		addProxy(s, one)
		s.byKey[one.Key].given = "--" + m[1]
	}
	if len(wrong) > 0 {
		return nil, wrong.capped()
	}
	return s, nil
}
