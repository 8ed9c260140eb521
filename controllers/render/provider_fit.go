// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

const (
	// maxBase bounds base.json in bytes: it is the content of one Secret, as the shards are.
	maxBase = config.MaxShard
	// maxProviderMemory bounds what the expressions of all providers take of a server's memory, in bytes, beside what policies may take.
	maxProviderMemory = 8 << 20
)

// fitProviders keeps as many of the first claimants as base.json has room for, and tells the others. It returns them in the order of the login page, with the CA
// bundles that they name, each once.
func fitProviders(served []*renderedProvider, base *config.Base, out *Output) ([]config.Provider, map[string]string) {
	room := baseRoom{left: maxBase - baseSize(base)}
	var kept []config.Provider
	for i, p := range served {
		if !room.take(p) {
			for _, beyond := range served[i:] {
				out.Verdicts[beyond.key] = beyondBase()
			}
			break
		}
		kept = append(kept, *p.provider)
	}
	slices.SortStableFunc(kept, func(a, b config.Provider) int {
		return cmp.Or(cmp.Compare(fold(a.DisplayName), fold(b.DisplayName)), cmp.Compare(a.DisplayName, b.DisplayName), cmp.Compare(a.Name, b.Name))
	})
	return kept, room.bundles
}

// baseRoom is what base.json still has room for.
type baseRoom struct {
	left     int               // bytes
	memory   int               // bytes that expressions take
	bundles  map[string]string // PEM by hash
	programs map[string]bool   // by text
}

// take tells whether a provider finds room. Bundles and expressions that others name too are there once.
func (b *baseRoom) take(p *renderedProvider) bool {
	size := p.size + 1 // and a comma
	hash := p.provider.CABundle
	if _, there := b.bundles[hash]; p.bundle != "" && !there {
		size += len(p.bundle) + len(p.bundle)/32 + 128 // its hash, and line breaks take two bytes in JSON
	}
	for _, text := range p.expressions() {
		if b.programs[text] {
			continue
		}
		if b.programs == nil {
			b.programs = map[string]bool{}
		}
		b.programs[text] = true
		b.memory += perProgram + perProgramByte*len(text)
	}
	if b.left -= size; b.left < 0 || b.memory > maxProviderMemory {
		return false
	}
	if p.bundle != "" {
		if b.bundles == nil {
			b.bundles = map[string]string{}
		}
		b.bundles[hash] = p.bundle
	}
	return true
}

// expressions are the texts that a server compiles for the provider.
func (p *renderedProvider) expressions() []string {
	var all []string
	if m := p.provider.Mappings; m != nil {
		all = append(all, m.Username.Expression, m.Email.Expression, m.Name.Expression, m.Phone.Expression, m.Comment.Expression, m.Groups.Expression)
	}
	for i := range p.provider.Rules {
		all = append(all, p.provider.Rules[i].Expression)
	}
	if p.provider.OAuth2 != nil {
		all = append(all, p.provider.OAuth2.GroupsExpression)
	}
	return slices.DeleteFunc(all, func(text string) bool { return text == "" })
}

// baseSize is that of the settings without providers; of none it is 0.
func baseSize(base *config.Base) int {
	if base == nil {
		return 0
	}
	text, err := json.Marshal(base)
	if err != nil { // cannot happen: Encode would tell
		return 0
	}
	return len(text) + 1<<10 // the names of lists
}

// beyondBase is the verdict of a provider for which the server has no room left.
func beyondBase() Verdict {
	var f findings
	f.refuse(v1alpha1.ReasonTooLarge, "", "the AuthServer is full: its providers may take %d KiB together, with their users, icons, expressions and CA bundles, and older ones fill that: "+
		"use smaller icons or icon.url, or move providers to another AuthServer", maxBase>>10)
	v := f.verdict()
	v.File = config.FileBase
	return v
}
