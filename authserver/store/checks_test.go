// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// TestATakenCodeKeepsNoData guards what a copy of the database has of codes that were used: who, and nothing else.
func TestATakenCodeKeepsNoData(t *testing.T) {
	s := open(t, "")
	defer s.Close()
	c := store.Code{Key: token(1), Owner: "owner", Data: []byte("data"), ExpiresAt: start.Add(time.Minute)}
	if err := s.PutCode(t.Context(), c, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.TakeCode(t.Context(), c.Key, token(2), start); err != nil {
		t.Fatal(err)
	}
	var left []byte
	if err := s.DB().QueryRowContext(t.Context(), `SELECT data FROM codes`).Scan(&left); err != nil || len(left) > 0 {
		t.Errorf("%q is left, %v", left, err)
	}
}
