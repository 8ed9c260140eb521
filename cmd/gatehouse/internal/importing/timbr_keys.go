// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/jwe"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// timbrAlgorithms are what JWT_…_ALGORITHM came to.
type timbrAlgorithms struct {
	signed   []string // of algorithms
	rsa, aes bool     // RSA-OAEP, AES
	required bool     // signed tokens that are not encrypted are refused
	nested   bool     // what is inside an encryption has to be signed
	from     string   // the variable
}

func (a timbrAlgorithms) encrypted() bool { return a.rsa || a.aes }

// Names of keys in the Secrets, as in docs/migrating/timbr.md.
const (
	keyPassword   = "password"
	keyPublic     = "public.pem"
	keyPrivate    = "private.pem"
	keyAES        = "key"
	hs256         = "HS256"
	rs256         = "RS256"
	shortestHS256 = 32
	lengthAES     = 32
)

// algorithms reads a tenant's.
func (o *timbrImport) algorithms(t timbrTenant, object *Object) timbrAlgorithms {
	key := o.key(t, "ALGORITHM")
	a := timbrAlgorithms{from: key}
	tell := func(text string) { object.Notes = append(object.Notes, o.s.Note(key, "%s", text)) }
	words := o.s.Words(key, ",")
	if len(words) == 0 {
		words = []string{rs256}
		if a.from = ""; !o.azure {
			tell("not set: RS256, which is what Timbr's default RS246 means")
		}
	}
	for _, word := range words {
		switch name := strings.ToUpper(word); name {
		case "RS246":
			tell("RS246 is read as RS256: there is no algorithm of that name")
			a.sign(rs256)
		case hs256, rs256:
			a.sign(name)
		case "RSA-OAEP":
			a.rsa = true
		case "AES":
			a.aes = true
		default:
			o.s.Mistake(key, "want HS256, RS256 (or RS246), RSA-OAEP or AES, with commas between them: the file has something else")
		}
	}
	a.settle(o.azure, tell)
	return a
}

func (a *timbrAlgorithms) sign(name string) {
	if !slices.Contains(a.signed, name) {
		a.signed = append(a.signed, name)
	}
}

// settle makes a policy of the list that Gatehouse takes, and tells what that changed.
func (a *timbrAlgorithms) settle(azure bool, tell func(string)) {
	a.required = len(a.signed) == 0
	if azure {
		if slices.ContainsFunc(a.signed, func(s string) bool { return s != rs256 }) {
			tell("HS256 is not carried over: Entra ID signs with RS256")
		}
		a.signed = []string{rs256}
	}
	a.nested = a.rsa || azure
	if a.rsa && a.required {
		a.sign(rs256)
		tell("RSA-OAEP alone gains RS256 inside: everybody who has the public key can encrypt, so a token needs a signature to show who made it. Timbr's issuer has to sign before it encrypts")
	}
	if a.aes && a.nested {
		tell("AES: what is inside has to be signed as well, as it has beside RSA-OAEP and with the tokens of Entra ID")
	}
	if a.rsa && a.aes {
		tell("RSA-OAEP and AES: tokens say by the kid of their encryption which of the two keys they mean, rsa or aes")
	}
	if len(a.signed) > 1 {
		tell("HS256 and RS256: tokens say by kid which of the two keys they mean, shared or signing")
	}
}

// timbrKeys are the Secrets with a tenant's keys.
type timbrKeys struct{ signing, decryption string }

// secretsFor makes a tenant's Secrets, or names the default's where nothing of the tenant's own differs.
func (o *timbrImport) secretsFor(t timbrTenant, name string, a timbrAlgorithms) timbrKeys {
	own := "JWT_" + t.variable + "_"
	if t.variable != timbrDefault && !o.s.Has(own+"ALGORITHM") && !o.s.Has(own+"KEY") {
		return o.defaults
	}
	keys := timbrKeys{signing: name + "-jwt", decryption: name + "-decryption"}
	if t.variable == timbrDefault {
		o.defaults = keys
	}
	from := o.key(t, "KEY")
	value := pemLines(o.s.Secret(from))
	if value == "" {
		from = own + "KEY"
	}
	if o.azure && !a.encrypted() && value != "" {
		o.s.Tell(from, "not carried over: the keys of Entra ID are found by themselves")
	}
	if !o.azure {
		o.addSecret(keys.signing, a.signingEntries(value, from))
	}
	o.addSecret(keys.decryption, a.decryptionEntries(value, from))
	return keys
}

func (o *timbrImport) addSecret(name string, entries []Entry) {
	if len(entries) > 0 {
		o.result.Secrets = append(o.result.Secrets, Secret{Name: name, Entries: entries})
	}
}

