// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
)

// redacted is printed in place of what must not be.
const redacted = "[redacted]"

// New returns a logger that writes JSON lines to w, from level on, without secrets.
func New(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: redact}))
}

// Secret is a string that no log, format verb or encoder prints. [Secret.Reveal] gives it.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// LogValue keeps log/slog from printing it.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format keeps package fmt from printing it, whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText keeps encoders from printing it.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// sensitive are parts of attribute keys in lower case whose values are never printed.
var sensitive = []string{"token", "authorization", "password", "passwd", "secret", "cookie", "credential", "assertion", "private", "dsn"}

func isSensitive(key string) bool {
	key = strings.ToLower(key)
	for _, part := range sensitive {
		if strings.Contains(key, part) {
			return true
		}
	}
	return false
}

// redact is called by log/slog for every attribute, the message included.
func redact(groups []string, a slog.Attr) slog.Attr {
	for _, g := range groups {
		if isSensitive(g) {
			return slog.String(a.Key, redacted)
		}
	}
	if isSensitive(a.Key) {
		return slog.String(a.Key, redacted)
	}
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(scrub(a.Value.String()))
	case slog.KindAny:
		a.Value = redactAny(a.Value)
	}
	return a
}

// redactAny prints errors and Stringers as scrubbed text. Whole requests and headers carry credentials.
func redactAny(v slog.Value) slog.Value {
	switch value := v.Any().(type) {
	case http.Header, *http.Request, *http.Response:
		return slog.StringValue(redacted)
	case error:
		return slog.StringValue(scrub(value.Error()))
	case fmt.Stringer:
		return slog.StringValue(scrub(value.String()))
	}
	return v
}

// jwt matches what begins like a JWT: base64url of `{"`, and at least one more segment.
var jwt = regexp.MustCompile(`eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_.-]+`)

func scrub(s string) string {
	if !strings.Contains(s, "eyJ") {
		return s
	}
	return jwt.ReplaceAllString(s, redacted)
}
