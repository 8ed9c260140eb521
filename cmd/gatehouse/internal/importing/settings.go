// SPDX-License-Identifier: Apache-2.0

package importing

// Setting is a name of a file and its value.
type Setting struct {
	Key   string
	Line  int
	Value Value

	given  string // the file's name for it, where Key is another spelling; see Name
	refers bool   // a shell would put a variable's value into it
	times  int    // how often the file has it
}

// Settings are those of a file, in its order. Readers such as Text remember which were asked for, so that Rest can tell of the others, and gather mistakes.
type Settings struct {
	file     string
	all      []*Setting
	byKey    map[string]*Setting
	read     map[string]bool
	secrets  map[string]string // what Secret returned, by key
	mistakes Mistakes
	notes    []Note
	children []*Settings // of mappings inside; see Child
	place    string      // where these are in the file, such as connectors[2].config; "" for the file's own
	env      bool        // they are variables of an environment
}

func newSettings(file string) *Settings {
	return &Settings{file: file, byKey: map[string]*Setting{}, read: map[string]bool{}, secrets: map[string]string{}}
}

// add takes a setting; one that is there already is replaced.
func (s *Settings) add(one *Setting) {
	if old := s.byKey[one.Key]; old != nil {
		one.times = old.times + 1
		*old = *one
		return
	}
	one.times = 1
	s.byKey[one.Key] = one
	s.all = append(s.all, one)
}

// SettingsOf are the members of a mapping.
func SettingsOf(in Input, v Value) (*Settings, error) {
	if v.Kind != Mapping {
		return nil, Mistakes{{File: in.File, Line: v.Line, Text: "want a mapping of names to values"}}
	}
	s := newSettings(in.File)
	for _, m := range v.Members {
		s.add(&Setting{Key: m.Name, Line: m.Line, Value: m.Value})
	}
	return s, nil
}

// Child are the settings of a mapping inside a file. Finish tells of its mistakes, notes and unread settings too, by their names inside it and their lines. What is no mapping is a
// mistake, and has no settings; an absent one has none either.
func (s *Settings) Child(v Value) *Settings {
	child := newSettings(s.file)
	if v.Kind != Mapping && v.Kind != Null {
		s.mistakes = append(s.mistakes, Mistake{File: s.file, Line: v.Line, Text: "want a mapping of names to values"})
	}
	for _, m := range v.Members {
		child.add(&Setting{Key: m.Name, Line: m.Line, Value: m.Value})
	}
	s.children = append(s.children, child)
	return child
}

// ChildOf are the settings of the mapping that a setting has.
func (s *Settings) ChildOf(key string) *Settings {
	value := Value{}
	if one := s.Get(key); one != nil {
		value = one.Value
	}
	return s.ChildAt(key, value)
}

// ChildAt is Child with its place below these settings, by which messages name it. The place must be no text of the file.
func (s *Settings) ChildAt(place string, v Value) *Settings {
	child := s.Child(v)
	child.place = s.at(place)
	return child
}

// at is a name below the place of these settings.
func (s *Settings) at(name string) string {
	if s.place == "" || name == "" {
		return s.place + name
	}
	return s.place + "." + name
}

// family are these settings and those inside.
func (s *Settings) family() []*Settings {
	out := []*Settings{s}
	for _, child := range s.children {
		out = append(out, child.family()...)
	}
	return out
}

// Keys are the names of all settings, in the file's order.
func (s *Settings) Keys() []string {
	keys := make([]string, len(s.all))
	for i, one := range s.all {
		keys[i] = one.Key
	}
	return keys
}

// Has tells whether there is a value that is not empty.
func (s *Settings) Has(key string) bool {
	one := s.byKey[key]
	return one != nil && one.Value.Kind != Null && (one.Value.Kind != Text || one.Value.Text != "")
}

// Get is a setting, which counts as read; nil where it is absent or empty, which is the same to those who read such files.
func (s *Settings) Get(key string) *Setting {
	one := s.byKey[key]
	if one == nil {
		return nil
	}
	if !s.read[key] {
		s.read[key] = true
		if one.times > 1 {
			s.Tell(key, "it is there %d times: the last one counts", one.times)
		}
		if one.refers {
			s.Tell(key, "it names a variable with $, and is read as it stands: write the value itself, or put it in single quotes if it holds a $")
		}
	}
	if !s.Has(key) {
		return nil
	}
	return one
}
