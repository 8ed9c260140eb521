// SPDX-License-Identifier: Apache-2.0

// Command mkimage writes a container image of static files as a docker-archive, which `docker load`, `podman load`,
// `ctr images import` and `kind load image-archive` read. It needs no container engine, no registry and no privileges.
//
//	mkimage -tag NAME:TAG -o FILE.tar [-arch ARCH] [-entrypoint PATH] [-label KEY=VALUE]... FILE[=PATH]...
//
// The same input gives the same bytes: nothing in the archive tells time, user or machine. The image has one layer
// with the files, owned by root, and an empty /tmp that everybody may write to; it runs as user 65532.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mkimage:", err)
		os.Exit(2)
	}
}

func run(args []string) error {
	img := image{labels: map[string]string{}}
	flags := flag.NewFlagSet("mkimage", flag.ContinueOnError)
	out := flags.String("o", "", "archive to write")
	flags.StringVar(&img.tag, "tag", "", "the image's name, with a tag")
	flags.StringVar(&img.arch, "arch", runtime.GOARCH, "architecture of the files")
	flags.StringVar(&img.entrypoint, "entrypoint", "", "program that the image runs")
	flags.Func("label", "KEY=VALUE to put on the image", func(s string) error {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("want KEY=VALUE")
		}
		img.labels[key] = value
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *out == "" || img.tag == "" || flags.NArg() == 0 {
		return errors.New("-tag, -o and at least one file are needed")
	}
	for _, arg := range flags.Args() {
		img.files = append(img.files, parseFile(arg))
	}
	return writeWhole(*out, img)
}

// writeWhole writes the archive beside its place and moves it there, so that a half-written one is never loaded.
func writeWhole(path string, img image) (err error) {
	file, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	if err := errors.Join(img.write(file), file.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return os.Rename(file.Name(), path)
}
