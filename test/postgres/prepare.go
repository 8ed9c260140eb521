// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// Password is that of the server's user. Tests look for it where it must not be.
const Password = "hush-4f1d2c9e"

// binaries is the folder with the newest installed server's programs, or "".
func binaries() string {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	newest, version := "", 0
	for _, path := range found {
		bin := filepath.Dir(path)
		if v, bad := strconv.Atoi(filepath.Base(filepath.Dir(bin))); bad == nil && v > version {
			newest, version = bin, v
		}
	}
	if newest != "" && err == nil {
		return newest
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	return ""
}

// attributes have root's children run as somebody else, apart from the terminal's signals.
func attributes() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true}
	if uid, gid, ok := somebody(); ok {
		a.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	return a
}

// somebody is whom root runs the server as.
func somebody() (uid, gid uint32, ok bool) {
	if os.Getuid() != 0 {
		return 0, 0, false
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return uint32(uid), uint32(gid), true
		}
	}
	return 0, 0, false
}

// prepare makes the files of a server and its guard.
func prepare(bin string, o Options) (*Server, error) {
	dir, err := os.MkdirTemp("", "gatehouse-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, dir: dir, options: o}
	if err := s.fill(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func (s *Server) fill() (err error) {
	if s.port, err = freePort(); err != nil {
		return err
	}
	secret := filepath.Join(s.dir, "password")
	if err := os.WriteFile(secret, []byte(Password), 0o644); err != nil {
		return err
	}
	if uid, gid, ok := somebody(); ok {
		if err := os.Chown(s.dir, int(uid), int(gid)); err != nil {
			return err
		}
	}
	cmd := exec.Command(filepath.Join(s.bin, "initdb"), "-D", filepath.Join(s.dir, "data"), "-U", "gatehouse", "--pwfile="+secret,
		"--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync")
	cmd.Dir, cmd.SysProcAttr = s.dir, attributes()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	if err := s.certify(); err != nil {
		return err
	}
	return s.watch()
}

// certify puts certificate and key where the server looks for them, and the key where nobody else may read it: else it does not start.
func (s *Server) certify() error {
	if s.options.Certificate == nil {
		return nil
	}
	for name, pem := range map[string][]byte{"server.crt": s.options.Certificate, "server.key": s.options.Key} {
		path := filepath.Join(s.dir, "data", name)
		if err := os.WriteFile(path, pem, 0o600); err != nil {
			return err
		}
		if uid, gid, ok := somebody(); ok {
			if err := os.Chown(path, int(uid), int(gid)); err != nil {
				return err
			}
		}
	}
	return nil
}

// watch starts the guard: a shell that waits for this process to end, however it does, and then ends the server and removes its files.
func (s *Server) watch() error {
	guard := exec.Command("/bin/sh", "-c", `cat >/dev/null
pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" && while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
rm -rf "$0"`, s.dir)
	guard.Dir, guard.SysProcAttr = "/", &syscall.SysProcAttr{Setpgid: true}
	held, err := guard.StdinPipe()
	if err != nil {
		return err
	}
	s.guard = held
	if err := guard.Start(); err != nil {
		return err
	}
	go func() { _ = guard.Wait() }() // only so that it leaves no zombie
	return nil
}
