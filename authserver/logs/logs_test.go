// SPDX-License-Identifier: Apache-2.0

package logs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/logs"
)

// TestNoSecretIsPrinted guards every way in which the word could reach a line.
func TestNoSecretIsPrinted(t *testing.T) {
	const word = "hunter2"
	const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.c2ln"
	request, err := http.NewRequest(http.MethodGet, "http://auth.example/?q="+word, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Jwt-Token", word)
	cases := map[string]func(*slog.Logger){
		"key":             func(l *slog.Logger) { l.Info("m", "token", word) },
		"key in any case": func(l *slog.Logger) { l.Info("m", "X-JWT-Token", word, "Authorization", word, "Set-Cookie", word) },
		"key part":        func(l *slog.Logger) { l.Info("m", "refresh_token", word, "clientSecret", word, "oldPassword", word) },
		"number":          func(l *slog.Logger) { l.Info("m", "password", []byte(word)) },
		"group":           func(l *slog.Logger) { l.Info("m", slog.Group("password", "value", word)) },
		"WithGroup":       func(l *slog.Logger) { l.WithGroup("cookie").Info("m", "value", word) },
		"With":            func(l *slog.Logger) { l.With("secret", word).Info("m") },
		"Secret":          func(l *slog.Logger) { l.Info("m", "value", logs.Secret(word)) },
		"Secret in text": func(l *slog.Logger) {
			l.Info(fmt.Sprintf("%s %v %+v %#v %q %x", logs.Secret(word), logs.Secret(word), logs.Secret(word), logs.Secret(word), logs.Secret(word), logs.Secret(word)))
		},
		"Secret in JSON": func(l *slog.Logger) { l.Info("m", "value", map[string]logs.Secret{"a": logs.Secret(word)}) },
		"header":         func(l *slog.Logger) { l.Info("m", "header", request.Header) },
		"request":        func(l *slog.Logger) { l.Info("m", "request", request) },
		"message":        func(l *slog.Logger) { l.Info("refused " + jwt) },
		"string":         func(l *slog.Logger) { l.Info("m", "detail", "refused "+jwt+" at once") },
		"error":          func(l *slog.Logger) { l.Info("m", "error", errors.New("parsing "+jwt)) },
	}
	for name, log := range cases {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			log(logs.New(&out, slog.LevelInfo))
			for _, bad := range []string{word, "68756e74657232", jwt, "eyJzdWIi"} {
				if strings.Contains(out.String(), bad) {
					t.Errorf("printed %q: %s", bad, &out)
				}
			}
			if !json.Valid(out.Bytes()) || !strings.Contains(out.String(), "redacted") {
				t.Errorf("not a JSON line that says so: %s", &out)
			}
		})
	}
}

func TestWhatIsNoSecretIsPrinted(t *testing.T) {
	var out bytes.Buffer
	logs.New(&out, slog.LevelInfo).Info("ready", "listen", "127.0.0.1:8080", "error", errors.New("reading base.json"), "count", 3)
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["msg"] != "ready" || line["listen"] != "127.0.0.1:8080" || line["error"] != "reading base.json" || line["count"] != 3.0 {
		t.Errorf("got %v", line)
	}
	if got := logs.Secret("hunter2").Reveal(); got != "hunter2" {
		t.Errorf("Reveal gave %q", got)
	}
}
