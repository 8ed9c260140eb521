// SPDX-License-Identifier: Apache-2.0

package login

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"

	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
)

// A Result is what became of an attempt to log in.
type Result string

// Results.
const (
	Succeeded   Result = "succeeded"
	Failed      Result = "failed"      // unknown or disabled user, or a wrong password
	Locked      Result = "locked"      // not looked at
	Busy        Result = "busy"        // no slot for its hash
	Unavailable Result = "unavailable" // a fault, mostly of the store
)

// Results are all values of Result.
func Results() []Result { return []Result{Succeeded, Failed, Locked, Busy, Unavailable} }

// An audit tells of one attempt.
type audit struct {
	service   *Service
	snap      *Snapshot
	name      string // folded, as somebody typed it: never told
	attempt   Attempt
	forwarded bool // see Credentials
	who       candidate
	verdict   Verdict
}

// tell counts and logs the outcome. Attempts that are not looked at are counted only: nothing bounds their number.
func (a *audit) tell(ctx context.Context, account *Account, err error) {
	result := resultOf(err)
	if a.service.Observe != nil {
		a.service.Observe(result)
	}
	switch result {
	case Succeeded:
		a.log(ctx, slog.LevelInfo, "logged in", logs.EventLoginSucceeded, slog.String("user", account.Subject))
	case Failed:
		a.log(ctx, slog.LevelInfo, "login refused", logs.EventLoginFailed, a.whose(), slog.String("reason", a.reason()))
	}
	if a.verdict.Locked != "" {
		a.log(ctx, slog.LevelWarn, "too many failed logins: further ones have to wait", logs.EventLoginLocked, a.whose(), slog.String("scope", string(a.verdict.Locked)))
	}
	if a.verdict.Locked == LockedNetwork && a.forwarded {
		a.service.proxyTold.Do(func() { a.tellProxy(ctx) })
	}
}

// tellProxy tells once in a process what may be wrong, since anybody can send the header.
func (a *audit) tellProxy(ctx context.Context) {
	a.service.Log.LogAttrs(ctx, slog.LevelWarn, "an address is locked for all names, and its requests carry X-Forwarded-For: if it is that of your gateway or load balancer, "+
		"everybody behind it is one client; name its network in spec.login.trustedProxies of the AuthServer", slog.String("client", a.attempt.Network.String()))
}

func resultOf(err error) Result {
	var locked *LockedError
	switch {
	case err == nil:
		return Succeeded
	case errors.Is(err, ErrInvalidCredentials):
		return Failed
	case errors.As(err, &locked):
		return Locked
	case errors.Is(err, password.ErrBusy):
		return Busy
	}
	return Unavailable
}

func (a *audit) log(ctx context.Context, level slog.Level, message, event string, more ...slog.Attr) {
	a.service.Log.LogAttrs(ctx, level, message, append([]slog.Attr{
		slog.String("event", event), slog.String("provider", a.snap.directory.provider), slog.String("client", a.attempt.Network.String()),
	}, more...)...)
}

// whose names the user by subject. Somebody unknown is named by a mark that only tells whether two attempts used one name: it
// could be a password that was typed into the wrong field.
func (a *audit) whose() slog.Attr {
	switch {
	case a.who.account != nil:
		return slog.String("user", a.who.account.Subject)
	case a.who.user != nil:
		return slog.String("user", a.who.user.ID)
	}
	mac := hmac.New(sha256.New, a.snap.directory.decoys.key[:])
	_, _ = mac.Write([]byte("unknown name\x00" + a.name)) // never fails
	return slog.String("unknown", hex.EncodeToString(mac.Sum(nil)[:8]))
}

func (a *audit) reason() string {
	switch {
	case a.who.account != nil:
		return "wrong password"
	case a.who.user != nil:
		return "user disabled"
	}
	return "unknown user"
}