// signingEntries are the keys that verify.
func (a timbrAlgorithms) signingEntries(value, from string) (out []Entry) {
	if slices.Contains(a.signed, hs256) {
		out = append(out, entryIf(len(value) >= shortestHS256 && !isPEM(value), Entry{Key: keyPassword, Value: value, From: from,
			Hint: "the secret password of HS256, at least 32 bytes. A shorter one is refused: its owner has to choose another (openssl rand -base64 32)"}))
	}
	if slices.Contains(a.signed, rs256) {
		out = append(out, entryIf(verifies(value), Entry{Key: keyPublic, Value: value, From: from, File: true,
			Hint: "the file with the issuer's RSA public key, of 2048 bits at least, as PEM"}))
	}
	return out
}

// decryptionEntries are the keys that open encrypted tokens.
func (a timbrAlgorithms) decryptionEntries(value, from string) (out []Entry) {
	if a.rsa {
		out = append(out, entryIf(decrypts(value), Entry{Key: keyPrivate, Value: value, From: from, File: true,
			Hint: "the file with the RSA private key that opens tokens, as PEM. The public key is only for those who encrypt"}))
	}
	if a.aes {
		out = append(out, entryIf(len(value) == lengthAES, Entry{Key: keyAES, Value: value, From: from, File: true,
			Hint: "the file with the AES key itself, exactly 32 bytes (openssl rand 32 > key); nothing is derived from a password"}))
	}
	return out
}

// entryIf leaves the value out where it does not fit.
func entryIf(fits bool, e Entry) Entry {
	if !fits {
		if e.Value != "" {
			e.Hint += ". The value of " + shown(e.From) + " is none"
			e.From = ""
		}
		e.Value = ""
		return e
	}
	e.Hint = ""
	return e
}

func isPEM(value string) bool { return strings.Contains(value, "-----BEGIN ") }

// pemLines undoes how PEM is written on one line, with \n in place of line breaks.
func pemLines(value string) string {
	if !isPEM(value) {
		return value
	}
	return strings.TrimSpace(strings.ReplaceAll(value, `\n`, "\n")) + "\n"
}

// verifies tells whether the value is a public key for RS256.
func verifies(value string) bool {
	if !isPEM(value) {
		return false
	}
	keys, err := jwk.ParsePEM([]byte(value))
	return err == nil && len(keys) == 1 && keys[0].Fits(rs256) == nil
}

// decrypts tells whether the value is a private key for RSA-OAEP.
func decrypts(value string) bool {
	if !isPEM(value) {
		return false
	}
	keys, err := jwe.ParsePEM([]byte(value))
	return err == nil && len(keys) == 1 && keys[0].Fits("RSA-OAEP", "A256GCM") == nil
}

// keys are those that verify.
func (a timbrAlgorithms) keys(secrets timbrKeys) []Fields {
	var out []Fields
	for _, name := range a.signed {
		key, format, id := keyPublic, "PEM", "signing"
		if name == hs256 {
			key, format, id = keyPassword, "Symmetric", "shared"
		}
		f := Fields{{Name: "secretRef", Value: SecretRef(secrets.signing, key)}, {Name: "format", Value: format}}
		if len(a.signed) > 1 {
			f.Set("keyID", id)
		}
		out = append(out, f)
	}
	return out
}

// decryption is the block for encrypted tokens.
func (a timbrAlgorithms) decryption(secrets timbrKeys) Fields {
	var f Fields
	var algorithms []string
	var keys []Fields
	content := []string{"A256GCM"}
	add := func(key, format, id string) {
		k := Fields{{Name: "secretRef", Value: SecretRef(secrets.decryption, key)}, {Name: "format", Value: format}}
		if a.rsa && a.aes {
			k.Set("keyID", id)
		}
		keys = append(keys, k)
	}
	if a.rsa {
		algorithms, content = append(algorithms, "RSA-OAEP"), append(content, "A128CBC-HS256")
		add(keyPrivate, "PEM", "rsa")
	}
	if a.aes {
		algorithms = append(algorithms, "dir", "A256KW")
		add(keyAES, "Symmetric", "aes")
	}
	f.Set("keyAlgorithms", algorithms)
	f.Set("contentAlgorithms", content)
	if a.required {
		f.SetFrom("required", true, "a token that is signed only is refused")
	}
	if !a.nested {
		f.SetFrom("nestedSignature", "Optional", "claims directly inside: whoever made it has the key")
	}
	f.Set("keys", keys)
	return f
}
