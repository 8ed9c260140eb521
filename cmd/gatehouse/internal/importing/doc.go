// SPDX-License-Identifier: Apache-2.0

// Package importing turns the settings of other systems into Gatehouse's manifests, for `gatehouse import`. It is pure: a file's text
// goes in, a [Result] comes out; the command reads and writes.
//
//	result, err := importing.Import("jumper", importing.Input{File: "jumper.env", Data: text, Namespace: "default"})
//	manifests, err := result.Manifests(importing.Print{})   // YAML with comments, never with the value of a secret
//	secrets, err := result.SecretsFile()                    // YAML of Secrets, for a file that nobody else can read
//
// Nothing of the input is lost: each setting is carried over, or told in a comment that says why not, or is a mistake with its line. Secrets
// are kept apart from the first look at them: a setting that is read with [Settings.Secret], or whose name looks like a secret's, never comes
// into a manifest, a comment or an error, and [Import] refuses a file where one is in another setting's value as well.
//
// Where a system is added: a file with its [Importer], and a line in [Importers].
//
//	importing.go    the types, and Import
//	input.go        what is no text: too long, NUL, another encoding
//	env.go          .env files
//	tree.go         JSON and YAML
//	toml.go         TOML
//	settings.go     the settings of a file, who read which, and readers of booleans, numbers and URLs
//	upstream.go     a provider that people log in at, as proxies and brokers have it
//	fields.go       a spec, in the order in which it is written
//	print.go        manifests with their comments
//	secrets.go      Secrets, the commands that make them, and the check that none is printed
package importing
