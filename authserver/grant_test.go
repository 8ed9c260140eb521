// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// TestErrorsOfLogins is how each error of package login is told, and which of them the log hears of.
func TestErrorsOfLogins(t *testing.T) {
	for name, tt := range map[string]struct {
		err        error
		status     int
		code       string
		retryAfter string
		logged     bool
	}{
		"off":               {login.ErrDisabled, 404, "not_found", "", false},
		"wrong password":    {login.ErrInvalidCredentials, 401, "invalid_credentials", "", false},
		"locked":            {&login.LockedError{RetryAfter: 61*time.Second + time.Millisecond}, 429, "too_many_attempts", "62", false},
		"no slot":           {password.ErrBusy, 503, "temporarily_unavailable", "1", false},
		"the store is away": {store.ErrUnavailable, 503, "temporarily_unavailable", "5", false},
		"bad grant":         {login.ErrInvalidGrant, 400, "invalid_grant", "", false},
		"a fault":           {errors.New("disk 7 is on fire"), 503, "temporarily_unavailable", "5", true},
		"a costly hash":     {password.ErrTooCostly, 503, "temporarily_unavailable", "5", true},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			w := httptest.NewRecorder()
			writeGrantError(t.Context(), w, slog.New(slog.NewJSONHandler(&log, nil)), fmt.Errorf("somewhere: %w", tt.err))
			wantRefusal(t, w, tt.status, tt.code)
			if got := w.Header().Get("Retry-After"); got != tt.retryAfter {
				t.Errorf("Retry-After %q, want %q", got, tt.retryAfter)
			}
			if (log.Len() > 0) != tt.logged || strings.Contains(w.Body.String(), "somewhere") {
				t.Errorf("logged %q, told %s", log.String(), w.Body)
			}
		})
	}
}
