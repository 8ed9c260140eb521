// SPDX-License-Identifier: Apache-2.0

//go:build mutation

package mutation

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// variable is the environment variable that names the check to switch off.
const variable = "GATEHOUSE_CHECK_OFF"

// bench is test binaries with a switch for each row: the function that a row changes stands there twice, and the original calls
// the changed one where the environment says so. One build then serves all rows of a suite.
type bench struct {
	binaries []binary
	// switches are the names of the rows' switches. A row that changes something else than the body of a function has none.
	switches map[string]string
}

// binary is the tests of a package.
type binary struct{ file, dir string }

// build makes the bench of rows for the tests of packages, below dir.
func build(ctx context.Context, root, dir string, rows []mutant, packages []string) (*bench, error) {
	b := &bench{switches: map[string]string{}}
	overlay, err := b.overlay(root, dir, rows)
	if err != nil {
		return nil, err
	}
	args := append([]string{"test", "-c", "-overlay", overlay, "-vet=off", "-gcflags=-e", "-o", dir + "/"}, packages...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the tests: %w\n%s", err, out)
	}
	for _, p := range packages {
		b.binaries = append(b.binaries, binary{filepath.Join(dir, path.Base(p)+".test"), filepath.Join(root, p)})
	}
	return b, nil
}

// overlay writes the files with switches.
func (b *bench) overlay(root, dir string, rows []mutant) (string, error) {
	byFile := map[string][]mutant{}
	for _, m := range rows {
		byFile[m.file] = append(byFile[m.file], m)
	}
	replace := map[string]string{}
	written := 0 // not len(replace): a folder's check_off.go is written with each of its files
	write := func(name string, text []byte) error {
		to := filepath.Join(dir, strconv.Itoa(written)+".go")
		written++
		replace[filepath.Join(root, name)] = to
		return os.WriteFile(to, text, 0o600)
	}
	for name, changes := range byFile {
		source, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return "", fmt.Errorf("reading the file to change: %w", err)
		}
		text, in, err := b.switched(source, changes)
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		variable := fmt.Sprintf("package %s\n\nimport \"os\"\n\nvar checkOff = os.Getenv(%q)\n", in, variable)
		if err := errors.Join(write(name, text), write(path.Dir(name)+"/check_off.go", []byte(variable))); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, text, 0o600)
}

// switched puts the switches of rows into a file, and returns its package.
func (b *bench) switched(source []byte, rows []mutant) (text []byte, in string, err error) {
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, "", err
	}
	type insertion struct {
		at   int
		text string
	}
	var list []insertion
	offset := func(p token.Pos) int { return files.Position(p).Offset }
	for _, m := range rows {
		at := bytes.Index(source, []byte(m.check))
		f := bodyAround(parsed, offset, at, at+len(m.check))
		if f == nil {
			continue
		}
		id := strconv.Itoa(len(b.switches))
		call, ok := callOf(f, "Off"+id)
		if !ok {
			continue
		}
		b.switches[m.name] = id
		start, end, name := offset(f.Pos()), offset(f.End()), offset(f.Name.End())
		if f.Recv == nil {
			start = offset(f.Type.Pos())
		}
		changed := string(source[start:name]) + "Off" + id + string(source[name:at]) + m.off + string(source[at+len(m.check):end])
		list = append(list,
			insertion{offset(f.Body.Lbrace) + 1, fmt.Sprintf(" if checkOff == %q { %s }; ", id, call)},
			insertion{len(source), "\n//line " + m.name + ":1\n" + changed + "\n"}) // by which the compiler tells a row that is wrong
	}
	slices.SortStableFunc(list, func(a, b insertion) int { return cmp.Compare(b.at, a.at) })
	text = source
	for _, i := range list {
		text = slices.Concat(text[:i.at], []byte(i.text), text[i.at:])
	}
	return text, parsed.Name.Name, nil
}

// bodyAround returns the function in whose body the bytes from start to end are; nil if there is none.
func bodyAround(file *ast.File, offset func(token.Pos) int, start, end int) *ast.FuncDecl {
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if ok && f.Body != nil && offset(f.Body.Lbrace) < start && end <= offset(f.Body.Rbrace) {
			return f
		}
	}
	return nil
}

// callOf is the statement by which a function calls the one with a suffix to its name; false if its parameters have no names.
func callOf(f *ast.FuncDecl, suffix string) (string, bool) {
	name := f.Name.Name + suffix
	if f.Recv != nil {
		names := f.Recv.List[0].Names
		if len(names) == 0 || names[0].Name == "_" {
			return "", false
		}
		name = names[0].Name + "." + name
	}
	var args []string
	for _, p := range f.Type.Params.List {
		if len(p.Names) == 0 {
			return "", false
		}
		for _, n := range p.Names {
			arg := n.Name
			if arg == "_" {
				return "", false
			}
			if _, variadic := p.Type.(*ast.Ellipsis); variadic {
				arg += "..."
			}
			args = append(args, arg)
		}
	}
	call := name + "(" + strings.Join(args, ", ") + ")"
	if f.Type.Results == nil {
		return call + "; return", f.Type.TypeParams == nil
	}
	return "return " + call, f.Type.TypeParams == nil
}

// run runs the tests with a switch, "" for none, and returns what they print and how they end: the first package's that fail.
func (b *bench) run(ctx context.Context, s *suite, id string) ([]byte, error) {
	for _, each := range b.binaries {
		cmd := exec.CommandContext(ctx, each.file, append([]string{"-test.failfast", "-test.timeout=2m"}, s.filters("test.")...)...)
		cmd.Dir = each.dir
		cmd.Env = append(os.Environ(), variable+"="+id)
		if out, err := cmd.CombinedOutput(); err != nil {
			return out, err
		}
	}
	return nil, nil
}
