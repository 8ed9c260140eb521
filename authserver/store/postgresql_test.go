// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
	"github.com/gatehouse-auth/gatehouse/authserver/store/conformance"
	"github.com/gatehouse-auth/gatehouse/test/postgres"
)

func openPostgres(t testing.TB, dsn string, options ...store.Option) *store.PostgreSQL {
	t.Helper()
	s, err := store.OpenPostgreSQL(t.Context(), dsn, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestPostgreSQL(t *testing.T) {
	conformance.Run(t, func(t *testing.T, o ...store.Option) store.Store { return openPostgres(t, postgres.Start(t), o...) })
}
