// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"strings"
	"testing"
)

// TestServerComesBackWithItsRows guards that what a test does to a server is what its name says.
func TestServerComesBackWithItsRows(t *testing.T) {
	s := New(t, Options{})
	dsn := s.DSN(t)
	if err := execute(t.Context(), dsn, "CREATE TABLE kept (n int)"); err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func(testing.TB){"stop": s.Stop, "kill": s.Kill} {
		end(t)
		if err := execute(t.Context(), dsn, "SELECT 1"); err == nil {
			t.Errorf("%s: the server still answers", name)
		}
		s.Restart(t)
		if err := execute(t.Context(), dsn, "SELECT n FROM kept"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDatabasesAreApart(t *testing.T) {
	a, b := Start(t), Start(t)
	if err := execute(t.Context(), a, "CREATE TABLE mine (n int)"); err != nil {
		t.Fatal(err)
	}
	if err := execute(t.Context(), b, "SELECT n FROM mine"); err == nil || !strings.Contains(err.Error(), "42P01") {
		t.Errorf("the other database: %v", err)
	}
}

func TestNamed(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://u:p@h:5/x?sslmode=disable": "postgres://u:p@h:5/db?sslmode=disable",
		"host=h dbname=x":                      "host=h dbname=x dbname=db",
	} {
		if got := named(dsn, "db"); got != want {
			t.Errorf("%s: got %s, want %s", dsn, got, want)
		}
	}
}
