// SPDX-License-Identifier: Apache-2.0

// Package importing turns the settings of other systems into Gatehouse's manifests, for `gatehouse import`. It is pure: a file's text
// goes in, a [Result] comes out; the command reads and writes.
//
//	result, err := importing.Import("jumper", importing.Input{File: "jumper.env", Data: text, Namespace: "default"})
//	manifests, err := result.Manifests(importing.Print{})   // YAML with comments, never with the value of a secret
//	secrets, err := result.SecretsFile()                    // YAML of Secrets, for a file that nobody else can read
//
// Nothing of the input is lost: each setting is carried over, or told in a comment that says why not or that no field is needed, or is a mistake with its line. Secrets
// are kept apart from the first look at them: a setting that is read with [Settings.Secret], or whose name looks like a secret's, never comes
// into a manifest, a comment or an error, and [Import] refuses a file where one is in another setting's value as well.
//
// Where a system is added: a file with its [Importer], a line in [Importers], and what its files are known by in sniff.go.
//
//	importing.go    the types, and Import
//	input.go        what is no text: too long, NUL, another encoding
//	env.go          .env files
//	tree.go         JSON and YAML
//	toml.go         TOML
//	settings.go     the settings of a file and of the mappings inside, and who read which
//	settings_….go   readers of booleans, numbers and URLs; names and lines for messages
//	rest.go         what nobody read, and what must not be printed
//	trace.go        what was read and left no trace
//	sniff.go        which system a file looks like
//	external.go     where Gatehouse will be reached
//	upstream.go     a provider that people log in at, as proxies and brokers have it
//	fields.go       a spec, in the order in which it is written
//	print.go        manifests with their comments
//	secrets.go      Secrets, the commands that make them, and the check that none is printed
package importing
