// SPDX-License-Identifier: Apache-2.0

package optest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// SessionID is the sid of every ID token.
const SessionID = "session-1"

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone
}

func (op *OP) metadata(w http.ResponseWriter, _ *http.Request) {
	m := map[string]any{
		"issuer": op.Issuer(), "authorization_endpoint": op.URL(PathAuthorize), "token_endpoint": op.URL(PathToken), "jwks_uri": op.URL(PathJWKS),
		"userinfo_endpoint": op.URL(PathUserInfo), "end_session_endpoint": op.URL(PathEndSession),
		"authorization_response_iss_parameter_supported": true, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256", "ES256", "EdDSA", "HS256"}, "backchannel_logout_supported": true,
		"code_challenge_methods_supported": []string{"S256"}, "token_endpoint_auth_methods_supported": []string{op.options.Client.Method},
	}
	if edit := op.now().Metadata; edit != nil {
		edit(m)
	}
	writeJSON(w, http.StatusOK, m)
}

// now returns the behaviour in force.
func (op *OP) now() Behaviour {
	op.mu.Lock()
	defer op.mu.Unlock()
	return op.behaviour
}

func (op *OP) jwks(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	_, _ = w.Write(op.published())
}

// authorize logs in without a word (OpenID Connect Core 1.0 §3.1.2).
func (op *OP) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	c := op.options.Client
	switch {
	case q.Get("client_id") != c.ID, len(c.RedirectURIs) > 0 && !slices.Contains(c.RedirectURIs, q.Get("redirect_uri")):
		http.Error(w, "unknown client or redirect URI", http.StatusBadRequest)
		return
	case q.Get("response_type") != "code", !slices.Contains(strings.Fields(q.Get("scope")), "openid"), q.Get("state") == "":
		http.Error(w, "not an authorization request for a code", http.StatusBadRequest)
		return
	case q.Get("code_challenge") != "" && q.Get("code_challenge_method") != "S256":
		http.Error(w, "only S256 is supported", http.StatusBadRequest)
		return
	}
	code := random()
	op.mu.Lock()
	op.last = maps.Clone(q)
	op.codes[code] = &grant{nonce: q.Get("nonce"), challenge: q.Get("code_challenge"), redirectURI: q.Get("redirect_uri"), scope: q.Get("scope")}
	edit := op.behaviour.Callback
	op.mu.Unlock()

	answer := url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {op.Issuer()}}
	if edit != nil {
		edit(answer)
	}
	target, err := url.Parse(q.Get("redirect_uri"))
	if err != nil {
		http.Error(w, "redirect_uri is no URL", http.StatusBadRequest)
		return
	}
	query := target.Query()
	maps.Copy(query, answer)
	target.RawQuery = query.Encode()
	http.Redirect(w, r, target.String(), http.StatusFound) //nolint:gosec // a fake for tests, whose relying party chooses the target
}

// token exchanges codes and refresh tokens (OpenID Connect Core 1.0 §3.1.3 and §12).
func (op *OP) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.ParseForm() != nil || len(r.URL.Query()) > 0 {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_request"})
		return
	}
	if !op.authenticated(r) {
		writeJSON(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	g, ok := op.redeem(r.PostForm)
	if !ok {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	if before := op.now().BeforeSigning; before != nil {
		before(op)
	}
	access, refresh := "at-"+random(), "rt-"+random()
	answer := map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": 300, "refresh_token": refresh,
		"id_token": op.idToken(g, access, r.PostForm.Get("grant_type") == "refresh_token"),
	}
	op.mu.Lock()
	op.access[access], op.refresh[refresh] = g, &grant{scope: g.scope, nonce: g.nonce}
	op.mu.Unlock()
	if edit := op.now().TokenAnswer; edit != nil {
		edit(answer)
	}
	writeJSON(w, http.StatusOK, answer)
}

// redeem takes a code or refresh token; each works once.
func (op *OP) redeem(form url.Values) (*grant, bool) {
	op.mu.Lock()
	defer op.mu.Unlock()
	var g *grant
	switch form.Get("grant_type") {
	case "authorization_code":
		g = op.codes[form.Get("code")]
		if g == nil || g.spent || g.redirectURI != form.Get("redirect_uri") || !proves(form.Get("code_verifier"), g.challenge) {
			return nil, false
		}
	case "refresh_token":
		if g = op.refresh[form.Get("refresh_token")]; g == nil || g.spent {
			return nil, false
		}
	default:
		return nil, false
	}
	g.spent = true
	return g, true
}

// proves tells whether a verifier is that of the challenge (RFC 7636 §4.6).
func proves(verifier, challenge string) bool {
	if challenge == "" {
		return verifier == ""
	}
	sum := sha256.Sum256([]byte(verifier))
	return len(verifier) >= 43 && base64.RawURLEncoding.EncodeToString(sum[:]) == challenge
}

func (op *OP) idToken(g *grant, access string, refreshed bool) string {
	at := op.options.Now()
	sum := sha256.Sum256([]byte(access))
	claims := op.user()
	maps.Copy(claims, map[string]any{
		"iss": op.Issuer(), "aud": op.options.Client.ID, "iat": at.Unix(), "exp": at.Add(5 * time.Minute).Unix(), "auth_time": at.Unix(),
		"nonce": g.nonce, "sid": SessionID, "at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]),
	})
	if g.nonce == "" || refreshed {
		delete(claims, "nonce")
	}
	b := op.now()
	if b.Algorithm == "EdDSA" {
		delete(claims, "at_hash")
	}
	if b.IDToken != nil {
		b.IDToken(claims)
	}
	return op.Sign(claims, b.IDTokenHeader)
}

// userInfo answers whoever has an access token in the header (OpenID Connect Core 1.0 §5.3).
func (op *OP) userInfo(w http.ResponseWriter, r *http.Request) {
	access, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	op.mu.Lock()
	g := op.access[access]
	op.mu.Unlock()
	if !isBearer || g == nil {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	claims := op.user()
	if edit := op.now().UserInfo; edit != nil {
		edit(claims)
	}
	writeJSON(w, http.StatusOK, claims)
}

// endSession logs out and sends the browser back (OpenID Connect RP-Initiated Logout 1.0).
func (op *OP) endSession(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	op.mu.Lock()
	op.ended = maps.Clone(q)
	op.mu.Unlock()
	target, err := url.Parse(q.Get("post_logout_redirect_uri"))
	if err != nil || target.Host == "" {
		_, _ = w.Write([]byte("logged out"))
		return
	}
	if state := q.Get("state"); state != "" {
		query := target.Query()
		query.Set("state", state)
		target.RawQuery = query.Encode()
	}
	http.Redirect(w, r, target.String(), http.StatusFound) //nolint:gosec // a fake for tests, whose relying party chooses the target
}

// LogoutToken makes a logout token for everybody who logged in (OpenID Connect Back-Channel Logout 1.0 §2.4). edit may be nil, or change claims and header.
func (op *OP) LogoutToken(edit func(claims, header map[string]any)) string {
	at := op.options.Now()
	claims := map[string]any{
		"iss": op.Issuer(), "aud": op.options.Client.ID, "iat": at.Unix(), "exp": at.Add(2 * time.Minute).Unix(), "jti": random(),
		"sub": op.User["sub"], "sid": SessionID, "events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	header := map[string]any{"typ": "logout+jwt"}
	if edit != nil {
		edit(claims, header)
	}
	return op.Sign(claims, func(h map[string]any) {
		delete(h, "typ")
		maps.Copy(h, header)
	})
}
