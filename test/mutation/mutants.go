// SPDX-License-Identifier: Apache-2.0

//go:build mutation

package mutation

import "path"

// mutant is a check and what stands there once it is off.
type mutant struct {
	name, file, check, off string
}

// packages are those whose tests should notice: the file's own, and the engine that puts all of them together.
func (m *mutant) packages() []string {
	own := "./" + path.Dir(m.file)
	if own == engine {
		return []string{engine}
	}
	return []string{own, engine}
}

const engine = "./authserver/policy"

// mutants are the checks of the verifier, in the order of DESIGN §7 within each package.
var mutants = []mutant{
	{"token: length", "authserver/token/parse.go", "len(raw) > MaxLength", "false"},
	{"token: characters", "authserver/token/parse.go", "!allowed[raw[i]]", "false"},
	{"token: number of segments", "authserver/token/parse.go", "segments != 3 && segments != 5", "false"},
	{"token: empty segments", "authserver/token/parse.go", "parts[0] == \"\" || parts[2] == \"\"", "false"},
	{"token: canonical base64url", "authserver/token/parse.go", "base64.RawURLEncoding.Strict()", "base64.RawURLEncoding"},
	{"token: encryption required, at parsing", "authserver/token/parse.go", `if err := r.Encryption.checkRequired(); err != nil {
		return nil, err
	}`, ""},
	{"token: signature", "authserver/token/parse.go", "if err := key.Verify(alg, t.raw[:t.signed], t.sig); err != nil {", "if err := key.Verify(alg, t.raw[:t.signed], t.sig); false && err != nil {"},
	{"token: key fits the algorithm", "authserver/token/parse.go", "if err := key.Fits(t.header.alg); err != nil {", "if err := key.Fits(t.header.alg); false && err != nil {"},
	{"token: kid of the key that verifies", "authserver/token/parse.go", "t.header.hasKid && key.ID() != \"\" && key.ID() != t.header.kid", "false"},
	{"token: no signature to verify inside", "authserver/token/parse.go", `	if t.direct {
		return refuse(`, `	if false {
		return refuse(`},
	{"token: header members are strings", "authserver/token/header.go", "\tif !is {", "\tif false {"},
	{"token: alg present", "authserver/token/header.go", "\tif !h.hasAlg {", "\tif false {"},
	{"token: alg of the policy", "authserver/token/header.go", "!slices.Contains(r.Algorithms, h.alg)", "false"},
	{"token: enc of a JWE in a JWS", "authserver/token/header.go", "if h.sealed {", "if false {"},
	{"token: crit", "authserver/token/header.go", "case h.crit:", "case false:"},
	{"token: b64", "authserver/token/header.go", "case h.b64:", "case false:"},
	{"token: zip", "authserver/token/header.go", "case h.zip:", "case false:"},
	{"token: typ absent", "authserver/token/header.go", "if slices.Contains(types, \"\") {", "if true {"},
	{"token: typ of the policy", "authserver/token/header.go", "t != \"\" && equalFold(typ, t)", "t != \"\" || equalFold(typ, t)"},
	{"token: typ by ASCII alone", "authserver/token/header.go", "if c != lower[i] {", "if false {"},
	{"token: JSON bounds", "authserver/token/json.go", "if err := checkBounds(all); err != nil {", "if err := checkBounds(all); false && err != nil {"},
	{"token: JSON depth", "authserver/token/json.go", "depth++; depth > maxDepth", "depth++; depth > 4*maxDepth"},
	{"token: JSON members", "authserver/token/json.go", "commas[depth]++; commas[depth] >= maxMembers", "commas[depth]++; false"},
	{"token: JSON numbers", "authserver/token/json.go", "end-i > maxNumber", "false"},
	{"token: nothing after the JSON", "authserver/token/json.go", "if _, err := r.dec.ReadToken(); err != io.EOF {", "if false && io.EOF != nil {"},
	{"token: claims only when verified", "authserver/token/claims.go", "if !t.verified {", "if false {"},
	{"token: claims that are strings", "authserver/token/claims.go", `	text, ok := m.value.Text()
	if !ok {
		return "", refuse(ReasonClaimType`, `	text, ok := m.value.Text()
	if false && !ok {
		return "", refuse(ReasonClaimType`},
	{"token: aud", "authserver/token/claims.go", `	list, ok := m.value.Strings()
	if !ok {`, `	list, ok := m.value.Strings()
	if false && !ok {`},
	{"token: NumericDate is a number", "authserver/token/claims.go", `	number, ok := m.value.Number()
	if !ok {
		return time.Time{}, refuse(`, `	number, ok := m.value.Number()
	if !ok {
		return time.Time{}, nil
	}
	if !ok {
		return time.Time{}, refuse(`},
	{"token: NumericDate range", "authserver/token/claims.go", `	at, ok := numericDate(number)
	if !ok {`, `	at, ok := numericDate(number)
	if false && !ok {`},
	{"token: NumericDate not negative", "authserver/token/numericdate.go", `if strings.HasPrefix(number, "-") {
		return time.Time{}, false`, `if strings.HasPrefix(number, "-") {
		return time.Unix(0, 0), true`},
	{"token: exp present", "authserver/token/claims.go", "if _, ok := c.members.lookup(\"exp\"); !ok {", "if _, ok := c.members.lookup(\"exp\"); false && !ok {"},
	{"token: exp", "authserver/token/claims.go", "if !c.Expiry.After(now.Add(-leeway)) {", "if _, ok := c.members.lookup(\"exp\"); ok && false {"},
	{"token: nbf", "authserver/token/claims.go", "if c.NotBefore.After(latest) {", "if false {"},
	{"token: iat", "authserver/token/claims.go", "if c.IssuedAt.After(latest) {", "if false {"},
	{"token: JWE without decryption", "authserver/token/encrypted.go", `	if e == nil {
		return nil, nil, refuse`, `	if e == nil {
		e = new(Encryption)
	}
	if false {
		return nil, nil, refuse`},
	{"token: empty JWE header", "authserver/token/encrypted.go", "if parts[0] == \"\" {", "if false {"},
	{"token: JWE header of the policy", "authserver/token/encrypted.go", "\tif err := h.check(e); err != nil {", "\tif err := h.check(e); false && err != nil {"},
	{"token: no JWE inside a JWE", "authserver/token/encrypted.go", "if segments == 5 {", "if segments == 4 {"},
	{"token: claims directly inside", "authserver/token/encrypted.go", "return e.Direct && jwe.IsSymmetric(alg)", "return jwe.IsSymmetric(alg)"},
	{"token: claims directly inside, symmetric", "authserver/token/encrypted.go", "return e.Direct && jwe.IsSymmetric(alg)", "return e.Direct"},
	{"token: typ of claims directly inside", "authserver/token/encrypted.go", "\tif err := h.checkType(r.Types); err != nil {", "\tif err := h.checkType(r.Types); false && err != nil {"},
	{"token: alg of the encryption", "authserver/token/header_jwe.go", "case !slices.Contains(e.KeyAlgorithms, h.alg):", "case false:"},
	{"token: enc of the policy", "authserver/token/header_jwe.go", "case !slices.Contains(e.ContentAlgorithms, h.enc):", "case false:"},
	{"token: extensions of the JWE", "authserver/token/header_jwe.go", "if err := h.checkExtensions(); err != nil {", "if err := h.checkExtensions(); false && err != nil {"},
	{"token: cty", "authserver/token/header_jwe.go", "if h.hasCty && !equalFold(trimPrefixFold(h.cty, \"application/\"), \"jwt\") {", "if false {"},
	{"token: cty without a token", "authserver/token/header_jwe.go", `	case h.hasCty:
		return refuse(`, `	case false:
		return refuse(`},
	{"token: party info bound", "authserver/token/header_jwe.go", "len(info) > maxPartyInfo", "false"},
	{"jwe: decryption key fits", "authserver/jwe/decrypt.go", "k.fits&fitBit(i, j) == 0", "false"},
	{"jwe: length of the encrypted key", "authserver/jwe/decrypt.go", "len(m.EncryptedKey) != k.encryptedKeyLength(alg, enc) || ", ""},
	{"jwe: lengths of iv and tag", "authserver/jwe/decrypt.go", "return len(m.IV) == c.iv && len(m.Tag) == c.tag && blocks", "return blocks"},
	{"jwe: a content key of that size", "authserver/jwe/decrypt.go", "err == nil && len(got) == size", "err == nil"},
	{"jwe: ephemeral key on the curve of the key", "authserver/jwe/agree.go", "if crv, _ := members.Text(\"crv\"); crv != params.Name {", "if crv, _ := members.Text(\"crv\"); false && crv != params.Name {"},
	{"jwe: ephemeral key type", "authserver/jwe/agree.go", "if kty, _ := members.Text(\"kty\"); kty != \"EC\" {", "if kty, _ := members.Text(\"kty\"); false && kty != \"EC\" {"},
	{"jwe: ephemeral key is public", "authserver/jwe/agree.go", "if _, ok := members[\"d\"]; ok {", "if _, ok := members[\"d\"]; false && ok {"},
	{"jwe: coordinates of full length", "authserver/jwe/agree.go", "err != nil || len(coordinate) != (params.BitSize+7)/8", "err != nil"},
	{"jwe: one decryption key", "authserver/jwe/set.go", "!hasKid && s.Len() > 1", "false"},
	{"jwe: kid of the decryption key", "authserver/jwe/set.go", "hasKid && k.id != \"\" && k.id != kid", "false"},
	{"jwe: ambiguous decryption keys", "authserver/jwe/set.go", "if found != nil {", "if false {"},
	{"jwe: parts of an RSA key", "authserver/jwe/key.go", "if k.Validate() != nil {", "if false {"},
	{"jwe: halves of an EC key", "authserver/jwe/key.go", "err != nil || !agree.PublicKey().Equal(public)", "err != nil || public == nil"},
	{"jwk: one key", "authserver/jwk/set.go", "!hasKid && s.Len() > 1", "false"},
	{"jwk: kid", "authserver/jwk/set.go", "hasKid && k.id != \"\" && k.id != kid", "false"},
	{"jwk: ambiguous keys", "authserver/jwk/set.go", "if found != nil {", "if false {"},
	{"jwk: key type", "authserver/jwk/key.go", "case k.kty != a.Type:", "case false:"},
	{"jwk: curve", "authserver/jwk/key.go", "case k.crv != a.Curve:", "case false:"},
	{"jwk: declared algorithm", "authserver/jwk/key.go", "case k.alg != \"\" && k.alg != a.Name:", "case false:"},
	{"jwk: length of a secret for the algorithm", "authserver/jwk/key.go", "ok && len(secret) < a.MinSecret", "false && ok"},
	{"jwk: RSA size", "authserver/jwk/check.go", "bits < minRSABits || bits > maxRSABits", "bits < 0"},
	{"jwk: RSA exponent", "authserver/jwk/check.go", "k.E != rsaExponent", "false"},
	{"jwk: ROCA", "authserver/jwk/check.go", "if isROCA(k.N) {", "if false {"},
	{"jwk: point on the curve", "authserver/jwk/check.go", "if _, err := k.Bytes(); err != nil {", "if _, err := k.Bytes(); false && err != nil {"},
	{"jwk: small order", "authserver/jwk/check.go", "if text == bad {", "if text == \"\" && text == bad {"},
	{"jwk: length of a secret", "authserver/jwk/check.go", "n < minSecretLength || n > maxSecretLength", "n < 0"},
	{"jwk: length of an RSA signature", "authserver/jwk/rsa.go", "if len(sig) != modulus.Size() {", "if len(sig) > modulus.Size() {"},
	{"jwk: the whole encoded message", "authserver/jwk/rsa.go", "subtle.ConstantTimeCompare(message, encode(m.Hash, input, modulus.Size())) != 1", "subtle.ConstantTimeCompare(message[modulus.Size()-32:], encode(m.Hash, input, modulus.Size())[modulus.Size()-32:]) != 1"},
	{"jwk: length of an ECDSA signature", "authserver/jwk/ecdsa.go", "if len(sig) != 2*m.KeySize {", "if len(sig) < 2*m.KeySize {"},
	{"jwk: numbers of an ECDSA signature are not 0", "authserver/jwk/ecdsa.go", "if len(r) == 0 || len(s) == 0 {", "if false {"},
	{"jwk: curve of the ECDSA algorithm", "authserver/jwk/ecdsa.go", "public.Curve.Params().BitSize != m.CurveBits", "false"},
	{"policy: header twice", "authserver/policy/facts.go", "case len(h.values) > 1:", "case false:"},
	{"policy: header empty", "authserver/policy/facts.go", "case len(h.values) == 1 && h.values[0] == \"\":", "case false:"},
	{"policy: authorization twice", "authserver/policy/facts.go", `	if len(f.Authorization) > 1 {
		return refuse(`, `	if false {
		return refuse(`},
	{"policy: two tokens", "authserver/policy/facts.go", "case sent && bearer != raw:", "case false:"},
	{"policy: tenant ID of the header", "authserver/policy/facts.go", "case sent && !s.isName(header):", "case false:"},
	{"policy: tenant ID of the route", "authserver/policy/facts.go", "case !s.isName(f.Route):", "case false:"},
	{"policy: route and header agree", "authserver/policy/facts.go", "case sent && header != f.Route:", "case false:"},
	{"policy: scheme of authorization", "authserver/policy/facts.go", "if raw != \"\" && isTokenChar(raw[0]) {", "if false {"},
	{"policy: own tokens are not encrypted", "authserver/policy/decide.go", "if j.token.Encrypted() {", "if false {"},
	{"policy: own tokens with own keys", "authserver/policy/decide.go", "own != \"\" && j.token.UnverifiedIssuer() == own", "false && own != \"\""},
	{"policy: rules of the policy itself", "authserver/policy/decide.go", "\tif err := t.Check(&p.rules); err != nil {", "\tif err := t.Check(&p.wide); err != nil {"},
	{"policy: issuer", "authserver/policy/decide.go", "j.source < 0 && (len(p.sources) > 0 || !t.Direct())", "j.source < 0 && false"},
	{"policy: directory", "authserver/policy/decide.go", `	if s.directory == "" {
		return nil
	}`, `	if s.directory != "none" {
		return nil
	}`},
	{"policy: audience", "authserver/policy/decide.go", "if len(p.audiences) > 0 {", "if false {"},
	{"policy: age", "authserver/policy/decide.go", "if p.maxAge > 0 {", "if false {"},
	{"policy: required nonce", "authserver/policy/decide.go", "if p.nonce != \"\" {", "if false {"},
	{"policy: narrowing", "authserver/policy/decide.go", "\tif err := j.narrow.check(c, p); err != nil {", "\tif err := j.narrow.check(c, p); false && err != nil {"},
	{"policy: claim rules", "authserver/policy/decide.go", "return p.claims.Check(j.subject)", "return nil"},
	{"policy: symmetric key of a public document", "authserver/policy/source.go", "if found.Key.Type() == \"oct\" {", "if false {"},
	{"policy: issuer of a key", "authserver/policy/source.go", "\tif err := s.checkKeyIssuer(found.Key); err != nil {", "\tif err := s.checkKeyIssuer(found.Key); false && err != nil {"},
	{"policy: issuer of an inline key", "authserver/policy/source.go", "s.directory == \"\" || named == \"\"", "s.directory == \"\" || named == \"\" || s.set != nil"},
	{"policy: directory of a cloud's key", "authserver/policy/source.go", "ok && slices.Contains(authorities, authority)", "ok && authority != \"\""},
	{"policy: form of own tokens", "authserver/policy/own.go", "\tif err := t.Check(&o.rules); err != nil {", "\tif err := t.Check(&o.rules); false && err != nil {"},
	{"policy: signature of own tokens", "authserver/policy/own.go", "\tif err := t.Verify(j.signer); err != nil {", "\tif err := t.Verify(j.signer); false && err != nil {"},
	{"policy: organization", "authserver/policy/own.go", "if !ok || !config.ValidTenantID(organization) {", "if !ok && !config.ValidTenantID(organization) {"},
	{"policy: organization is the tenant", "authserver/policy/own.go", "j.named != \"\" && j.named != organization", "false"},
	{"policy: acceptIssuedTokens", "authserver/policy/own.go", "if j.policy != nil && !j.policy.acceptOwn {", "if false {"},
	{"policy: audience of own tokens", "authserver/policy/own.go", "if err := claims.CheckAudience(j.claims, o.audience); err != nil {", "if err := claims.CheckAudience(j.claims, o.audience); false && err != nil {"},
	{"policy: x-jwt-issuer", "authserver/policy/narrowing.go", "n.hasIssuer && n.issuer != c.Issuer", "false"},
	{"policy: x-jwt-client-id of the policy", "authserver/policy/narrowing.go", "p != nil && len(p.audiences) > 0 && !slices.Contains(p.audiences, n.clientID)", "false && slices.Contains(p.audiences, n.clientID)"},
	{"policy: x-jwt-client-id of the token", "authserver/policy/narrowing.go", "!slices.Contains(c.Audience, n.clientID)", "false"},
	{"policy: x-jwt-nonce of the token", "authserver/policy/narrowing.go", "if n.nonce != c.Nonce {", "if false {"},
	{"policy: remembered until", "authserver/policy/remember.go", "case !j.now.Before(r.until):", "case false:"},
	{"policy: remembered from", "authserver/policy/remember.go", "case j.now.Before(r.from):", "case false:"},
	{"policy: remembered with the key set", "authserver/policy/remember.go", "case r.source >= 0 && p.sources[r.source].current() != r.keys:", "case false:"},
	{"policy: remembered with the policy of the organization", "authserver/policy/remember.go", "p.numbered() != r.policy", "false"},
	{"policy: remembered for that very request", "authserver/policy/remember.go", "case r.key != s.keyOf(j):", "case false:"},
	{"policy: remembered with the token", "authserver/policy/remember.go", "j.named, j.raw, n.issuer", "j.named, n.issuer"},
	{"policy: remembered with the tenant", "authserver/policy/remember.go", "{j.named, j.raw, n.issuer, n.clientID, n.nonce}", "{j.raw, n.issuer, n.clientID, n.nonce}"},
	{"policy: remembered with the policy", "authserver/policy/remember.go", "b = binary.BigEndian.AppendUint64(b, j.asked.numbered())", ""},
	{"policy: remembered with x-jwt-issuer", "authserver/policy/remember.go", "j.raw, n.issuer, n.clientID, n.nonce", "j.raw, n.clientID, n.nonce"},
	{"policy: remembered with x-jwt-client-id", "authserver/policy/remember.go", "j.raw, n.issuer, n.clientID, n.nonce", "j.raw, n.issuer, n.nonce"},
	{"policy: remembered with x-jwt-nonce", "authserver/policy/remember.go", "j.raw, n.issuer, n.clientID, n.nonce", "j.raw, n.issuer, n.clientID"},
	{"policy: remembered with own keys", "authserver/policy/remember.go", "b := append(room[:0], s.own.digest[:]...)", "b := room[:0]"},
	{"claims: aud", "authserver/claims/check.go", "if slices.Contains(audiences, have) {", "if slices.Contains(audiences, have) || true {"},
	{"claims: age of the token", "authserver/claims/check.go", "age-leeway > maxAge", "false && age > 0"},
	{"claims: nonce", "authserver/claims/check.go", "!ok || c.Nonce != nonce", "!ok"},
	{"claims: tid", "authserver/claims/check.go", "!ok || tid != directory", "!ok && tid != directory"},
	{"claims: username", "authserver/claims/identity.go", "if name == \"\" {", "if false {"},
	{"claims: parts of a joined username", "authserver/claims/source.go", "if !ok || text == \"\" {", "if false && !ok {"},
	{"claims: slash of a claim", "authserver/claims/identity.go", "encode(name, \"/\"), encode(name, \"\")", "encode(name, \"\"), encode(name, \"\")"},
	{"claims: verified email", "authserver/claims/identity.go", "\tif r.emailVerified == \"\" {", "\tif true {"},
	{"claims: size of the identity", "authserver/claims/identity.go", `	if size > MaxIdentity {
		return Identity{}`, `	if false {
		return Identity{}`},
	{"claims: comma of a claim in a header", "authserver/claims/source.go", `	if text, ok := scalar(value); ok {
		return encode(text, ",")`, `	if text, ok := scalar(value); ok {
		return encode(text, "")`},
	{"claims: comma of an expression in a header", "authserver/claims/source.go", "return encode(values[0], \",\")", "return encode(values[0], \"\")"},
	{"claims: one budget for expressions", "authserver/claims/source.go", "if c.evaluation == nil {", "if true {"},
	{"expression: doubles of whole numbers", "authserver/expression/value.go", "math.Abs(f) < exactBelow", "math.Abs(f) < 1e300"},
	{"expression: doubles as written", "authserver/expression/value.go", " || digits(raw) != digits(strconv.FormatFloat(f, 'e', -1, 64))", ""},
	{"expression: numbers within a claim", "authserver/expression/value.go", "if !readable(raw) {", "if false {"},
	{"expression: numbers within all claims", "authserver/expression/object.go", "if !readable(m.raw) {", "if false {"},
	{"expression: a comparison with what cannot be held", "authserver/expression/object.go", "if types.IsError(o.members[i].get()) || ok && types.IsError(value) {", "if false {"},
	{"expression: an index of many members", "authserver/expression/object.go", "r.all != nil || r.scans > maxScans", "r.all != nil"},
	{"claims: required value", "authserver/claims/rules.go", "!ok || text != r.required", "!ok && text != r.required"},
	{"claims: expression that is false", "authserver/claims/rules.go", "case !holds:", "case false && !holds:"},
	{"claims: expression that fails", "authserver/claims/rules.go", `	case err != nil:
		return "cannot`, `	case false:
		return "cannot`},
}
