// SPDX-License-Identifier: Apache-2.0

//go:build mutation

package mutation

// assertionChecks are those of outgoing JWTs: the key, what is signed, what a token endpoint answers, and how often it is asked.
var assertionChecks = []mutant{
	{"assertion: iss", "authserver/assertion/sign.go", `c.Issuer == "" || `, ""},
	{"assertion: sub", "authserver/assertion/sign.go", `c.Subject == "" || `, ""},
	{"assertion: aud", "authserver/assertion/sign.go", `c.Audience == "" || `, ""},
	{"assertion: jti", "authserver/assertion/sign.go", `c.ID == "" || `, ""},
	{"assertion: shortest lifetime", "authserver/assertion/sign.go", "c.Lifetime < time.Second || ", ""},
	{"assertion: longest lifetime", "authserver/assertion/sign.go", " || c.Lifetime > MaxLifetime", ""},
	{"assertion: random bytes for jti", "authserver/assertion/sign.go", "if _, err := io.ReadFull(random, id[:]); err != nil {", "if _, err := io.ReadFull(random, id[:]); false && err != nil {"},
	{"assertion: a private JWK", "authserver/assertion/key_parse.go", `if _, ok := members["d"]; !ok {`, `if _, ok := members["d"]; false && !ok {`},
	{"assertion: type of a JWK", "authserver/assertion/key_parse.go", "if !slices.Contains(types, kty) {", "if false {"},
	{"assertion: use of a JWK", "authserver/assertion/key_parse.go", `if err := members.CheckUse("sig", "sign"); err != nil {`, `if err := members.CheckUse("sig", "sign"); false && err != nil {`},
	{"assertion: members that are text", "authserver/assertion/key_parse.go", "if _, err := members.Text(name); err != nil {", "if _, err := members.Text(name); false && err != nil {"},
	{"assertion: a JWK's secret", "authserver/assertion/key_parse.go", `return members.CheckBase64("k")`, "return nil"},
	{"assertion: one PEM block", "authserver/assertion/key_parse.go", "len(bytes.TrimSpace(rest)) > 0", "false"},
	{"assertion: encrypted PEM", "authserver/assertion/key_parse.go", `	case "ENCRYPTED PRIVATE KEY":
		return nil, errors.New(`, `	case "ENCRYPTED PRIVATE KEY ":
		return nil, errors.New(`},
	{"assertion: size of a key", "authserver/assertion/key_parse.go", `	if len(text) > maxKey {
		return readResult{}, errTooLong(len(text))
	}`, ""},
	{"assertion: size of a secret's text", "authserver/assertion/key_parse.go", `	case len(text) > maxKey:
		return readResult{}, errTooLong(len(text))`, `	case false:
		return readResult{}, errTooLong(len(text))`},
	{"assertion: PEM is no secret", "authserver/assertion/key_parse.go", `case bytes.Contains(text, []byte("-----BEGIN ")):`, "case false:"},
	{"assertion: a JWK is no secret", "authserver/assertion/key_parse.go", "case isJWK(text) && isText(text):", "case false:"},
	{"assertion: alg of a JWK", "authserver/assertion/key_parse.go", `if read.algorithm != "" && read.algorithm != algorithm {`, "if false {"},
	{"assertion: bytes of a secret", "authserver/assertion/key_parse.go", `!isText(trimmed) || `, ""},
	{"assertion: an algorithm", "authserver/assertion/key_parse.go", `	if !ok {
		return nil, fmt.Errorf("the algorithm is not supported`, `	if false && !ok {
		return nil, fmt.Errorf("the algorithm is not supported`},
	{"assertion: strength of a key", "authserver/assertion/key.go", `	verifier, err := jwk.New(public)
	if err != nil {
		return nil, fmt.Errorf("checking the key: %w", err)
	}
	if _, err := verifier.With(id, algorithm); err != nil {
		return nil, fmt.Errorf("checking the key: %w", err)
	}`, "\t_, _ = jwk.New(public)"},
	{"assertion: kid, and algorithm of that kind of key", "authserver/assertion/key.go", `if _, err := verifier.With(id, algorithm); err != nil {`, `if _, err := verifier.With(id, algorithm); false && err != nil {`},
	{"assertion: both halves of a key", "authserver/assertion/key.go", `if err := checkHalves(private); err != nil {`, `if err := checkHalves(private); false && err != nil {`},
	{"assertion: what is required", "authserver/assertion/maker.go", `case row.value == "" && row.required:`, "case false:"},
	{"assertion: text that is UTF-8", "authserver/assertion/maker.go", `case quoted(row.value) == "":`, "case false:"},
	{"assertion: lifetime of a credential, least", "authserver/assertion/maker.go", "l < minLifetime || ", ""},
	{"assertion: lifetime of a credential, most", "authserver/assertion/maker.go", " || l > maxLifetime", ""},
	{"assertion: size of a JWT", "authserver/assertion/maker.go", "n > maxToken", "n > 10*maxToken"},
	{"assertion: header alg", "authserver/assertion/maker.go", "if text != key.algorithm {", "if false {"},
	{"assertion: header kid", "authserver/assertion/maker.go", `if text != key.id || text == "" {`, "if false {"},
	{"assertion: header typ", "authserver/assertion/maker.go", `	case "typ":
		if text == "" {`, `	case "typ":
		if false {`},
	{"assertion: header crit and the like", "authserver/assertion/maker.go", `case "crit", "b64", "zip", "enc":`, `case "crit ":`},
	{"assertion: claims with fields", "authserver/assertion/maker.go", `case "iss", "sub", "aud":`, `case "iss ":`},
	{"assertion: claims that are made", "authserver/assertion/maker.go", `case "iat", "exp", "jti":`, `case "iat ":`},
	{"assertion: members by number", "authserver/assertion/claims.go", "len(all) > most", "false"},
	{"assertion: members by size", "authserver/assertion/claims.go", "size > maxExtra", "false"},
	{"assertion: members by depth", "authserver/assertion/claims.go", "case depth(value) > maxDepth:", "case false:"},
	{"assertion: members that are JSON", "authserver/assertion/claims.go", "case !value.IsValid():", "case false:"},
	{"assertion: names of members", "authserver/assertion/claims.go", `name == "" || quoted(name) == ""`, "false"},
	{"assertion: URL of the endpoint", "authserver/assertion/exchange.go", `case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":`, "case err != nil:"},
	{"assertion: user and fragment in the URL", "authserver/assertion/exchange.go", `case u.User != nil || u.Fragment != "":`, "case false:"},
	{"assertion: fields without an endpoint", "authserver/assertion/exchange.go", `if c.GrantType != "" || c.Client != nil || len(c.Parameters) > 0 {`, "if false {"},
	{"assertion: parameters of the request itself", "authserver/assertion/exchange.go", "case slices.Contains(reserved, p.Name):", "case false:"},
	{"assertion: a parameter once", "authserver/assertion/exchange.go", "case slices.Contains(names, p.Name):", "case false:"},
	{"assertion: name of a parameter", "authserver/assertion/exchange.go", `case p.Name == "":`, "case false:"},
	{"assertion: client ID", "authserver/assertion/exchange.go", `case c.Client.ID == "":`, "case false:"},
	{"assertion: secret of a client", "authserver/assertion/exchange.go", `case (c.Client.Secret == "") != (c.Client.Authentication == config.ClientNone):`, "case false:"},
	{"assertion: form-encoded client ID", "authserver/assertion/client.go", "url.QueryEscape(c.config.ID)", "c.config.ID"},
	{"assertion: form-encoded client secret", "authserver/assertion/client.go", "url.QueryEscape(c.config.Secret)", "c.config.Secret"},
	{"assertion: no redirect", "authserver/assertion/exchange.go", "outbound.WithoutRedirects(client).Do(req)", "client.Do(req)"},
	{"assertion: size of an answer", "authserver/assertion/exchange.go", "outbound.ReadBody(resp, maxAnswer)", "outbound.ReadBody(resp, 16*maxAnswer)"},
	{"assertion: media type of an answer", "authserver/assertion/answer.go", "case err != nil || !a.json:", "case err != nil:"},
	{"assertion: JSON of an answer", "authserver/assertion/answer.go", "case err != nil || !a.json:", "case !a.json:"},
	{"assertion: media type of an error", "authserver/assertion/answer.go", "if err != nil || !a.json {", "if err != nil {"},
	{"assertion: JSON of an error", "authserver/assertion/answer.go", "if err != nil || !a.json {", "if !a.json {"},
	{"assertion: status of an answer", "authserver/assertion/answer.go", "case a.status != http.StatusOK:", "case false:"},
	{"assertion: error beside a token", "authserver/assertion/answer.go", `case m.Error != "":`, "case false:"},
	{"assertion: token_type", "authserver/assertion/answer.go", "case !strings.EqualFold(m.TokenType, Bearer):", "case false:"},
	{"assertion: access_token", "authserver/assertion/answer.go", "case !isTokenText(m.AccessToken):", "case false:"},
	{"assertion: characters of a token", "authserver/assertion/answer.go", "text[i] <= ' ' || text[i] > '~' || ", ""},
	{"assertion: delimiters in a token", "authserver/assertion/answer.go", " || strings.IndexByte(`\",;\\`, text[i]) >= 0", ""},
	{"assertion: size of a token", "authserver/assertion/answer.go", " && len(text) <= maxToken", ""},
	{"assertion: expires_in that is none", "authserver/assertion/answer.go", "\tif !ok {", "\tif false && !ok {"},
	{"assertion: expires_in at least a second", "authserver/assertion/answer.go", " || seconds < 1 {", " {"},
	{"assertion: expires_in at most a year", "authserver/assertion/answer.go", "min(math.Floor(seconds), maxLife.Seconds())", "math.Floor(seconds)"},
	{"assertion: digits of expires_in", "authserver/assertion/answer.go", `len(text) > 32 || strings.Trim(text, "0123456789.eE+-") != ""`, "false"},
	{"assertion: error codes that may be told", "authserver/assertion/error.go", "if slices.Contains(registered, code) {", "if true {"},
	{"assertion: longest Retry-After", "authserver/assertion/exchange.go", "return min(max(time.Duration(seconds)*time.Second, 0), MaxRetryAfter)", "return max(time.Duration(seconds)*time.Second, 0)"},
	{"assertion: a token's value in print", "authserver/assertion/token.go", "func (t Token) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(t.String())) }", ""},
	{"assertion: a token's value in JSON", "authserver/assertion/token.go", "return json.Marshal(t.String())", "return json.Marshal(t.Value)"},
	{"assertion: an expired token from memory", "authserver/assertion/source.go", "if h == nil || !h.token.valid(now) {", "if h == nil {"},
	{"assertion: a token that came too late", "authserver/assertion/source.go", "if !token.valid(s.options.Now()) {", "if false {"},
	{"assertion: one flight for all", "authserver/assertion/source.go", "case s.flight != nil:", "case false:"},
	{"assertion: how many wait", "authserver/assertion/source.go", "case s.flight != nil && s.flight.waiting >= s.options.MaxWaiting:", "case false:"},
	{"assertion: a place that is left", "authserver/assertion/source.go", "f.waiting--", "_ = f"},
	{"assertion: one renewal", "authserver/assertion/source.go", "if s.flight == nil && ", "if "},
	{"assertion: wait between renewals", "authserver/assertion/source.go", "!now.Before(s.retryAt) && ", ""},
	{"assertion: wait after a failure", "authserver/assertion/source.go", "case s.failure != nil && now.Before(s.retryAt):", "case false:"},
	{"assertion: jitter of waits", "authserver/assertion/source.go", "(0.5 + 0.5*min(max(jitter, 0), 1))", "0.5"},
	{"assertion: jitter of renewals", "authserver/assertion/token.go", "0.1*min(max(jitter, 0), 1)", "0"},
	{"assertion: longest wait", "authserver/assertion/source.go", "min(asked, MaxRetryAfter)", "asked"},
	{"assertion: an Obtain that panics", "authserver/assertion/source.go", "if recover() != nil {", "if false {"},
	{"assertion: an Obtain that hangs", "authserver/assertion/source.go", "context.WithTimeout(base, flightTime)", "context.WithTimeout(base, 1<<62)"},
}
